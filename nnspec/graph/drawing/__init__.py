"""Drawings of a compiled model: Mermaid text, an SVG, an HTML page."""

from nnspec.graph.drawing.mermaid import to_mermaid
from nnspec.graph.drawing.page import to_html
from nnspec.graph.drawing.svg import to_svg

__all__ = ["to_html", "to_mermaid", "to_svg"]
