"""Figures of a graph: multiply–accumulates."""

from __future__ import annotations

from nnspec.graph.model import Graph
from nnspec.types import Dim, SizeTooComplex, unknown

__all__ = ["total_macs"]


def total_macs(graph: Graph) -> int | Dim:
    """Multiply–accumulates of the graph for one example; not known where free sizes make the sum too long."""
    total: int | Dim = 0
    try:
        for node in graph.nodes.values():
            total = total + node.macs()
    except SizeTooComplex:
        return unknown()
    return total
