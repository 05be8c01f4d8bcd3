"""Drawings of a compiled model: Mermaid text, an SVG, an HTML page."""

from nnspec.drawing.mermaid import to_mermaid
from nnspec.drawing.page import to_html
from nnspec.drawing.svg import to_svg

__all__ = ["to_html", "to_mermaid", "to_svg"]
