"""Boxes of objects in images, for which Keras has no layers.

They compute in float32 at least: half-precision numbers cannot represent pixels of large images.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from typing import Any

import keras
from keras import ops

from nnspec.layers.boxes import SMALLEST


class OfBoxes(keras.layers.Layer):  # type: ignore[misc]
    """Base class of layers of boxes, which use no half precision.

    Args:
        **arguments: Arguments of Keras's ``Layer``.
    """

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**{"dtype": keras.config.floatx(), **arguments})


def edges(boxes: Any) -> tuple[Any, Any, Any, Any]:
    """The left, top, right and bottom edges of boxes, without the last axis."""
    return boxes[..., 0], boxes[..., 1], boxes[..., 2], boxes[..., 3]


def are_valid(boxes: Any) -> Any:
    """Which boxes are valid."""
    left, top, right, bottom = edges(boxes)
    return ops.logical_and(right - left >= SMALLEST, bottom - top >= SMALLEST)


def overlap(a: Any, b: Any) -> Any:
    """The intersection over union of boxes, whose leading axes are broadcast; 0 if one of them is not valid."""
    left, top, right, bottom = (ops.maximum(p, q) if place < 2 else ops.minimum(p, q) for place, (p, q) in _pairs(a, b))
    both = ops.maximum(right - left, 0) * ops.maximum(bottom - top, 0)
    whole = area(a) + area(b) - both
    counts = ops.logical_and(ops.logical_and(are_valid(a), are_valid(b)), whole > 0)
    return ops.where(counts, both / ops.where(counts, whole, 1), 0)


def _pairs(a: Any, b: Any) -> Any:
    return enumerate(zip(edges(a), edges(b), strict=True))


def area(boxes: Any) -> Any:
    """The areas of valid boxes; others have any sign."""
    left, top, right, bottom = edges(boxes)
    return (right - left) * (bottom - top)


@keras.saving.register_keras_serializable("nnspec")
class AnchorBoxes(OfBoxes):
    """Boxes around the cells of a feature map, of which only the sizes are used.

    Args:
        cell: The boxes of the first cell.
        stride: The distance between cells.
        **arguments: Arguments of Keras's ``Layer``.
    """

    def __init__(self, cell: Sequence[Sequence[float]], stride: float, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.cell = [list(box) for box in cell]
        self.stride = stride

    def call(self, inputs: Any) -> Any:
        examples, height, width = ops.shape(inputs)[:3]
        down, right = (ops.cast(ops.arange(count), self.compute_dtype) * self.stride for count in (height, width))
        cell = ops.convert_to_tensor(self.cell, self.compute_dtype)
        along = ops.convert_to_tensor([[1, 0, 1, 0], [0, 1, 0, 1]], self.compute_dtype)
        boxes = right[None, :, None, None] * along[0] + down[:, None, None, None] * along[1] + cell
        return ops.broadcast_to(ops.reshape(boxes, (1, -1, 4)), (examples, height * width * len(self.cell), 4))

    def compute_output_spec(self, inputs: Any) -> Any:
        examples, height, width = inputs.shape[:3]
        rows = None if height is None or width is None else height * width * len(self.cell)
        return keras.KerasTensor((examples, rows, 4), dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "cell": self.cell, "stride": self.stride}


class _Coded(OfBoxes):
    """Base class of the regression of boxes relative to anchors.

    Args:
        by: ``offsets`` or ``distances``.
        variance: The factors of the four numbers.
        **arguments: Arguments of Keras's ``Layer``.
    """

    def __init__(self, by: str = "offsets", variance: Sequence[float] = (1.0,) * 4, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.by, self.variance = by, list(variance)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[0][:-1], 4)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "by": self.by, "variance": self.variance}

    @staticmethod
    def placed(boxes: Any) -> tuple[Any, Any, Any]:
        """The centers and the sizes, on a last axis of two, and which are valid."""
        low, high = boxes[..., :2], boxes[..., 2:]
        size = high - low
        return low + size / 2, size, ops.all(size >= SMALLEST, axis=-1, keepdims=True)


@keras.saving.register_keras_serializable("nnspec")
class DecodeBoxes(_Coded):
    """Converts numbers relative to anchors to boxes, given ``[x, anchors]``.

    Args:
        by: ``offsets`` or ``distances``.
        variance: The factors of the four numbers.
        max_scale: The largest ratio of sizes.
        **arguments: Arguments of Keras's ``Layer``.
    """

    def __init__(self, *given: Any, max_scale: float = 62.5, **arguments: Any) -> None:
        super().__init__(*given, **arguments)
        self.max_scale = max_scale

    def call(self, inputs: Any) -> Any:
        x, anchors = inputs
        x = x * ops.convert_to_tensor(self.variance, x.dtype)
        if len(x.shape) == 4:  # four numbers for each class
            anchors = ops.expand_dims(anchors, 2)
        center, size, _ = self.placed(anchors)
        if self.by == "distances":
            return ops.concatenate([center - x[..., :2] * size, center + x[..., 2:] * size], axis=-1)
        middle = center + x[..., :2] * size
        half = size * ops.exp(ops.minimum(x[..., 2:], log(self.max_scale))) / 2
        return ops.concatenate([middle - half, middle + half], axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "max_scale": self.max_scale}


@keras.saving.register_keras_serializable("nnspec")
class EncodeBoxes(_Coded):
    """Converts boxes to numbers relative to anchors, given ``[boxes, anchors]``; 0 where one of them is not valid."""

    def call(self, inputs: Any) -> Any:
        boxes, anchors = inputs
        center, size, kept = self.placed(boxes)
        middle, unit, known = self.placed(anchors)
        kept = ops.logical_and(kept, known)
        unit = ops.where(kept, unit, 1)
        if self.by == "distances":
            found = ops.concatenate([(middle - boxes[..., :2]) / unit, (boxes[..., 2:] - middle) / unit], axis=-1)
        else:
            found = ops.concatenate([(center - middle) / unit, ops.log(ops.where(kept, size, 1) / unit)], axis=-1)
        return ops.where(kept, found / ops.convert_to_tensor(self.variance, found.dtype), 0)


@keras.saving.register_keras_serializable("nnspec")
class ClipBoxes(OfBoxes):
    """Clips boxes to an image, given ``[boxes, image]``."""

    def call(self, inputs: Any) -> Any:
        boxes, image = inputs
        height, width = (ops.cast(size, boxes.dtype) for size in ops.shape(image)[1:3])
        return ops.clip(boxes, 0, ops.stack([width, height, width, height]))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape[0]
