"""Matching of anchors with boxes, and sampling of rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nnspec.layers.base import Layer
from nnspec.layers.matching import BACKGROUND, IGNORED, SAME_SHAPE, MatchBoxes, SampleProposals
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.layout import declared
from nnspec.onnx_backend.lower.boxes import Halves, are_valid
from nnspec.onnx_backend.proto import ELEMENT
from nnspec.onnx_backend.value import Value


@dataclass(frozen=True)
class _Pairs:
    """Anchors and boxes with the axes examples, anchors, boxes, numbers; one of them has one anchor, the other one box.

    Attributes:
        b: The graph.
        anchors: The anchors.
        boxes: The boxes.
    """

    b: Builder
    anchors: Halves
    boxes: Halves

    def number(self, value: float) -> str:
        """A float32 scalar."""
        return self.b.constant(value, "number", np.float32)

    def product(self, pairs: str) -> str:
        """The products of the two numbers of the last axis."""
        return self.b.reduce("ReduceProd", pairs, [3], keepdims=False)

    def valid(self, boxes: Halves) -> str:
        """Which boxes are valid."""
        return self.b.op("Squeeze", are_valid(self.b, boxes.size), self.b.ints([3], "last"))

    def both(self) -> str:
        """The area of each intersection."""
        low, high = self.b.op("Max", self.anchors.low, self.boxes.low), self.b.op("Min", self.anchors.high, self.boxes.high)
        return self.product(self.b.op("Max", self.b.op("Sub", high, low), self.number(0)))

    def share(self, both: str) -> str:
        """The intersections over union, given the areas of the intersections."""
        b = self.b
        areas = b.op("Add", self.product(self.anchors.size), self.product(self.boxes.size))
        whole = b.op("Sub", areas, both)
        counts = b.op("And", self.valid(self.anchors), self.valid(self.boxes))
        counts = b.op("And", counts, b.op("Greater", whole, self.number(0)))
        return b.op("Where", counts, b.op("Div", both, b.op("Where", counts, whole, self.number(1))), self.number(0))

    def distance(self) -> str:
        """The larger distance of two centers along an axis."""
        away = self.b.op("Abs", self.b.op("Sub", self.anchors.center, self.boxes.center))
        return self.b.reduce("ReduceMax", away, [3], keepdims=False)

    def covered(self, both: str) -> str:
        """The share of each anchor that is in a box, given the areas of the intersections."""
        kept = self.valid(self.anchors)
        area = self.b.op("Where", kept, self.product(self.anchors.size), self.number(1))
        return self.b.op("Where", kept, self.b.op("Div", both, area), self.number(0))


def _matched(b: Builder, call: Call[MatchBoxes]) -> Mapping[str, Value]:
    """Write matching, by comparing all anchors with all boxes at once."""
    given = {port: declared(b, value).name for port, value in call.inputs.items()}
    layer = call.layer
    wide = [b.op("Unsqueeze", given[port], b.ints([axis], "axis")) for port, axis in (("anchors", 2), ("boxes", 1))]
    pairs = _Pairs(b, *(Halves.of(b, each) for each in wide))
    lowest, none = b.constant(-np.inf, "lowest", np.float32), b.constant(-1, "none", np.int64)
    counted, in_crowd = pairs.valid(pairs.boxes), None
    if "crowd" in given:
        flags = b.op("Cast", b.op("Unsqueeze", given["crowd"], b.ints([1], "anchors")), to=ELEMENT["int32"])
        in_crowd = b.op("Equal", flags, b.constant(1, "crowd", np.int32))
        counted = b.op("And", counted, b.op("Not", in_crowd))
    both = pairs.both()
    shared = pairs.share(both)
    own = _inside(pairs, layer) if layer.by == "center" else shared
    value = b.op("Where", counted, own, lowest)
    found = none
    if layer.by != "grid":
        top = b.reduce("ReduceMax", value, [2], keepdims=False)
        least = b.constant(layer.foreground, "foreground", np.float32)
        enough = b.op("Greater", top, lowest) if layer.by == "center" else b.op("GreaterOrEqual", top, least)
        found = b.op("Where", enough, b.op("ArgMax", value, axis=2, keepdims=0), none)
    if layer.by == "grid" or (layer.by == "iou" and layer.keep_best):
        claimed = _claimed(pairs, layer, value, counted)
        found = b.op("Where", b.op("GreaterOrEqual", claimed, b.constant(0, "first", np.int64)), claimed, found)
    kept = b.op("Squeeze", pairs.valid(pairs.anchors), b.ints([2], "boxes"))
    found = b.op("Where", kept, found, none)
    left_out = b.op("Not", kept)
    if layer.by != "center":
        most = b.reduce("ReduceMax", b.op("Where", counted, shared, pairs.number(0)), [2], keepdims=False)
        near = b.op("GreaterOrEqual", most, b.constant(layer.background, "background", np.float32))
        left_out = b.op("Or", left_out, near)
    if in_crowd is not None:
        share = b.op("Where", in_crowd, pairs.covered(both), pairs.number(0))
        most = b.reduce("ReduceMax", share, [2], keepdims=False)
        left_out = b.op("Or", left_out, b.op("GreaterOrEqual", most, b.constant(0.5, "half", np.float32)))
    return _results(b, call, given, found, left_out)


def _results(b: Builder, call: Call[MatchBoxes], given: Mapping[str, str], found: str, left_out: str) -> Mapping[str, Value]:
    ignored, background = (b.constant(value, "class", np.int32) for value in (IGNORED, BACKGROUND))
    matched = b.op("GreaterOrEqual", found, b.constant(0, "first", np.int64))
    place = b.op("Max", found, b.constant(0, "first", np.int64))
    if "class" in given:
        label = b.op("GatherElements", b.op("Cast", given["class"], to=ELEMENT["int32"]), place, axis=1)
    else:
        label = b.constant(0, "object", np.int32)
    label = b.op("Where", matched, label, b.op("Where", left_out, ignored, background))
    last = b.ints([2], "last")
    rows = b.op("GatherND", given["boxes"], b.op("Unsqueeze", place, last), batch_dims=1)
    found_boxes = b.op("Where", b.op("Unsqueeze", matched, last), rows, b.constant(-1, "missing", np.float32))
    weight = b.op("Cast", b.op("Not", b.op("Equal", label, ignored)), to=ELEMENT["float32"])
    results = {"boxes": found_boxes, "class": label, "row": b.op("Cast", found, to=ELEMENT["int32"]), "weight": weight}
    return {name: Value.declared(results[name], type) for name, type in call.outputs.items()}


def _claimed(pairs: _Pairs, layer: MatchBoxes, value: str, counted: str) -> str:
    """The box that chooses each anchor, or −1; of several, the one that it fits best."""
    b = pairs.b
    if layer.by == "iou":
        place = b.op("ArgMax", value, axis=1, keepdims=1)
        worth = b.reduce("ReduceMax", value, [1], keepdims=True)
    else:
        smaller = b.op("Max", b.op("Min", pairs.anchors.size, pairs.boxes.size), pairs.number(0))
        alike = pairs.share(pairs.product(smaller))
        worth = b.reduce("ReduceMax", alike, [1], keepdims=True)
        near = b.op("GreaterOrEqual", alike, b.op("Sub", worth, b.constant(SAME_SHAPE, "same_shape", np.float32)))
        away = b.op("Where", near, pairs.distance(), b.constant(np.inf, "far", np.float32))
        place = b.op("ArgMin", away, axis=1, keepdims=1)
    one, zero = b.constant(1, "one", np.int64), b.constant(0, "first", np.int64)
    rows = b.op("Squeeze", b.op("Shape", value, start=1, end=2))
    every = b.op("Reshape", b.op("Range", zero, rows, one), b.ints([1, -1, 1], "anchors"))
    wins = b.op("And", b.op("Equal", every, place), counted)
    score = b.op("Where", wins, worth, pairs.number(0))
    taken = b.op("Greater", b.reduce("ReduceMax", score, [2], keepdims=False), pairs.number(0))
    return b.op("Where", taken, b.op("ArgMax", score, axis=2, keepdims=0), b.constant(-1, "none", np.int64))


def _inside(pairs: _Pairs, layer: MatchBoxes) -> str:
    """Minus the area of a box where the center of an anchor is inside and the box has a suitable size."""
    b, infinite = pairs.b, pairs.b.constant(np.inf, "far", np.float32)
    lowest = b.constant(-np.inf, "lowest", np.float32)
    center = pairs.anchors.center
    away = b.op("Concat", b.op("Sub", center, pairs.boxes.low), b.op("Sub", pairs.boxes.high, center), axis=3)
    fits = b.op("Greater", b.reduce("ReduceMin", away, [3], keepdims=False), pairs.number(0))
    kept = pairs.valid(pairs.anchors)
    size = b.op("Sqrt", b.op("Where", kept, pairs.product(pairs.anchors.size), pairs.number(1)))
    if layer.scales is not None:
        farthest = b.reduce("ReduceMax", away, [3], keepdims=False)
        smallest = b.reduce("ReduceMin", b.op("Where", kept, size, infinite), [1], keepdims=True)
        largest = b.reduce("ReduceMax", b.op("Where", kept, size, pairs.number(0)), [1], keepdims=True)
        slack = b.constant(1 + SAME_SHAPE, "slack", np.float32)
        first = b.op("LessOrEqual", size, b.op("Mul", smallest, slack))
        last = b.op("GreaterOrEqual", b.op("Mul", size, slack), largest)
        low, high = (b.op("Mul", size, b.constant(scale, "scale", np.float32)) for scale in layer.scales)
        over = b.op("Greater", farthest, b.op("Where", first, lowest, low))
        under = b.op("LessOrEqual", farthest, b.op("Where", last, infinite, high))
        fits = b.op("And", fits, b.op("And", over, under))
    if layer.radius is not None:
        reach = b.op("Mul", size, b.constant(layer.radius, "radius", np.float32))
        fits = b.op("And", fits, b.op("LessOrEqual", pairs.distance(), reach))
    return b.op("Where", fits, b.op("Neg", pairs.product(pairs.boxes.size)), lowest)


def _sampled(b: Builder, call: Call[SampleProposals]) -> Mapping[str, Value]:
    """Write the choice at inference: the first rows of each kind."""
    layer = call.layer
    boxes, label = (declared(b, call.inputs[port]).name for port in ("boxes", "class"))
    label = b.op("Cast", label, to=ELEMENT["int32"])
    positive = b.op("GreaterOrEqual", label, b.constant(0, "first", np.int32))
    before = b.op("CumSum", b.op("Cast", positive, to=ELEMENT["int32"]), b.constant(1, "axis", np.int64), exclusive=1)
    first = b.op("And", positive, b.op("Less", before, b.constant(layer.most_positive, "most", np.int32)))
    negative = b.op("Equal", label, b.constant(BACKGROUND, "background", np.int32))
    zero, two, last = (b.constant(value, "key", np.float32) for value in (0, 2, 4))
    key = b.op("Where", first, zero, b.op("Where", negative, two, last))
    key = b.op("Pad", key, b.ints([0, 0, 0, layer.count], "more"), last)
    found, place = b.ops("TopK", [key, b.ints([layer.count], "count")], 2, axis=1, largest=0)
    chosen = b.op("Less", found, last)
    place = b.op("Where", chosen, place, b.constant(0, "row", np.int64))
    axis = b.ints([2], "numbers")
    rows = b.op("GatherND", boxes, b.op("Unsqueeze", place, axis), batch_dims=1)
    results = {
        "rows": b.op("Where", chosen, b.op("Cast", place, to=ELEMENT["int32"]), b.constant(-1, "none", np.int32)),
        "boxes": b.op("Where", b.op("Unsqueeze", chosen, axis), rows, b.constant(-1, "missing", np.float32)),
        "class": b.op("Where", chosen, b.op("GatherElements", label, place, axis=1), b.constant(IGNORED, "class", np.int32)),
    }
    return {name: Value.declared(results[name], type) for name, type in call.outputs.items()}


TABLE: Mapping[type[Layer], Lowering] = {MatchBoxes: _matched, SampleProposals: _sampled}
