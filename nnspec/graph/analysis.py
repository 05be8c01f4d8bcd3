"""Figures of a graph: multiply–accumulates, receptive fields."""

from __future__ import annotations

from math import ceil

from nnspec.graph.model import Graph
from nnspec.layers.base import EVERYTHING, Window
from nnspec.types import Dim

__all__ = ["receptive_fields", "total_macs"]


def total_macs(graph: Graph) -> int | Dim:
    """Multiply–accumulates of the graph for one example."""
    total: int | Dim = 0
    for node in graph.nodes.values():
        total = total + node.macs()
    return total


def receptive_fields(graph: Graph) -> dict[str, tuple[int, ...] | None]:
    """How many input positions one output position of each node sees, along each spatial axis.

    Windows compose as ``size = size_before + (window - 1) * stride_before`` (Araujo, Norris and Sim 2019, "Computing
    Receptive Fields of Convolutional Neural Networks"). None where a node sees the whole input, or where there are no
    spatial axes to speak of.
    """
    fields: dict[str, Window | None] = dict.fromkeys(graph.inputs)
    for name, node in graph.nodes.items():
        before = _widest([fields[ref.source] for ref in node.inputs.values()])
        window = node.layer.receptive_field(node.input_types)
        fields[name] = _compose(before, window)
    return {name: _whole(fields[name]) for name in graph.nodes}


def _whole(field: Window | None) -> tuple[int, ...] | None:
    return tuple(ceil(size) for size in field.size) if field is not None and field != EVERYTHING else None


def _compose(before: Window | None, window: Window | None) -> Window | None:
    if window is None or before == EVERYTHING:
        return before
    if window == EVERYTHING or before is None or len(before.size) != len(window.size):
        return window
    size = tuple(s + (w - 1) * t for s, w, t in zip(before.size, window.size, before.stride, strict=True))
    stride = tuple(s * t for s, t in zip(before.stride, window.stride, strict=True))
    return Window(size, stride)


def _widest(windows: list[Window | None]) -> Window | None:
    known = [window for window in windows if window is not None]
    if not known or EVERYTHING in known:
        return EVERYTHING if known else None
    widest = known[0]
    for other in known[1:]:
        if len(other.size) == len(widest.size):
            size = tuple(max(a, b) for a, b in zip(widest.size, other.size, strict=True))
            stride = tuple(max(a, b) for a, b in zip(widest.stride, other.stride, strict=True))
            widest = Window(size, stride)
    return widest
