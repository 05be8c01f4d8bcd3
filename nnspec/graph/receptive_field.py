"""Receptive fields: the input positions on which one output position depends."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, lcm

from nnspec.graph.model import Graph
from nnspec.layers.base import EVERYTHING, Window

_Number = int | Fraction


@dataclass(frozen=True)
class ReceptiveField:
    """Receptive field of one output position along each spatial axis.

    Attributes:
        size: Maximum number of input positions.
        stride: Input positions between neighboring outputs; a fraction if there are more outputs than inputs.
        start: First input position of output 0, negative inside the padding; None if it depends on a symbol.
    """

    size: tuple[int, ...]
    stride: tuple[_Number, ...]
    start: tuple[int | None, ...]


@dataclass(frozen=True)
class OutputReceptiveField:
    """Receptive field of an output's positions.

    Attributes:
        field: Receptive field of each position.
        period: Shift of the image along each axis that shifts the output accordingly: the least common multiple of all strides.
    """

    field: ReceptiveField
    period: tuple[int, ...]

    def as_json(self) -> dict[str, list[int | str | None]]:
        """Return ``{"size": [32, 32], "stride": [4, 4], "start": [-2, -2], "period": [4, 4]}``; strides below 1 are strings."""
        strides: list[int | str | None] = [s if isinstance(s, int) else str(s) for s in self.field.stride]
        field = self.field
        return {"size": [*field.size], "stride": strides, "start": [*field.start], "period": [*self.period]}


def output_receptive_fields(graph: Graph) -> dict[str, OutputReceptiveField]:
    """Return the receptive fields of the outputs that have one at each position."""
    fields = receptive_fields(graph)
    found = {}
    for output, ref in graph.outputs.items():
        field = fields.get(ref.source)
        rank = graph.type_of(ref).rank - 1
        if field is None or len(field.size) != rank:
            continue
        way = [fields[name] for name in graph.giving({output: ref}).nodes]
        if any(each is None or len(each.size) != rank for each in way):
            continue
        period = tuple(lcm(*(Fraction(each.stride[axis]).numerator for each in way if each)) for axis in range(rank))
        found[output] = OutputReceptiveField(field, period)
    return found


def receptive_fields(graph: Graph) -> dict[str, ReceptiveField | None]:
    """Return the receptive field of each node (Araujo, Norris and Sim 2019, "Computing Receptive Fields of CNNs").

    Windows compose as ``size = size_before + (window - 1) * stride_before`` and ``start = start_before + window_start *
    stride_before``; a merge covers all its branches, from the first position to the last. A transposed convolution is a window
    with a fractional stride, so that positions are rounded once at the end and not at every layer.

    Returns:
        Receptive fields by node; None if it is the whole input, if it varies because branches of different strides meet, or if
        there are no spatial axes.
    """
    fields: dict[str, Window | None] = dict.fromkeys(graph.inputs)
    for name, node in graph.nodes.items():
        if node.layer.ports.counts_examples:
            continue  # independent of the input's values
        before = _union([fields[ref.source] for ref in node.inputs.values() if ref.source in fields])
        fields[name] = _compose(before, node.layer.receptive_field(node.input_types))
    return {name: _whole(fields.get(name)) for name in graph.nodes}


def _compose(before: Window | None, window: Window | None) -> Window | None:
    if window is None or before == EVERYTHING:
        return before
    if window == EVERYTHING or before is None:
        return window
    if len(before.size) != len(window.size):
        return EVERYTHING
    size = tuple(s + (w - 1) * t for s, w, t in zip(before.size, window.size, before.stride, strict=True))
    stride = tuple(s * t for s, t in zip(before.stride, window.stride, strict=True))
    start = tuple(
        None if b is None or w is None else b + w * t for b, w, t in zip(before.start, window.start, before.stride, strict=True)
    )
    return Window(size, stride, start)


def _union(windows: list[Window | None]) -> Window | None:
    """Return the window that covers all of them; a branch without a window is the input itself."""
    rank = next((len(window.size) for window in windows if window is not None), None)
    if rank is None:
        return None
    known = [window or Window((1,) * rank, (1,) * rank) for window in windows]
    if any(window == EVERYTHING or window.stride != known[0].stride for window in known):
        return EVERYTHING
    ends = [_hull([(w.start[axis], w.size[axis]) for w in known]) for axis in range(rank)]
    return Window(tuple(size for _, size in ends), known[0].stride, tuple(start for start, _ in ends))


def _hull(spans: list[tuple[_Number | None, _Number]]) -> tuple[_Number | None, _Number]:
    starts = [start for start, _ in spans if start is not None]
    if len(starts) < len(spans):  # Relative positions are unknown: at least the widest.
        return None, max(size for _, size in spans)
    first = min(starts)
    return first, max(start + size for start, (_, size) in zip(starts, spans, strict=True)) - first


def _whole(window: Window | None) -> ReceptiveField | None:
    if window is None or window == EVERYTHING:
        return None
    axes = list(zip(window.size, window.stride, window.start, strict=True))
    return ReceptiveField(
        tuple(_count(*axis) for axis in axes),
        tuple(int(stride) if stride == int(stride) else stride for stride in window.stride),
        tuple(None if start is None else ceil(start) for start in window.start),
    )


def _count(size: _Number, stride: _Number, start: _Number | None) -> int:
    """Return the maximum number of integer positions; with a fractional stride, it varies periodically by output."""
    cycle = Fraction(stride).denominator
    firsts = [(start or 0) + p * stride for p in range(min(cycle, 4096))]
    return max(floor(first + size - 1) - ceil(first) + 1 for first in firsts)
