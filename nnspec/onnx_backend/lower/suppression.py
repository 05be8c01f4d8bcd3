"""Non-maximum suppression: ONNX's own, and a fixed number of rows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nnspec.layers.base import Layer
from nnspec.layers.suppression import NonMaxSuppression
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.layout import declared
from nnspec.onnx_backend.lower.boxes import are_valid, split
from nnspec.onnx_backend.proto import ELEMENT
from nnspec.onnx_backend.value import Value


def _suppressed(b: Builder, call: Call[NonMaxSuppression]) -> Mapping[str, Value]:
    """Write suppression. ONNX's operator returns a list for each class; a sort of all boxes merges the lists.

    Boxes that were not selected have the score −∞ in the sort. The sort prefers the lowest row of equal scores.
    """
    layer = call.layer
    boxes, scores = declared(b, call.inputs["boxes"]).name, declared(b, call.inputs["scores"])
    classes = scores.type.shape[1] if scores.type.rank == 2 else 1
    assert isinstance(classes, int)
    table = scores.name if scores.type.rank == 2 else b.op("Unsqueeze", scores.name, b.ints([2], "classes"))
    lowest = b.constant(-np.inf, "lowest", np.float32)
    low, high = split(b, boxes)
    table = b.op("Where", are_valid(b, b.op("Sub", high, low)), table, lowest)
    best = None
    if layer.class_agnostic and classes > 1:  # the other classes of a row overlap its best one
        best = b.op("Cast", b.op("ArgMax", table, axis=2, keepdims=0), to=ELEMENT["int32"])
        table, classes = b.reduce("ReduceMax", table, [2], keepdims=True), 1
    selected = b.op(
        "NonMaxSuppression",
        boxes,
        b.op("Transpose", table, perm=[0, 2, 1]),
        b.ints([layer.keep], "keep"),
        b.constant([layer.iou], "iou", np.float32),
        b.constant([layer.score], "score", np.float32),
    )
    places = b.op("Gather", selected, b.ints([0, 2, 1], "order"), axis=1)
    left = b.op("Expand", lowest, b.op("Shape", table))
    left = b.op("ScatterND", left, places, b.op("GatherND", table, places))
    left = b.op("Reshape", left, b.ints([0, -1], "flat"))
    left = b.op("Pad", left, b.ints([0, 0, 0, layer.keep], "more"), lowest)
    score, place = b.ops("TopK", [left, b.ints([layer.keep], "keep")], 2, axis=1)
    kept = b.op("Greater", score, lowest)
    place = b.op("Where", kept, place, b.constant(0, "first", np.int64))
    row = b.op("Div", place, b.constant(classes, "classes", np.int64))
    label = b.op("Cast", b.op("Mod", place, b.constant(classes, "classes", np.int64)), to=ELEMENT["int32"])
    if best is not None:
        label = b.op("GatherElements", best, row, axis=1)
    nothing, no_class = b.constant(-1, "nothing", np.float32), b.constant(-1, "no_class", np.int32)
    rows, column = b.op("Unsqueeze", row, b.ints([2], "numbers")), b.ints([2], "numbers")
    chosen = b.op("GatherND", boxes, rows, batch_dims=1)
    count = b.reduce("ReduceSum", b.op("Cast", kept, to=ELEMENT["int32"]), [1], keepdims=False)
    found = {
        "boxes": b.op("Where", b.op("Unsqueeze", kept, column), chosen, nothing),
        "scores": b.op("Where", kept, score, nothing),
        "class": b.op("Where", kept, label, no_class),
        "count": count,
    }
    return {name: Value.declared(found[name], type) for name, type in call.outputs.items()}


TABLE: Mapping[type[Layer], Lowering] = {NonMaxSuppression: _suppressed}
