"""Semantic differences between two specs."""

from nnspec.comparison.changes import Change, Difference, LayerChange, NetworkChange
from nnspec.comparison.difference import compare

__all__ = ["Change", "Difference", "LayerChange", "NetworkChange", "compare"]
