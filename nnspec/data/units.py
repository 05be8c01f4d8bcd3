"""The way back from a model's numbers to the units of the data: the inverse of a target's transforms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data.kinds import DataError
from nnspec.data.recipe import steps_of
from nnspec.data.transforms.images import resize
from nnspec.data.transforms.numbers import impute, rescale, standardize
from nnspec.data.transforms.text import pad
from nnspec.diagnostics import NnspecError

if TYPE_CHECKING:
    from nnspec.data.per_series import RowSeries

__all__ = ["Units", "in_units", "units_of"]

_FAR = 1000
"""From how many scales on an offset is far: of what lies so far from 0, float32 keeps too little of how it varies."""

_UNCHANGED = (impute, pad, resize)
"""Transforms that leave the unit as it is."""


@dataclass(frozen=True)
class Units:
    """The affine map from what a model predicts to the units of the data: ``value * scale + offset``.

    Attributes:
        scale: The factor, with an axis for each of a row's, or a single number; a first axis for the series, if there are any.
        offset: What is added, of the same form.
        labels: The series that have a scale and an offset of their own; none if all rows have the same.
    """

    scale: NDArray[np.float64]
    offset: NDArray[np.float64]
    labels: tuple[tuple[str, ...], ...] = ()

    @property
    def is_far(self) -> bool:
        """Whether the values lie so far from 0 that they need float64."""
        return bool((np.abs(self.offset) > _FAR * np.abs(self.scale)).any())

    def to_data(self, values: NDArray[Any], series: RowSeries | None = None) -> NDArray[np.float64]:
        """Values in the units of the data.

        Args:
            values: What a model predicted or was trained on, rows first.
            series: The series of each row, if the units differ between them.

        Raises:
            DataError: If a row is of a series that was not trained on.
        """
        if not self.labels:
            return values * self.scale + self.offset
        if series is None:
            reason = "the units of the data differ between series, and the data do not say which series a row is of"
            raise DataError(
                reason, help="read them with `series: {by: …}`, or give the columns that name the series of each row"
            )
        places = series.places(self.labels)
        # One number for a row goes with all of its values.
        scale, offset = (
            own[places].reshape(-1, *own.shape[1:] or [1] * (values.ndim - 1)) for own in (self.scale, self.offset)
        )
        made: NDArray[np.float64] = values * scale + offset
        return made

    def as_json(self) -> dict[str, Any]:
        """The same as plain values, for a model's metadata."""
        return {"scale": self.scale.tolist(), "offset": self.offset.tolist(), "labels": [list(label) for label in self.labels]}

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Units:
        """The units that [`as_json`][] wrote.

        Raises:
            ValueError: If that is none.
        """
        scale, offset = (np.asarray(said[key], np.float64) for key in ("scale", "offset"))
        labels = tuple(tuple(map(str, label)) for label in said["labels"])
        if scale.shape != offset.shape or (labels and len(scale) != len(labels)):
            raise ValueError("scale, offset and labels do not go together")
        return cls(scale, offset, labels)


def in_units(
    outputs: Mapping[str, NDArray[Any]], units: Mapping[str, Units], series: RowSeries | None = None
) -> dict[str, NDArray[Any]]:
    """Outputs in the units of the data: float32, unless that keeps too little of how they vary.

    Args:
        outputs: What a model predicted, by output, rows first.
        units: The units of those that need a way back.
        series: The series of each row, if the data have several.

    Raises:
        NnspecError: If the units differ between series, and a row's is not known.
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
    """The inverse of the transforms of a target of numbers.

    Args:
        steps: The transforms, in order, each with its name, its arguments and what it learned.
        shape: The shape of one predicted value; None for a size that is free.

    Returns:
        None if the model predicts in the units of the data, or if a transform has no inverse: those of classes and texts.

    Example:
        >>> step = {"transform": "standardize", "arguments": {"axis": None}, "learned": {"mean": 50.0, "std": 4.0}}
        >>> units_of([step], ()).to_data(np.array([0.0, 0.5, -1.0])).tolist()
        [50.0, 52.0, 46.0]
    """
    known = steps_of({"transforms": steps})
    series = next((step.learned["series"] for step in known if step.transform.for_each_series), None)
    labels = tuple(tuple(map(str, label)) for label in series) if series is not None else ()
    found = []
    for place in range(len(labels) or 1):
        scale: NDArray[np.float64] | np.float64 = np.float64(1)
        offset: NDArray[np.float64] | np.float64 = np.float64(0)
        deviation: NDArray[np.float64] | np.float64
        mean: NDArray[np.float64] | np.float64
        for step in known:
            own = step.learned["each"][place] if step.transform.for_each_series else step.learned
            if isinstance(step.transform, standardize):
                deviation, mean = (_placed(step.transform, own[name], shape) for name in ("std", "mean"))
            elif isinstance(step.transform, rescale) and step.transform.scale:
                deviation, mean = (
                    np.float64(1 / step.transform.scale),
                    np.float64(-step.transform.offset / step.transform.scale),
                )
            elif isinstance(step.transform, _UNCHANGED):
                continue
            else:
                return None
            # The last transform is undone first: x = (y * deviation + mean), put into what came before.
            scale, offset = scale * deviation, scale * mean + offset
        found.append((scale, offset))
    scales, offsets = (np.stack(np.broadcast_arrays(*part)) for part in zip(*found, strict=True))
    scales, offsets = np.broadcast_arrays(scales, offsets)
    if not labels and (scales == 1).all() and (offsets == 0).all():
        return None
    return Units(scales, offsets, labels) if labels else Units(scales[0], offsets[0])


def _placed(transform: standardize, statistic: Any, shape: Sequence[int | None]) -> NDArray[np.float64]:
    """A statistic, so that it goes with a predicted value: with one element along each axis that it has none for.

    The value may have a last axis of 1 that the column did not have, or lack one that it had.
    """
    values = np.asarray(statistic, np.float64)
    if values.size == 1 or transform.axis is None:
        return values.reshape(())
    rank = len(shape)
    places = [transform.axis] if transform.axis >= 0 else [transform.axis + rank + more for more in (0, -1, 1)]
    for place in places:
        if 0 <= place < rank and shape[place] in (None, values.size):
            return values.reshape([-1 if axis == place else 1 for axis in range(rank)])
    raise ValueError(f"{values.size} statistics do not go with a value of the shape {tuple(shape)}")
