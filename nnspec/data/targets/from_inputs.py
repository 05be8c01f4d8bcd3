"""Targets that are made of an input, and the windows that token sequences are cut into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data import problems as d
from nnspec.data.examples import Examples
from nnspec.data.lazy import LazyArray
from nnspec.data.plan import DataPlan, Derived, Feed
from nnspec.data.readers.base import Table
from nnspec.data.shape_checks import target_shape
from nnspec.data.targets.values import read_target
from nnspec.data.values import read_input
from nnspec.diagnostics import Diagnostic
from nnspec.types import TensorType

__all__ = ["cut", "derive", "next_token", "read_tokens", "serves"]

Values = NDArray[Any]


def serves(values: Values, table: Table, feed: Feed, plan: DataPlan, problems: list[Diagnostic]) -> bool:
    """Whether an input's values can be what each loss compares with that takes them for its target.

    Args:
        values: The values of the input, ready.
        table: Where they are from.
        feed: Which columns they are.
        plan: The plan.
        problems: What is wrong is appended here.
    """
    before = len(problems)
    for output, made in plan.derived.items():
        if made.input == feed.name:
            need = plan.needs[output]
            shape = values.shape[1:] if made.next else target_shape(need, {})
            # The place of a bad value is that of the input's column; the target it would be is the output's.
            read_target(values, table, replace(feed, name=output), need, shape, problems)
    return len(problems) == before


def read_tokens(
    values: Values, table: Table, feed: Feed, plan: DataPlan, problems: list[Diagnostic], *, rows: int | None
) -> Values | None:
    """Rows of tokens of any length, checked as an input and as the target they are: by the least and the largest of each.

    Args:
        values: An array of arrays.
        table: Where they are from.
        feed: Which columns they are.
        plan: The plan.
        problems: What is wrong is appended here.
        rows: How many rows the table has that tokens are looked up in; None where they are looked up in none.
    """
    dtype = plan.inputs[feed.name].dtype
    for pick in (np.min, np.max):
        ends = np.array([pick(row) if len(row) else 0 for row in values])
        made = read_input(ends, table, feed, TensorType((), dtype), problems, rows=rows)
        if made is None or not serves(made, table, feed, plan, problems):
            return None
    return values


def derive(inputs: Mapping[str, Any], derived: Mapping[str, Derived]) -> dict[str, Any]:
    """The targets that are made of inputs; the windows' are made when they are cut."""
    return {
        output: _next_of(inputs[made.input], made.padding) if made.next else inputs[made.input]
        for output, made in derived.items()
        if made.window is None
    }


def next_token(tokens: Values, padding: int) -> Values:
    """At each position of rows of tokens the one that follows it; padding behind the last.

    Example:
        >>> next_token(np.array([[1, 5, 6, 2, 0]]), 0).tolist()
        [[5, 6, 2, 0, 0]]
    """
    return np.concatenate([tokens[:, 1:], np.full_like(tokens[:, :1], padding)], 1)


def _next_of(tokens: Any, padding: int) -> Any:
    if isinstance(tokens, LazyArray):
        return LazyArray(len(tokens), lambda rows: next_token(tokens[rows], padding))
    return next_token(tokens, padding)


def cut(plan: DataPlan, feeds: Mapping[str, Feed], examples: Examples, problems: list[Diagnostic]) -> Examples:
    """The same with the windows of its rows for examples, where the plan wants such.

    Args:
        plan: The plan.
        feeds: How its inputs get their values.
        examples: Rows of tokens, one after another.
        problems: That there is nothing to cut is appended here.
    """
    for output, made in plan.derived.items():
        if made.window is None:
            continue
        rows = examples.inputs[made.input][examples.rows]
        stream = np.concatenate([*rows, np.zeros(0, np.int64)])
        if len(stream) < 2:
            feed = feeds[f"inputs.{made.input}"]
            reason = f"there is nothing to cut windows from: the rows hold {len(stream)} tokens"
            problems.append(d.BadWindow.at(feed.span, feed.path, reason=reason))
            return examples
        tokens, following = _windows(stream.astype(plan.inputs[made.input].dtype), made.window, made.padding)
        return Examples({made.input: tokens}, {output: following.astype(np.int32)}, {}, np.arange(len(tokens)))
    return examples


def _windows(stream: Values, length: int, padding: int) -> tuple[Values, Values]:
    """What is read and what is said in each window: each token but the first is said once, each but the last read once."""
    count = -(-(len(stream) - 1) // length)
    said = np.full(count * length, padding, np.int64)
    said[: len(stream) - 1] = stream[1:]
    read = np.zeros(count * length, stream.dtype)
    read[: len(stream) - 1] = stream[:-1]
    return read.reshape(count, length), said.reshape(count, length)
