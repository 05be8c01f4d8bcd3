"""The values of targets that are computed from inputs: checks and computation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data.plan import DataPlan, Feed
from nnspec.data.readers.base import Table
from nnspec.data.targets.values import read_target
from nnspec.data.values import read_input
from nnspec.diagnostics import Diagnostic
from nnspec.types import TensorType

Values = NDArray[Any]


def fits_targets(values: Values, table: Table, feed: Feed, plan: DataPlan, problems: list[Diagnostic]) -> bool:
    """Whether an input's values can be the target of every loss whose target is computed from it.

    Args:
        values: The values of the input, after its transforms.
        table: The table they were read from.
        feed: The feed of the input.
        plan: The plan.
        problems: Problems are appended here.
    """
    before = len(problems)
    for output, source in plan.target_sources.items():
        if source.input == feed.name:
            need = plan.needs[output]
            # Rows that are joined have no shape of their own.
            shape = source.shape(need, values) if plan.window is None else values.shape[1:]
            # An invalid value is reported at the input's column, as the target of the output.
            read_target(values, table, replace(feed, name=output), need, shape, problems)
    return len(problems) == before


def read_sequences(
    values: Values, table: Table, feed: Feed, plan: DataPlan, problems: list[Diagnostic], *, rows: int | None
) -> Values | None:
    """Check rows of any length as an input and as a target, by the minimum and maximum of each row.

    Args:
        values: An array of arrays.
        table: The table they were read from.
        feed: The feed of the input.
        plan: The plan.
        problems: Problems are appended here.
        rows: The number of rows of the lookup table that the tokens index; None if there is none.

    Returns:
        The values; None if they are invalid.
    """
    dtype = plan.inputs[feed.name].dtype
    for pick in (np.min, np.max):
        ends = np.array([pick(row) if len(row) else 0 for row in values])
        made = read_input(ends, table, feed, TensorType((), dtype), problems, rows=rows)
        if made is None or not fits_targets(made, table, feed, plan, problems):
            return None
    return values


def compute_targets(inputs: Mapping[str, Any], plan: DataPlan) -> dict[str, Any]:
    """Compute the targets from inputs, by output; targets of windows are computed when the windows are cut."""
    sources = plan.target_sources if plan.window is None else {}
    return {output: source.of(inputs[source.input]) for output, source in sources.items()}
