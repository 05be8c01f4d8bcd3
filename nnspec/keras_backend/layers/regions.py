"""Features of regions of interest, for which Keras has no layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from nnspec.keras_backend.layers.boxes import OfBoxes, edges


class _Regions(OfBoxes):
    """Base class of layers that compute features of fixed size for each box, given ``[x, boxes]``.

    Args:
        size: The output height and width.
        stride: The pixels between neighboring positions of x.
        **arguments: Arguments of Keras's ``Layer``.
    """

    def __init__(self, size: Sequence[int], stride: float = 1.0, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.size, self.stride = tuple(size), stride

    def compute_output_shape(self, input_shape: Any) -> Any:
        x, boxes = input_shape
        return (*boxes[:2], *self.size, x[-1])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size, "stride": self.stride}


@keras.saving.register_keras_serializable("nnspec")
class RoIAlign(_Regions):
    """Averages of interpolated points; see ``nnspec.layers.regions``.

    The weight of a position is the product of one for its row and one for its column, so that the averages are two matrix
    products, whose gradients need no scattering.

    Args:
        sampling: The points of each part along each axis.
        **arguments: Arguments of the base class.
    """

    def __init__(self, *given: Any, sampling: int = 2, **arguments: Any) -> None:
        super().__init__(*given, **arguments)
        self.sampling = sampling

    def call(self, inputs: Any) -> Any:
        x, boxes = inputs
        left, top, right, bottom = edges(boxes / self.stride)
        rows = self._weights(top, bottom, self.size[0], ops.shape(x)[1])
        columns = self._weights(left, right, self.size[1], ops.shape(x)[2])
        return ops.einsum("bnqw,bnpwc->bnpqc", columns, ops.einsum("bnph,bhwc->bnpwc", rows, x))

    def _weights(self, low: Any, high: Any, count: int, size: Any) -> Any:
        """The weight of each position along an axis in each part."""
        points = (ops.arange(count * self.sampling, dtype=low.dtype) + 0.5) / self.sampling
        at = low[..., None] - 0.5 + points * ((high - low) / count)[..., None]
        end = ops.cast(size, at.dtype)
        inside = ops.cast(ops.logical_and(at >= -1, at <= end), at.dtype)
        away = ops.abs(ops.clip(at, 0, end - 1)[..., None] - ops.arange(size, dtype=at.dtype))
        weights = ops.maximum(1 - away, 0) * inside[..., None]
        shape = (*ops.shape(low), count, self.sampling, size)
        return ops.mean(ops.reshape(weights, shape), axis=-2)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "sampling": self.sampling}


_MOST_LEVELS = 12
"""Windows of up to 4,095 positions, if the size of the feature map is unknown when the model is built."""


@keras.saving.register_keras_serializable("nnspec")
class RoIPooling(_Regions):
    """Maxima of parts of rounded boxes; see ``nnspec.layers.regions``.

    The maximum of any window is that of two windows whose size is a power of two, and all of those are computed beforehand.
    """

    def call(self, inputs: Any) -> Any:
        x, boxes = inputs
        examples, height, width, channels = ops.shape(x)
        count = ops.shape(boxes)[1]
        left, top, right, bottom = edges(ops.stop_gradient(ops.cast(boxes, "float32")) * (1 / self.stride))
        first_row, end_row = self._parts(top, bottom, self.size[0], height)
        first_column, end_column = self._parts(left, right, self.size[1], width)
        x = ops.reshape(x, (examples, height, width * channels))
        found = _largest(x, first_row, end_row, inputs[0].shape[1])  # (examples, boxes · rows, width · channels)
        each = examples * count * self.size[0]
        found = ops.reshape(found, (each, width, channels))
        shape = (examples, count, self.size[0], self.size[1])
        columns = (ops.broadcast_to(bound[:, :, None], shape) for bound in (first_column, end_column))
        first, end = (ops.reshape(bound, (each, self.size[1])) for bound in columns)
        found = ops.reshape(_largest(found, first, end, inputs[0].shape[2]), (*shape, channels))
        empty = ops.logical_or((end_row <= first_row)[..., None], (end_column <= first_column)[:, :, None])
        return ops.where(empty[..., None], 0, found)

    def _parts(self, low: Any, high: Any, count: int, size: Any) -> tuple[Any, Any]:
        """The first position of each part along an axis, and the one after its last."""
        low, high = _rounded(low), _rounded(high)
        extent = ops.maximum(high - low + 1, 1)
        # A division by a constant would be compiled to a product with its reciprocal, which is rounded differently from ONNX.
        step = extent / ops.where(extent > 0, ops.full_like(extent, count), ops.ones_like(extent))
        part = ops.arange(count, dtype="float32")
        end = ops.cast(size, "float32")
        bounds = (ops.floor(part * step[..., None]), ops.ceil((part + 1) * step[..., None]))
        first, after = (ops.cast(ops.clip(bound + low[..., None], 0, end), "int32") for bound in bounds)
        return first, after


def _rounded(numbers: Any) -> Any:
    """The nearest integers; halves are rounded away from zero, as in ONNX Runtime."""
    return ops.sign(numbers) * ops.floor(ops.abs(numbers) + 0.5)


def _largest(x: Any, first: Any, after: Any, known: int | None) -> Any:
    """The largest elements of windows along the second axis.

    Args:
        x: Numbers of shape (examples, size, features).
        first: The first position of each window, with any axes after that of the examples.
        after: The position after the last of each window; a window without positions has an undefined result.
        known: The size, if it is known.

    Returns:
        Numbers of shape (examples, windows, features).
    """
    examples, size, features = ops.shape(x)
    levels = known.bit_length() if known else _MOST_LEVELS
    tables = [x]
    for level in range(1, levels):
        reach = 2 ** (level - 1)
        last = tables[-1]
        ahead = ops.pad(last, ((0, 0), (0, reach), (0, 0)), constant_values=-float("inf"))[:, reach:]
        tables.append(ops.maximum(last, ahead))
    table = ops.reshape(ops.stack(tables, axis=1), (-1, features))
    first, after = (ops.reshape(bound, (examples, -1)) for bound in (first, after))
    length = ops.maximum(after - first, 1)
    level = sum(ops.cast(length >= 2**power, "int32") for power in range(1, levels)) if levels > 1 else 0 * length
    begin = (ops.arange(examples, dtype="int32")[:, None] * levels + level) * size
    starts = (first, ops.maximum(first + length - 2**level, 0))
    low, high = (ops.take(table, begin + ops.minimum(start, size - 1), axis=0) for start in starts)
    return ops.maximum(low, high)
