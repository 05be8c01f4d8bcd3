"""Figures of a graph: multiply–accumulates."""

from __future__ import annotations

from nnspec.graph.model import Graph
from nnspec.types import Dim

__all__ = ["total_macs"]


def total_macs(graph: Graph) -> int | Dim:
    """Multiply–accumulates of the graph for one example."""
    total: int | Dim = 0
    for node in graph.nodes.values():
        total = total + node.macs()
    return total
