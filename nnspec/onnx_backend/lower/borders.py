"""Cropping and zero padding."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.layers.base import Layer
from nnspec.layers.borders import Borders, Cropping, ZeroPadding
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.value import Value

_END = 2**62
_AXES_OF_PAD = 18
"""The first opset in which `Pad` has an input `axes`."""


def _crop(b: Builder, call: Call[Borders]) -> Value:
    x, margins = call.x, call.layer.margins
    places = [x.position(axis) for axis in range(1, len(margins) + 1)]
    starts, ends = ([pair[0] for pair in margins], [-pair[1] or _END for pair in margins])
    y = b.op("Slice", x.name, b.ints(starts, "from"), b.ints(ends, "to"), b.ints(places, "axes"))
    return Value(y, call.output, x.axes)


def _pad(b: Builder, call: Call[Borders]) -> Value:
    x, margins = call.x, call.layer.margins
    pads = [0] * 2 * len(x.axes)
    for axis, (before, after) in enumerate(margins, 1):
        pads[x.position(axis)], pads[x.position(axis) + len(x.axes)] = before, after
    # ONNX Runtime 1.31 fuses a zero `Pad` into a following `MaxPool`, which pads with -inf; not if `Pad` has axes.
    axes = ["", b.ints(list(range(len(x.axes))), "axes")] if b.opset >= _AXES_OF_PAD else []
    return Value(b.op("Pad", x.name, b.ints(pads, "pads"), *axes), call.output, x.axes)


TABLE: Mapping[type[Layer], Lowering] = {Cropping: _crop, ZeroPadding: _pad}
