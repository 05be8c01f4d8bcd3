"""Losses that Keras does not have, as Keras losses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from nnspec.keras_backend.layers.boxes import are_valid, area, edges
from nnspec.layers.boxes import SMALLEST


class _Own(keras.losses.Loss):  # type: ignore[misc]
    def __init__(self, **arguments: Any) -> None:
        super().__init__()
        for name, value in arguments.items():
            setattr(self, name, value)


class GaussianNegativeLogLikelihood(_Own):
    """The negative log-density of normal distributions.

    Example:
        >>> float(GaussianNegativeLogLikelihood()(ops.array([[0.0]]), ops.array([[0.0, 0.0]])))  # log(2π) / 2
        0.9189385175704956
    """

    def call(self, y_true: Any, y_pred: Any) -> Any:
        mean, log_variance = ops.split(y_pred, 2, -1)
        squared = ops.square(y_true - mean) * ops.exp(-log_variance)
        return ops.mean(0.5 * (math.log(2 * math.pi) + log_variance + squared), -1)


class NegativeBinomial(_Own):
    """The negative log-probability of counts.

    Example:
        >>> round(float(NegativeBinomial()(ops.array([[0.0]]), ops.array([[1.0, 1.0]]))), 4)  # a geometric distribution: log(2)
        0.6931
    """

    def call(self, y_true: Any, y_pred: Any) -> Any:
        mean, dispersion = (ops.maximum(part, 1e-6) for part in ops.split(y_pred, 2, -1))
        size, scaled = 1 / dispersion, dispersion * mean
        choices = log_gamma(y_true + 1) + log_gamma(size) - log_gamma(y_true + size)
        zero = ops.log1p(scaled)
        return ops.mean(choices + size * zero + y_true * (zero - ops.log(scaled)), -1)


class Quantile(_Own):
    """The mean pinball loss of the quantiles.

    Example:
        >>> float(Quantile(quantiles=[0.25])(ops.array([3.0]), ops.array([[1.0]])))
        0.5
    """

    quantiles: Sequence[float]

    def call(self, y_true: Any, y_pred: Any) -> Any:
        if len(y_true.shape) < len(y_pred.shape):
            y_true = ops.expand_dims(y_true, -1)
        error = y_true - y_pred
        levels = ops.convert_to_tensor(self.quantiles, error.dtype)
        return ops.mean(ops.maximum(levels * error, (levels - 1) * error), -1)


class Triplet(_Own):
    """The batch-hard triplet loss.

    Example:
        >>> float(Triplet(margin=1.0)(ops.array([0, 0, 1]), ops.array([[0.0], [1.0], [1.5]])))
        1.0
    """

    margin: float

    def call(self, y_true: Any, y_pred: Any) -> Any:
        labels = ops.reshape(y_true, (-1,))
        squared = ops.sum(ops.square(ops.expand_dims(y_pred, 0) - ops.expand_dims(y_pred, 1)), -1)
        # The gradient of the square root at 0 is infinite.
        distance = ops.where(squared > 0, ops.sqrt(ops.where(squared > 0, squared, 1.0)), 0.0)
        same = ops.equal(ops.expand_dims(labels, 0), ops.expand_dims(labels, 1))
        other = ops.logical_not(ops.eye(ops.shape(labels)[0], dtype="bool"))
        positive = ops.logical_and(same, other)
        farthest = ops.max(ops.where(positive, distance, 0.0), 1)
        nearest = ops.min(ops.where(same, 1e9, distance), 1)
        counted = ops.cast(ops.logical_and(ops.any(positive, 1), ops.any(ops.logical_not(same), 1)), distance.dtype)
        losses = ops.maximum(farthest - nearest + self.margin, 0.0) * counted
        return losses / ops.maximum(ops.mean(counted), 1e-7)


class ContrastivePairs(_Own):
    """Hadsell's loss of distances.

    Example:
        >>> float(ContrastivePairs(margin=1.0)(ops.array([0.0]), ops.array([0.25])))
        0.5625
    """

    margin: float

    def call(self, y_true: Any, y_pred: Any) -> Any:
        losses = y_true * ops.square(y_pred) + (1 - y_true) * ops.square(ops.maximum(self.margin - y_pred, 0.0))
        return ops.mean(losses, -1) if len(losses.shape) > 1 else losses


class _OfBoxes(_Own):
    """A loss of boxes; 0 where the target is not a valid box."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        kept = are_valid(y_true)
        # Targets without an area would divide by 0.
        target = ops.where(kept[..., None], y_true, ops.convert_to_tensor([0, 0, 1, 1], y_pred.dtype))
        return ops.where(kept, self.of(target, y_pred), 0.0)

    def of(self, target: Any, output: Any) -> Any:
        """The loss of boxes whose targets are valid."""
        raise NotImplementedError


