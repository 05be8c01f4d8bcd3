"""Matching of anchors with boxes, and sampling of rows, for which Keras has no layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from nnspec.keras_backend.layers.boxes import OfBoxes, are_valid, area, edges, overlap
from nnspec.layers.matching import BACKGROUND, IGNORED, SAME_SHAPE

_LOWEST = -float("inf")


@keras.saving.register_keras_serializable("nnspec")
class MatchBoxes(OfBoxes):
    """Finds the box of each anchor; see ``nnspec.layers.matching``.

    The boxes of an example are compared one after another with all anchors, so that the memory needed does not depend on their
    number.

    Args:
        given: The names of the inputs, in order.
        by: ``iou``, ``center`` or ``grid``.
        foreground: The smallest overlap of a match.
        background: The smallest overlap of an ignored anchor.
        keep_best: Whether each box is matched with its best anchor.
        scales: The smallest and the largest distance of a box's farthest edge, in sizes of the anchor.
        radius: The largest distance from a box's center, in sizes of the anchor.
        **arguments: Arguments of Keras's ``Layer``.
    """

    def __init__(
        self,
        given: Sequence[str] = ("anchors", "boxes"),
        by: str = "iou",
        foreground: float = 0.5,
        background: float = 0.4,
        keep_best: bool = True,
        scales: Sequence[float] | None = None,
        radius: float | None = None,
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        self.given, self.by = list(given), by
        self.foreground, self.background, self.keep_best = foreground, background, keep_best
        self.scales, self.radius = None if scales is None else list(scales), radius

    def call(self, inputs: Any) -> tuple[Any, Any, Any, Any]:
        named = {name: ops.stop_gradient(tensor) for name, tensor in zip(self.given, inputs, strict=True)}
        anchors, boxes = named["anchors"], named["boxes"]
        examples, rows = ops.shape(anchors)[0], ops.shape(anchors)[1]
        count = ops.shape(boxes)[1]
        crowd = named.get("crowd")
        is_crowd = ops.zeros((examples, count), "bool") if crowd is None else ops.cast(crowd, "int32") == 1
        counts = ops.logical_and(are_valid(boxes), ops.logical_not(is_crowd))
        every = ops.arange(rows, dtype="int32")[None]
        limits = self._limits(anchors)

        def step(row: Any, state: tuple[Any, ...]) -> tuple[Any, ...]:
            value, best, overlaps, claim, claimed, covered = state
            box = ops.take(boxes, ops.reshape(row, (1,)), axis=1)
            is_counted, is_in_crowd = (ops.take(flags, ops.reshape(row, (1,)), axis=1) for flags in (counts, is_crowd))
            shared = overlap(anchors, box)
            own = shared if self.by != "center" else self._inside(anchors, box, limits)
            own = ops.where(is_counted, own, _LOWEST)
            better = own > value
            value, best = ops.where(better, own, value), ops.where(better, row, best)
            overlaps = ops.maximum(overlaps, ops.where(is_counted, shared, 0))
            if self.by == "grid" or (self.by == "iou" and self.keep_best):
                place, worth = self._best_anchor(anchors, box, own)
                wins = ops.logical_and(every == place, ops.logical_and(worth > claim, is_counted))
                claim, claimed = ops.where(wins, worth, claim), ops.where(wins, row, claimed)
            if crowd is not None:
                covered = ops.maximum(covered, ops.where(is_in_crowd, _covered(anchors, box), 0))
            return value, best, overlaps, claim, claimed, covered

        zeros = ops.zeros((examples, rows), anchors.dtype)
        nothing = ops.full((examples, rows), -1, dtype="int32")
        state = (zeros + _LOWEST, nothing, zeros, zeros, nothing, zeros)
        value, best, overlaps, _, claimed, covered = ops.fori_loop(0, count, step, state)
        return self._outputs(named, self._found(value, best, claimed), overlaps, covered)

    def _found(self, value: Any, best: Any, claimed: Any) -> Any:
        """The row that each anchor is matched with, or −1."""
        if self.by == "grid":
            return claimed
        least = self.foreground if self.by == "iou" else _LOWEST
        found = ops.where(value >= least if self.by == "iou" else value > least, best, -1)
        return ops.where(claimed >= 0, claimed, found)

    def _outputs(self, named: dict[str, Any], found: Any, overlaps: Any, covered: Any) -> tuple[Any, Any, Any, Any]:
        boxes = named["boxes"]
        kept = are_valid(named["anchors"])
        found = ops.where(kept, found, -1)
        matched = found >= 0
        place = ops.maximum(found, 0)
        label = ops.zeros_like(found)
        if "class" in named:
            label = ops.take_along_axis(ops.cast(named["class"], "int32"), place, axis=1)
        left_out = ops.logical_or(ops.logical_not(kept), covered >= 0.5)
        if self.by != "center":
            left_out = ops.logical_or(left_out, overlaps >= self.background)
        label = ops.where(matched, label, ops.where(left_out, IGNORED, BACKGROUND))
        rows = ops.take_along_axis(boxes, place[..., None], axis=1)
        weight = ops.where(label == IGNORED, 0.0, 1.0)
        return ops.where(matched[..., None], rows, -1), label, found, ops.cast(weight, boxes.dtype)

    def _limits(self, anchors: Any) -> tuple[Any, Any, Any]:
        """The size of each anchor, and the bounds of the distance from the farthest edge of a box."""
        kept = are_valid(anchors)
        size = ops.sqrt(ops.where(kept, area(anchors), 1))
        if self.by != "center" or self.scales is None:
            return size, None, None
        smallest = ops.min(ops.where(kept, size, -_LOWEST), axis=1, keepdims=True)
        largest = ops.max(ops.where(kept, size, 0), axis=1, keepdims=True)
        low, high = self.scales
        slack = 1 + SAME_SHAPE
        return (
            size,
            ops.where(size <= smallest * slack, _LOWEST, size * low),
            ops.where(size * slack >= largest, -_LOWEST, size * high),
        )

    def _inside(self, anchors: Any, box: Any, limits: tuple[Any, Any, Any]) -> Any:
        """Minus the area of a box where the center of an anchor is inside and the box has a suitable size."""
        size, low, high = limits
        x, y = _center(anchors)
        left, top, right, bottom = edges(box)
        away = (x - left, y - top, right - x, bottom - y)
        nearest, farthest = away[0], away[0]
        for each in away[1:]:
            nearest, farthest = ops.minimum(nearest, each), ops.maximum(farthest, each)
        fits = nearest > 0
        if low is not None:
            fits = ops.logical_and(fits, ops.logical_and(farthest > low, farthest <= high))
        if self.radius is not None:
            fits = ops.logical_and(fits, _distance(anchors, box) <= size * self.radius)
        return ops.where(fits, -area(box), _LOWEST)

    def _best_anchor(self, anchors: Any, box: Any, own: Any) -> tuple[Any, Any]:
        """The anchor that a box chooses, and how good it is."""
        if self.by == "iou":
            return ops.cast(ops.argmax(own, axis=1), "int32")[:, None], ops.max(own, axis=1, keepdims=True)
        alike = overlap(_at_origin(anchors), _at_origin(box))
        most = ops.max(alike, axis=1, keepdims=True)
        away = ops.where(alike >= most - SAME_SHAPE, _distance(anchors, box), -_LOWEST)
        return ops.cast(ops.argmin(away, axis=1), "int32")[:, None], most

    def compute_output_spec(self, inputs: Any) -> Any:
        lead = inputs[self.given.index("anchors")].shape[:2]
        specs = (((*lead, 4), self.compute_dtype), (lead, "int32"), (lead, "int32"), (lead, self.compute_dtype))
        return tuple(keras.KerasTensor(shape, dtype=dtype) for shape, dtype in specs)

    def get_config(self) -> dict[str, Any]:
        names = ("given", "by", "foreground", "background", "keep_best", "scales", "radius")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def _center(boxes: Any) -> tuple[Any, Any]:
    left, top, right, bottom = edges(boxes)
    return left + (right - left) / 2, top + (bottom - top) / 2


def _distance(a: Any, b: Any) -> Any:
    """The larger distance of the centers of boxes along an axis."""
    (x, y), (other_x, other_y) = _center(a), _center(b)
    return ops.maximum(ops.abs(x - other_x), ops.abs(y - other_y))


def _at_origin(boxes: Any) -> Any:
    """Boxes moved to the origin; those that are not valid have no area."""
    size = boxes[..., 2:] - boxes[..., :2]
    return ops.concatenate([ops.zeros_like(size), size], axis=-1)


def _covered(boxes: Any, region: Any) -> Any:
    """The share of the area of each box that is in a region."""
    left, top, right, bottom = edges(boxes)
    x1, y1, x2, y2 = edges(region)
    width = ops.minimum(right, x2) - ops.maximum(left, x1)
    height = ops.minimum(bottom, y2) - ops.maximum(top, y1)
    kept = are_valid(boxes)
    return ops.where(kept, ops.maximum(width, 0) * ops.maximum(height, 0) / ops.where(kept, area(boxes), 1), 0)


@keras.saving.register_keras_serializable("nnspec")
class SampleProposals(OfBoxes):
    """Chooses rows with a share of positive ones, given ``[boxes, class]``; see ``nnspec.layers.matching``.

    Args:
        count: The number of rows.
        most_positive: The largest number of positive rows.
        seed: The seed of the choices.
        **arguments: Arguments of Keras's ``Layer``.
    """

    def __init__(self, count: int = 128, most_positive: int = 32, seed: int | None = None, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.count, self.most_positive, self.seed = count, most_positive, seed
        self.generator = keras.random.SeedGenerator(seed)

    def call(self, inputs: Any, training: bool = False) -> tuple[Any, Any, Any]:
        boxes, label = ops.stop_gradient(inputs[0]), ops.cast(inputs[1], "int32")
        rows = ops.shape(label)[1]
        order = keras.random.uniform(ops.shape(label), seed=self.generator) if training else ops.zeros(ops.shape(label))
        positive, negative = label >= 0, label == BACKGROUND
        # Positive rows beyond the largest number are the last of all; every key of a kind is in a range of its own.
        rank = _rank(ops.where(positive, order, 2.0))
        first = ops.logical_and(positive, rank < self.most_positive)
        left = ops.logical_not(ops.logical_or(first, negative))
        key = ops.where(first, order, ops.where(negative, 2.0 + order, 4.0))
        missing = ops.maximum(self.count - rows, 0)
        key = ops.pad(key, ((0, 0), (0, missing)), constant_values=4.0)
        left = ops.pad(ops.cast(left, "int32"), ((0, 0), (0, missing)), constant_values=1)
        place = ops.cast(_order(key)[:, : self.count], "int32")
        chosen = ops.take_along_axis(left, place, axis=1) == 0
        place = ops.where(chosen, place, 0)
        found = ops.take_along_axis(boxes, place[..., None], axis=1)
        return (
            ops.where(chosen, place, -1),
            ops.where(chosen[..., None], found, -1),
            ops.where(chosen, ops.take_along_axis(label, place, axis=1), IGNORED),
        )

    def compute_output_spec(self, inputs: Any, training: bool = False) -> Any:
        del training
        lead = (inputs[0].shape[0], self.count)
        specs = ((lead, "int32"), ((*lead, 4), self.compute_dtype), (lead, "int32"))
        return tuple(keras.KerasTensor(shape, dtype=dtype) for shape, dtype in specs)

    def get_config(self) -> dict[str, Any]:
        own = {"count": self.count, "most_positive": self.most_positive, "seed": self.seed}
        return {**super().get_config(), **own}


def _order(keys: Any) -> Any:
    """The places of keys in ascending order; of equal ones, the first comes first."""
    return ops.argsort(keys, axis=1)


def _rank(keys: Any) -> Any:
    """The number of keys before each one in ascending order."""
    return ops.argsort(_order(keys), axis=1)
