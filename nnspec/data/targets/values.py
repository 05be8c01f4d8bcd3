"""The values of targets and weights, checked and converted for the loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from nnspec.data import problems as d
from nnspec.data.cells import Cells, Reported, Values, no_numbers, refuse_shape
from nnspec.data.check_weights import weight_misfit
from nnspec.data.kinds import Column
from nnspec.data.plan import Feed, Need
from nnspec.data.readers.base import Table
from nnspec.data.shape_checks import fits
from nnspec.data.transforms.classes import label_encode
from nnspec.data.transforms.text import pad
from nnspec.diagnostics import Diagnostic

_IGNORING = "SparseCategoricalCrossentropy"
"""The loss that can ignore a class."""


def read_target(
    values: Values, table: Table, feed: Feed, need: Need, shape: tuple[int | None, ...], problems: list[Diagnostic]
) -> Values | None:
    """Convert values to the target that a loss requires; None if a value is invalid.

    Args:
        values: The values after their transforms.
        table: The table they were read from.
        feed: The feed of the target.
        need: What the loss requires.
        shape: The shape of one target.
        problems: Problems are appended here.
    """
    cells = Cells(table, feed, problems)
    if not fits(values.shape[1:], shape):
        refuse_shape(values, feed, f"the target of `{need.loss}` for `{feed.name}`", Column(shape).shape_text, problems)
        return None
    if values.dtype.kind == "b":
        values = values.astype(np.float32)
    try:
        made = _CHECKS.get(need.kind, _number)(values, need, cells)
    except Reported:
        return None
    return made.reshape(made.shape[: len(shape) + 1] + (1,) * (len(shape) + 1 - made.ndim))


def _class(values: Values, need: Need, cells: Cells) -> Values:
    labels = _labels(values, need, cells, "a class index, which must be an integer")
    size = need.output.shape[need.axis]
    if isinstance(size, int):
        bad = (labels < 0) | (labels >= size)
        if need.ignore is not None:
            bad &= labels != need.ignore
        if bad.any():
            help = _help_of_range(labels, size, need, cells)
            cells.refuse(d.LabelOutOfRange, bad, labels, help=help, name=cells.feed.name, classes=size, last=size - 1)
    return labels


def _help_of_range(labels: Values, size: int, need: Need, cells: Cells) -> str:
    found = np.unique(labels)
    outside = found[(found < 0) | (found >= size)]
    if need.ignore is not None:
        outside = outside[outside != need.ignore]
    inside = found[(found >= 0) & (found < size)]
    high = int(found.max())
    if any(isinstance(transform, label_encode) for transform in cells.feed.transforms):
        return f"give the layer {high + 1} units, the number of classes that `label_encode` found"
    if found.min() == 1 and high == size:
        return "the classes are numbered from 1: put `label_encode` under `transform`"
    [other] = outside.tolist() if len(outside) == 1 else [None]
    is_void = other is not None and (other < 0 or other > size) and len(inside) > 1
    if is_void and need.ignore is None:
        loss = f"`{_IGNORING}: {{ignore_class: {other}}}`"
        if need.loss == _IGNORING:
            return f"if {other} marks positions to ignore, set `ignore_class` of the loss: {loss}"
        return f"if {other} marks positions to ignore, use the loss {loss}"
    if len(found) <= size:
        return "put `label_encode` under `transform`, which numbers the classes from 0"
    if found.min() >= 0 and high + 1 == len(found):
        return f"give the layer {high + 1} units, or put `label_encode` under `transform`"
    if found.min() >= 0 and high + 1 <= 2 * len(found):
        return f"give the layer {high + 1} units, or put `label_encode` under `transform` and give it {len(found)}"
    return f"put `label_encode` under `transform`, and give the layer {len(found)} units"


def _labels(values: Values, need: Need, cells: Cells, wanted: str = "an integer") -> Values:
    del need
    bad = np.zeros(values.shape, bool) if values.dtype.kind in "iu" else values != np.floor(values)
    bad |= np.abs(values) > np.iinfo(np.int32).max
    help = "put `label_encode` under `transform` if the values are classes"
    cells.refuse_any(d.NotWhole, bad, values, wanted=wanted, help=help)
    return values.astype(np.int32)


def _sequence(values: Values, need: Need, cells: Cells) -> Values:
    """Labels without alignment: class 0 is the blank, and a blank must be between two equal labels."""
    labels = _labels(values, need, cells)
    *_, frames, classes = (None, *need.output.shape)
    if isinstance(classes, int):
        help = f"give the output {int(labels.max(initial=0)) + 1} classes, with the blank"
        bad = (labels < 0) | (labels >= classes)
        cells.refuse_any(d.LabelOutOfRange, bad, labels, help=help, name=cells.feed.name, classes=classes, last=classes - 1)
    if isinstance(frames, int):
        repeated = (labels[:, 1:] == labels[:, :-1]) & (labels[:, 1:] != 0)
        count, wanted = (labels != 0).sum(1), (labels != 0).sum(1) + repeated.sum(1)
        bad = wanted > frames
        if bad.any():
            row = int(bad.argmax())
            facts = {"labels": str(count[row]), "wanted": str(wanted[row]), "frames": str(frames), "name": cells.feed.name}
            cells.refuse(d.TooFewFrames, bad, None, help="reduce the strides and pooling along the frames", **facts)
    return labels


def _number(values: Values, need: Need, cells: Cells) -> Values:
    del need
    with np.errstate(over="ignore"):
        made = values.astype(np.float32, copy=False)
    help = "put `standardize` under `transform`: the maximum of float32 is 3.4e38"
    cells.refuse_any(d.NotFinite, ~np.isfinite(made), values, help=help)
    return made


def _bounded(low: float, high: float, wanted: str) -> Callable[[Values, Need, Cells], Values]:
    def check(values: Values, need: Need, cells: Cells) -> Values:
        made = _number(values, need, cells)
        help = _help_of_bounds(made, low, high, cells)
        cells.refuse_any(d.BadTargetValue, (made < low) | (made > high), made, wanted=wanted, loss=need.loss, help=help)
        return made

    return check


def _help_of_bounds(values: Values, low: float, high: float, cells: Cells) -> str:
    if high != 1:
        return "use a loss for any numbers, such as `MeanSquaredError`"
    found = np.unique(values)[:3].tolist() if values.size else []
    first = not any(isinstance(transform, label_encode) for transform in cells.feed.transforms)
    if len(found) == 2 and first:
        return "put `label_encode` under `transform`, which maps the two values to 0 and 1"
    if values.size and values.min() >= low and values.max() <= 255 and values.max() > 1 and not (values % 1).any():
        if values.max() > 50:
            return "put `rescale: 0.00392156862745098` under `transform`, which maps 0–255 to 0–1"
        return f"use `SparseCategoricalCrossentropy` and {int(values.max()) + 1} units for classes"
    return "use a loss for any numbers, such as `MeanSquaredError`, or values from 0 to 1"


def _distribution(values: Values, need: Need, cells: Cells) -> Values:
    made = _bounded(0, 1, "from 0 to 1")(values, need, cells)
    sums = made.sum(need.axis, keepdims=True)
    bad = np.abs(sums - 1) > 1e-3
    help = "use `one_hot`, or probabilities that sum to 1; for several classes per row, use `BinaryCrossentropy`"
    cells.refuse_any(d.BadTargetValue, bad, sums, wanted="1, the sum over the classes", loss=need.loss, help=help)
    return made


def _sign(values: Values, need: Need, cells: Cells) -> Values:
    made = _number(values, need, cells)
    bad = ~np.isin(made, (-1, 0, 1))
    help = "put `label_encode` under `transform`, which maps the two classes to 0 and 1" if len(np.unique(made)) == 2 else ""
    help = help or "use values -1 and 1, or another loss"
    cells.refuse_any(d.BadTargetValue, bad, made, wanted="−1 or 1, or 0 or 1", loss=need.loss, help=help)
    return made


_CHECKS: Mapping[str, Callable[[Values, Need, Cells], Values]] = {
    "class": _class,
    "label": _labels,
    "sequence": _sequence,
    "integer": _labels,
    "distribution": _distribution,
    "probability": _bounded(0, 1, "from 0 to 1"),
    "non_negative": _bounded(0, np.inf, "at least 0"),
    "sign": _sign,
}


def read_weight(
    table: Table, feed: Feed, need: Need, length: int | None, problems: list[Diagnostic]
) -> NDArray[np.float32] | None:
    """Read the loss weight of each row or position; None if one is invalid.

    Args:
        table: The table.
        feed: The feed of the target.
        need: What the loss requires.
        length: The length of the targets; None if they have no positions.
        problems: Problems are appended here.
    """
    assert feed.weight is not None
    values = table.read(feed.weight, slice(None))
    own = Feed(feed.name, (feed.weight,), False, (), None, feed.span, feed.path)
    cells = Cells(table, own, problems)
    try:
        if values.dtype == object and len(values) and np.ndim(values[0]) == 1 and length is not None:
            values = _padded(values, feed, length)
        if values.dtype == object:
            texts = {value for value in values if value is not None and not table.is_number(value)}
            help = table.mend(feed.weight, texts) or "name a column of numbers that are at least 0"
            cells.refuse(d.NotANumber, no_numbers(table, values), values, help=help)
        if (wrong := weight_misfit(own, need, Column(values.shape[1:]))) is not None:
            problems.append(wrong)
            return None
        help = "provide a finite number of at least 0 for each row"
        cells.refuse_any(d.BadWeight, ~np.isfinite(values) | (values < 0), values, help=help)
        cells.refuse_any(d.BadWeight, np.full(len(values), not values.any()), values, help="give some rows a weight above 0")
    except Reported:
        return None
    return values.astype(np.float32)


def _padded(values: Values, feed: Feed, length: int) -> Values:
    """Weights of rows of different lengths, padded with 0 where the target is padded."""
    own = next((transform for transform in feed.transforms if isinstance(transform, pad)), pad.model_validate({}))
    return own.model_copy(update={"value": 0.0}).apply(values, {"length": length})