class IoU(_OfBoxes):
    """The part of the union that the intersection does not cover.

    Example:
        >>> float(IoU()(ops.array([[0.0, 0, 4, 4]]), ops.array([[0.0, 0, 4, 2]])))
        0.5
    """

    def of(self, target: Any, output: Any) -> Any:
        both, whole = _areas(target, output)
        return 1 - both / whole


class GIoU(_OfBoxes):
    """The loss of the generalized intersection over union.

    Example:
        >>> float(GIoU()(ops.array([[0.0, 0, 1, 1]]), ops.array([[3.0, 0, 4, 1]])))  # half of the enclosing box is empty
        1.5
    """

    def of(self, target: Any, output: Any) -> Any:
        both, whole = _areas(target, output)
        width, height = _enclosing(target, output)
        around = width * height
        return 1 - both / whole + (around - whole) / around


class CIoU(_OfBoxes):
    """The complete intersection over union loss.

    Example:
        >>> float(CIoU()(ops.array([[0.0, 0, 2, 2]]), ops.array([[2.0, 0, 4, 2]])))  # centers 2 apart, a diagonal of √20
        1.2000000476837158
    """

    def of(self, target: Any, output: Any) -> Any:
        both, whole = _areas(target, output)
        missed = 1 - both / whole
        width, height = _enclosing(target, output)
        (x, y, w, h), (other_x, other_y, other_w, other_h) = _centers(target), _centers(output)
        apart = (ops.square(x - other_x) + ops.square(y - other_y)) / (ops.square(width) + ops.square(height))
        # The ratio of a box without an area is that of a tiny box, so that its gradient is finite.
        slope = ops.arctan2(ops.maximum(other_w, SMALLEST), ops.maximum(other_h, SMALLEST))
        ratio = 4 / math.pi**2 * ops.square(ops.arctan2(w, h) - slope)
        factor = ops.stop_gradient(ratio / ops.maximum(missed + ratio, 1e-7))
        return missed + apart + factor * ratio


def _areas(target: Any, output: Any) -> tuple[Any, Any]:
    """The areas of the intersection and the union; that of an output that is not a valid box is 0."""
    a, b = edges(target), edges(output)
    width = ops.minimum(a[2], b[2]) - ops.maximum(a[0], b[0])
    height = ops.minimum(a[3], b[3]) - ops.maximum(a[1], b[1])
    both = ops.maximum(width, 0) * ops.maximum(height, 0)
    own = ops.maximum(b[2] - b[0], 0) * ops.maximum(b[3] - b[1], 0)
    return both, area(target) + own - both


def _enclosing(target: Any, output: Any) -> tuple[Any, Any]:
    """Width and height of the smallest box that contains both."""
    a, b = edges(target), edges(output)
    return ops.maximum(a[2], b[2]) - ops.minimum(a[0], b[0]), ops.maximum(a[3], b[3]) - ops.minimum(a[1], b[1])


def _centers(boxes: Any) -> tuple[Any, Any, Any, Any]:
    """Centers, widths and heights."""
    left, top, right, bottom = edges(boxes)
    return (left + right) / 2, (top + bottom) / 2, right - left, bottom - top


def log_gamma(x: Any) -> Any:
    """The logarithm of the gamma function of positive numbers, by Stirling's series after shifting the argument by 6.

    Example:
        >>> [round(float(log_gamma(ops.convert_to_tensor(x))), 4) for x in (0.5, 5.0, 100.0)]
        [0.5724, 3.1781, 359.1342]
    """
    shifted = x + 6
    series = (shifted - 0.5) * ops.log(shifted) - shifted + 0.5 * math.log(2 * math.pi)
    series = series + 1 / (12 * shifted) - 1 / (360 * shifted**3) + 1 / (1260 * shifted**5)
    return series - ops.log(x * (x + 1) * (x + 2)) - ops.log((x + 3) * (x + 4) * (x + 5))
