"""Examples as images, as line plots, or as rows of the data."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data.kinds import DataError
from nnspec.html_elements import Html
from nnspec.printable import number
from nnspec.reports.images import image_tag, is_image, scaled
from nnspec.reports.plots import series_plot
from nnspec.training.evaluation.evaluate import Evaluation

_MOST_COLUMNS = 12
_MOST_STEPS = 400


def image_input(found: Evaluation) -> str | None:
    """The first input that is an image or a series; None if there is none."""
    for name, array in found.examples.inputs.items():
        if array.dtype.kind in "fu" and (is_image(array.shape[1:]) or _is_series(array.shape[1:])):
            return name
    return None


def _is_series(shape: tuple[int, ...]) -> bool:
    return len(shape) == 2 and shape[0] > 4 and shape[1] <= 8


def draw_examples(found: Evaluation, name: str, positions: NDArray[np.int64], labels: list[str]) -> list[Html]:
    """Draws examples of an input as images or line plots.

    Args:
        found: The evaluation.
        name: The input.
        positions: The indices of the examples.
        labels: The alternative texts.
    """
    values = found.examples.only(positions).batch(slice(None)).inputs[name]
    if is_image(values.shape[1:]):
        return [image_tag(image, label) for image, label in zip(scaled(values), labels, strict=True)]
    step = -(-values.shape[1] // _MOST_STEPS)
    return [series_plot(series[::step], label) for series, label in zip(values, labels, strict=True)]


def columns_of(found: Evaluation) -> list[str]:
    """The scalar columns of the data that feed the inputs."""
    table = found.table
    feeds = (found.plan.data.feeds or {}) if found.plan.data else {}
    if table is None:
        return []
    named = [column for place, feed in feeds.items() if place.startswith("inputs.") for column in feed.columns]
    return [column for column in dict.fromkeys(named) if table.columns[column].shape == ()][:_MOST_COLUMNS]


def row_of(found: Evaluation, columns: list[str], positions: NDArray[np.int64]) -> list[list[str]]:
    """The raw values of examples, before any transform."""
    table = found.table
    if table is None:
        return [[] for _ in positions]
    rows = found.examples.rows[positions]
    try:
        values = [table.read(column, rows) for column in columns]
    except DataError:
        return [[] for _ in positions]
    return [[_text(column[i]) for column in values] for i in range(len(rows))]


def _text(value: Any) -> str:
    if isinstance(value, np.generic):
        value = value.item()
    text = number(value)
    return text if len(text) <= 120 else text[:119] + "…"
