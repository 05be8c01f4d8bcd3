"""Non-maximum suppression: ONNX's own, and a fixed number of rows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nnspec.layers.base import Layer
from nnspec.layers.boxes import CORNERS
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
    own, scores = declared(b, call.inputs["boxes"]), declared(b, call.inputs["scores"])
    boxes, of_classes = own.name, own.type.rank == 3
    classes = scores.type.shape[1] if scores.type.rank == 2 else 1
    assert isinstance(classes, int)
    table = scores.name if scores.type.rank == 2 else b.op("Unsqueeze", scores.name, b.ints([2], "classes"))
    lowest = b.constant(-np.inf, "lowest", np.float32)
    low, high = split(b, boxes)
    valid = are_valid(b, b.op("Sub", high, low))
    table = b.op("Where", b.op("Squeeze", valid, b.ints([3], "number")) if of_classes else valid, table, lowest)
    best = None
    if of_classes:
        places = _of_classes(b, layer, boxes, table, classes)
        boxes = b.op("Reshape", boxes, b.ints([0, -1, CORNERS], "each"))
    else:
        if layer.class_agnostic and classes > 1:  # the other classes of a row overlap its best one
            best = b.op("Cast", b.op("ArgMax", table, axis=2, keepdims=0), to=ELEMENT["int32"])
            table, classes = b.reduce("ReduceMax", table, [2], keepdims=True), 1
        selected = _selected(b, layer, boxes, b.op("Transpose", table, perm=[0, 2, 1]))
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
    rows, column = b.op("Unsqueeze", place if of_classes else row, b.ints([2], "numbers")), b.ints([2], "numbers")
    chosen = b.op("GatherND", boxes, rows, batch_dims=1)
    count = b.reduce("ReduceSum", b.op("Cast", kept, to=ELEMENT["int32"]), [1], keepdims=False)
    found = {
        "boxes": b.op("Where", b.op("Unsqueeze", kept, column), chosen, nothing),
        "scores": b.op("Where", kept, score, nothing),
        "class": b.op("Where", kept, label, no_class),
        "count": count,
    }
    return {name: Value.declared(found[name], type) for name, type in call.outputs.items()}


def _selected(b: Builder, layer: NonMaxSuppression, boxes: str, table: str) -> str:
    """The example, the class and the row of each box that ONNX's operator selects, of boxes (N, rows, 4)."""
    return b.op(
        "NonMaxSuppression",
        boxes,
        table,
        b.ints([layer.keep], "keep"),
        b.constant([layer.iou], "iou", np.float32),
        b.constant([layer.score], "score", np.float32),
    )


def _of_classes(b: Builder, layer: NonMaxSuppression, boxes: str, table: str, classes: int) -> str:
    """The example, the row and the class of each selected box, of boxes (N, rows, classes, 4).

    ONNX's operator has one box for all classes of a row: each class is an example of its own, or, if boxes also remove those of
    other classes, each box is a row.
    """
    count = b.constant(classes, "classes", np.int64)
    if layer.class_agnostic:
        every = b.op("Reshape", boxes, b.ints([0, -1, CORNERS], "each"))
        rows = b.op("Unsqueeze", b.op("Reshape", table, b.ints([0, -1], "flat")), b.ints([1], "class"))
        example, _, place = _columns(b, _selected(b, layer, every, rows))
        return b.op("Concat", example, b.op("Div", place, count), b.op("Mod", place, count), axis=1)
    sizes = [b.op("Shape", table, start=axis, end=axis + 1) for axis in (1, 0)]
    examples = b.op("Mul", sizes[1], b.ints([classes], "classes"))
    shapes = [
        b.op("Concat", examples, *more, axis=0)
        for more in ((sizes[0], b.ints([CORNERS], "corners")), (b.ints([1], "class"), sizes[0]))
    ]
    each = b.op("Reshape", b.op("Transpose", boxes, perm=[0, 2, 1, 3]), shapes[0])
    scores = b.op("Reshape", b.op("Transpose", table, perm=[0, 2, 1]), shapes[1])
    example, _, row = _columns(b, _selected(b, layer, each, scores))
    return b.op("Concat", b.op("Div", example, count), row, b.op("Mod", example, count), axis=1)


def _columns(b: Builder, selected: str) -> list[str]:
    axis = b.ints([1], "column")
    return [b.op("Slice", selected, b.ints([at], "from"), b.ints([at + 1], "to"), axis) for at in range(3)]


TABLE: Mapping[type[Layer], Lowering] = {NonMaxSuppression: _suppressed}
