"""What white is in the pictures that a model was trained on, so that a picture from a file can be given to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nnspec.data.readers.base import Table
from nnspec.data.recipe import Recipe

__all__ = ["with_white_levels"]


def with_white_levels(recipe: Recipe, table: Table) -> Recipe:
    """A recipe that says under ``white`` what the largest value of a pixel is: 255, or 1 where pixels are fractions.

    Args:
        recipe: What a run says of its inputs.
        table: Some rows of its data.
    """
    inputs = {}
    for name, said in recipe.get("inputs", {}).items():
        white = _white(table, said)
        inputs[name] = said if white is None else {**said, "white": white}
    return {**recipe, "inputs": inputs} if inputs else recipe


def _white(table: Table, said: Mapping[str, Any]) -> int | None:
    if len(said["columns"]) != 1 or said["columns"][0] not in table.columns:
        return None
    column = table.columns[said["columns"][0]]
    if (
        column.is_text
        or column.ragged
        or len(column.shape) not in (2, 3)
        or (len(column.shape) == 3 and column.shape[-1] not in (1, 3, 4))
    ):
        return None
    if column.dtype == "uint8":
        return 255
    values = table.read(said["columns"][0], slice(None))
    low, high = (float(values.min()), float(values.max())) if np.size(values) else (0.0, 0.0)
    # Anything else is no picture, or one of which it cannot be told how bright it is.
    return None if low < 0 or high > 255 else 1 if high <= 1 else 255
