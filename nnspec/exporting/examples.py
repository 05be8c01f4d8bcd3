"""Rows of the data that an exported file contains as examples, for the server's page."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import numpy as np

from nnspec.data.readers.base import Table
from nnspec.data.recipe import Recipe, series_columns
from nnspec.diagnostics import NnspecError
from nnspec.runtime.metadata import EXAMPLES
from nnspec.runtime.sheets import image_png
from nnspec.training import Run, spread_rows

MOST_EXAMPLES = 100
"""The most rows of the data that a file contains."""

_LARGEST = 4 * 2**20
"""The maximum size of the examples: they are in the file, and the page loads them at once."""


def example_metadata(run: Run, recipe: Recipe, count: int) -> dict[str, str]:
    """Return the metadata with rows of a run's test data, spread over them; of other data if there are no test data.

    Args:
        run: The run.
        recipe: The recipe of the exported file, with the white levels of images.
        count: The number of rows.

    Raises:
        NnspecError: If the file has no recipe, or the rows are too large.
    """
    inputs = recipe.get("inputs", {})
    if not inputs:
        raise NnspecError("the inputs of this file are not computed from columns of data\n  = help: omit `--examples`")
    table = spread_rows(run, count)
    white = {entry["columns"][0]: entry["white"] for entry in inputs.values() if "white" in entry}
    columns = dict.fromkeys([*series_columns(recipe), *(name for entry in inputs.values() for name in entry["columns"])])
    # Boxes are in pixels of the image as stored.
    stored = any(step["transform"] == "boxes" for entry in inputs.values() for step in entry["transforms"])
    values = {name: _values(table, name, white.get(name), stored=stored) for name in columns if name in table.columns}
    text = json.dumps([{name: column[row] for name, column in values.items()} for row in range(len(table))])
    if len(text) > _LARGEST:
        raise NnspecError(
            f"{len(table)} examples have {len(text):,} bytes, more than {_LARGEST:,}\n  = help: lower `--examples`"
        )
    return {EXAMPLES: text}


def _values(table: Table, column: str, white: float | None, *, stored: bool) -> list[Any]:
    """The values of a column, as a request to the server has them; an image as a PNG, or the file as stored, in base64."""
    if white is not None and stored:
        files = [table.encoded(column, row) for row in range(len(table))]
        if all(file is not None for file in files):
            return [b64encode(file).decode() for file in files if file is not None]
    found = table.read(column, slice(None))
    if white is not None:
        return [b64encode(image_png(image, 0, white)).decode() for image in found]
    # Short decimals: a number that was read as 5.1 is not written as 5.099999904632568.
    return [_plain(value) for value in found]


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return [_plain(part) for part in value]
    if isinstance(value, np.floating):
        return float(str(value)) if np.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value
