"""The white level of training images, which scales the pixels of an image file for the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nnspec.data.readers.base import Table
from nnspec.data.recipe import Recipe


def with_white_levels(recipe: Recipe, table: Table) -> Recipe:
    """Add the white level of image inputs to a recipe, under ``white``: 255, or 1 if pixels are fractions.

    Args:
        recipe: The recipe of a run's inputs.
        table: Some rows of its data.
    """
    inputs = {}
    for name, entry in recipe.get("inputs", {}).items():
        white = _white(table, entry)
        inputs[name] = entry if white is None else {**entry, "white": white}
    return {**recipe, "inputs": inputs} if inputs else recipe


def _white(table: Table, entry: Mapping[str, Any]) -> int | None:
    if len(entry["columns"]) != 1 or entry["columns"][0] not in table.columns:
        return None
    column = table.columns[entry["columns"][0]]
    if (
        column.is_text
        or column.ragged
        or len(column.shape) not in (2, 3)
        or (len(column.shape) == 3 and column.shape[-1] not in (1, 3, 4))
    ):
        return None
    if column.dtype == "uint8":
        return 255
    values = table.read(entry["columns"][0], slice(None))
    low, high = (float(values.min()), float(values.max())) if np.size(values) else (0.0, 0.0)
    # Other values are not an image, or one whose white level is unknown.
    return None if low < 0 or high > 255 else 1 if high <= 1 else 255
