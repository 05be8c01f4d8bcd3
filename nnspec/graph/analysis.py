"""Multiply–accumulate operations of a graph."""

from __future__ import annotations

from nnspec.graph.model import Graph
from nnspec.types import Dim, SizeTooComplex, unknown

__all__ = ["total_macs"]


def total_macs(graph: Graph) -> int | Dim:
    """Return the multiply–accumulates of the graph for one example; unknown if free sizes make the sum too complex."""
    total: int | Dim = 0
    try:
        for node in graph.every_node():
            total = total + node.macs()
    except SizeTooComplex:
        return unknown()
    return total
