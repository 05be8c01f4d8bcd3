"""Conversion of predictions to the units of the data: the inverse of a target's transforms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data.kinds import DataError
from nnspec.data.recipe import steps_of
from nnspec.data.transforms.images import resize, rgb
from nnspec.data.transforms.numbers import impute, rescale, standardize
from nnspec.data.transforms.text import pad
from nnspec.diagnostics import NnspecError

if TYPE_CHECKING:
    from nnspec.data.per_series import RowSeries

_FAR = 1000
"""The ratio of offset to scale above which float32 loses too much precision."""

_UNCHANGED = (impute, pad, resize, rgb)
"""Transforms that do not change the unit."""


@dataclass(frozen=True)
class Units:
    """The affine map from what a model predicts to the units of the data: ``value * scale + offset``.

    Attributes:
        scale: The factor: a number, or an array that broadcasts against a row's value; the first axis is the series, if any.
        offset: The offset, with the same shape.
        labels: The labels of the series; empty if all rows have the same scale and offset.
    """

    scale: NDArray[np.float64]
    offset: NDArray[np.float64]
    labels: tuple[tuple[str, ...], ...] = ()

    @property
    def is_far(self) -> bool:
        """Whether the offset is so large that float64 is required."""
        return bool((np.abs(self.offset) > _FAR * np.abs(self.scale)).any())

    def to_data(self, values: NDArray[Any], series: RowSeries | None = None) -> NDArray[np.float64]:
        """Convert values to the units of the data.

        Args:
            values: Predictions or training targets, (rows, …).
            series: The series of each row, if the units differ between series.

        Raises:
            DataError: If a series was not in the training data.
        """
        if not self.labels:
            return values * self.scale + self.offset
        if series is None:
            reason = "the units differ between series, but the series of the rows are unknown"
            raise DataError(
                reason, help="read the data with `series: {by: …}`, or add the columns that identify the series of each row"
            )
        indices = series.indices(self.labels)
        # A single number per row applies to all values of the row.
        scale, offset = (
            own[indices].reshape(-1, *own.shape[1:] or [1] * (values.ndim - 1)) for own in (self.scale, self.offset)
        )
        made: NDArray[np.float64] = values * scale + offset
        return made

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON values, for a model's metadata."""
        return {"scale": self.scale.tolist(), "offset": self.offset.tolist(), "labels": [list(label) for label in self.labels]}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Units:
        """Read the result of [`as_json`][].

        Raises:
            ValueError: If it is invalid.
        """
        scale, offset = (np.asarray(values[key], np.float64) for key in ("scale", "offset"))
        labels = tuple(tuple(map(str, label)) for label in values["labels"])
        if scale.shape != offset.shape or (labels and len(scale) != len(labels)):
            raise ValueError("scale, offset and labels have different lengths")
        return cls(scale, offset, labels)


def in_units(
    outputs: Mapping[str, NDArray[Any]], units: Mapping[str, Units], series: RowSeries | None = None
) -> dict[str, NDArray[Any]]:
    """Convert outputs to the units of the data, as float32, or as float64 if float32 loses too much precision.

    Args:
        outputs: The predictions by output, (rows, …).
        units: The units of the outputs that need a conversion.
        series: The series of each row, if there are several.

    Raises:
        NnspecError: If the units differ between series, and the series of a row is unknown.
    """
    found = dict(outputs)
    for name, own in units.items():
        if name in found:
            try:
                found[name] = own.to_data(found[name], series).astype("float64" if own.is_far else "float32")
            except DataError as error:
                raise NnspecError(f"{error.message}\n  = help: {error.help}") from None
    return found


def units_of(steps: Sequence[Mapping[str, Any]], shape: Sequence[int | None]) -> Units | None:
    """Return the inverse of the transforms of a numeric target.

    Args:
        steps: The transforms, in order, each with its name, arguments and fitted state.
        shape: The shape of one predicted value; None for free sizes.

    Returns:
        The units; None if they are those of the data, or if a transform has no inverse, such as those of classes and text.

    Example:
        >>> step = {"transform": "standardize", "arguments": {"axis": None}, "learned": {"mean": 50.0, "std": 4.0}}
        >>> units_of([step], ()).to_data(np.array([0.0, 0.5, -1.0])).tolist()
        [50.0, 52.0, 46.0]
    """
    known = steps_of({"transforms": steps})
    series = next((step.learned["series"] for step in known if step.transform.for_each_series), None)
    labels = tuple(tuple(map(str, label)) for label in series) if series is not None else ()
    found = []
    for index in range(len(labels) or 1):
        scale: NDArray[np.float64] | np.float64 = np.float64(1)
        offset: NDArray[np.float64] | np.float64 = np.float64(0)
        deviation: NDArray[np.float64] | np.float64
        mean: NDArray[np.float64] | np.float64
        for step in known:
            own = step.learned["each"][index] if step.transform.for_each_series else step.learned
            if isinstance(step.transform, standardize):
                deviation, mean = (_broadcastable(step.transform, own[name], shape) for name in ("std", "mean"))
            elif isinstance(step.transform, rescale) and step.transform.scale:
                deviation, mean = (
                    np.float64(1 / step.transform.scale),
                    np.float64(-step.transform.offset / step.transform.scale),
                )
            elif isinstance(step.transform, _UNCHANGED):
                continue
            else:
                return None
            # Transforms are inverted in reverse order: x = y * deviation + mean is substituted into the earlier ones.
            scale, offset = scale * deviation, scale * mean + offset
        found.append((scale, offset))
    scales, offsets = (np.stack(np.broadcast_arrays(*part)) for part in zip(*found, strict=True))
    scales, offsets = np.broadcast_arrays(scales, offsets)
    if not labels and (scales == 1).all() and (offsets == 0).all():
        return None
    return Units(scales, offsets, labels) if labels else Units(scales[0], offsets[0])


def _broadcastable(transform: standardize, statistic: Any, shape: Sequence[int | None]) -> NDArray[np.float64]:
    """Reshape a statistic so that it broadcasts against a predicted value.

    The value may have an additional last axis of size 1, or lack one that the column had.
    """
    values = np.asarray(statistic, np.float64)
    if values.size == 1 or transform.axis is None:
        return values.reshape(())
    rank = len(shape)
    candidates = [transform.axis] if transform.axis >= 0 else [transform.axis + rank + shift for shift in (0, -1, 1)]
    for candidate in candidates:
        if 0 <= candidate < rank and shape[candidate] in (None, values.size):
            return values.reshape([-1 if axis == candidate else 1 for axis in range(rank)])
    raise ValueError(f"{values.size} statistics do not broadcast against a value of shape {tuple(shape)}")
