"""How one example is shown: as a picture, as a line, or as the row of the data it is."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data.kinds import DataError
from nnspec.reports.elements import Html, number
from nnspec.reports.pictures import is_shown, picture, scaled
from nnspec.reports.plots import line
from nnspec.training.evaluation.evaluate import Evaluation

__all__ = ["columns_of", "image_input", "row_of", "shown", "table_of"]

_MOST_COLUMNS = 12
_MOST_STEPS = 400


def image_input(found: Evaluation) -> str | None:
    """The first input that is a picture or a series; None if there is none."""
    for name, array in found.examples.inputs.items():
        if array.dtype.kind in "fu" and (is_shown(array.shape[1:]) or _is_series(array.shape[1:])):
            return name
    return None


def _is_series(shape: tuple[int, ...]) -> bool:
    return len(shape) == 2 and shape[0] > 4 and shape[1] <= 8


def shown(found: Evaluation, name: str, positions: NDArray[np.int64], labels: list[str]) -> list[Html]:
    """Some examples of an input as pictures, or as lines.

    Args:
        found: The evaluation.
        name: The input.
        positions: Which of its examples.
        labels: What each is, for those who cannot see it.
    """
    values = found.examples.only(positions).batch(slice(None)).inputs[name]
    if is_shown(values.shape[1:]):
        return [picture(image, label) for image, label in zip(scaled(values), labels, strict=True)]
    step = -(-values.shape[1] // _MOST_STEPS)
    return [line(series[::step], label) for series, label in zip(values, labels, strict=True)]


def columns_of(found: Evaluation) -> list[str]:
    """The columns of the data that make the inputs, those whose values are single numbers or text."""
    table = table_of(found)
    feeds = (found.plan.data.feeds or {}) if found.plan.data else {}
    if table is None:
        return []
    named = [column for place, feed in feeds.items() if place.startswith("inputs.") for column in feed.columns]
    return [column for column in dict.fromkeys(named) if table.columns[column].shape == ()][:_MOST_COLUMNS]


def row_of(found: Evaluation, columns: list[str], positions: NDArray[np.int64]) -> list[list[str]]:
    """The values of some examples as they stand in the data, before any transform."""
    table = table_of(found)
    if table is None:
        return [[] for _ in positions]
    rows = found.examples.rows[positions]
    try:
        values = [table.read(column, rows) for column in columns]
    except DataError:
        return [[] for _ in positions]
    return [[_text(column[i]) for column in values] for i in range(len(rows))]


def table_of(found: Evaluation) -> Any:
    """The table that the examples are rows of; None if it cannot be read any more."""
    data = found.plan.data
    if data is None:
        return None
    source = data.sources.get(found.part) or data.sources["train"]
    try:
        return source.reader.open(source.files) if source.files is not None else None
    except DataError:
        return None


def _text(value: Any) -> str:
    if isinstance(value, np.generic):
        value = value.item()
    text = number(value)
    return text if len(text) <= 120 else text[:119] + "…"
