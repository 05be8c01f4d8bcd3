"""Forecasts of series: the past, the future and the prediction of each example, in the units of the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnspec.data.kinds import DataError, at_name, bare_name
from nnspec.data.plan import Feed
from nnspec.data.readers.base import Table
from nnspec.training.evaluation.predictions import NumberPredictions


@dataclass(frozen=True)
class Forecasts:
    """The forecasts of one output.

    Attributes:
        columns: The columns of the table that are forecast.
        past: What is known, (rows, window, columns).
        future: What follows, (rows, horizon, columns).
        predicted: What is predicted, of the shape of `future`.
        series: The index of the series of each row, (rows,).
        labels: The label of each series; of one series, an empty one.
        shape: The shape of the targets.
    """

    columns: tuple[str, ...]
    past: NDArray[np.float64]
    future: NDArray[np.float64]
    predicted: NDArray[np.float64]
    series: NDArray[np.int64]
    labels: tuple[str, ...]
    shape: tuple[int, ...]

    @property
    def last_values(self) -> NDArray[np.float64]:
        """The last known value of each example, with the shape of the targets."""
        return np.broadcast_to(self.past[:, -1:], self.future.shape).reshape(self.shape)


def forecasts_of(
    feeds: Mapping[str, Feed], table: Table | None, output: str, predictions: NumberPredictions, rows: NDArray[np.int64]
) -> Forecasts | None:
    """Reads the series that an output forecasts.

    Args:
        feeds: The feeds of the inputs and targets.
        table: The raw rows; None if they are not known.
        output: The output.
        predictions: Its predictions, in the units of the data.
        rows: The rows that are predicted.

    Returns:
        The forecasts; None if the data are no windows of a series, the output does not predict the future of columns that are
        inputs, or the data can no longer be read.
    """
    feed = feeds.get(f"targets.{output}")
    if feed is None or table is None or table.timeline is None:
        return None
    names = tuple(bare_name(column) for column in feed.columns)
    known = {bare_name(column) for place, own in feeds.items() if place.startswith("inputs.") for column in own.columns}
    if not known >= set(names):
        return None
    try:
        past, future = (
            np.stack([np.asarray(table.read(at_name(name, at), rows), np.float64) for name in names], -1)
            for at in ("past", "future")
        )
    except (DataError, KeyError, ValueError):  # files that changed, texts, or windows of another reader
        return None
    # The prediction is of the same values only if the target is the future, unchanged.
    if past.ndim != 3 or predictions.true.size != future.size:
        return None
    if not np.allclose(predictions.true.reshape(future.shape), future, rtol=1e-3, atol=1e-6, equal_nan=True):
        return None
    series = table.series if table.series is not None else np.zeros(len(table), np.int64)
    labels = tuple(", ".join(label) for label in table.series_labels or ((),))
    predicted = predictions.predicted.reshape(future.shape)
    return Forecasts(names, past, future, predicted, series[rows], labels, predictions.true.shape)
