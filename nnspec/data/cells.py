"""The table cells behind a feed's values, for reporting invalid values with their row and column."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data import problems as d
from nnspec.data.kinds import Column
from nnspec.data.plan import Feed
from nnspec.data.readers.base import Table
from nnspec.data.shape_checks import for_shape
from nnspec.data.transforms.classes import UnknownClassError
from nnspec.diagnostics import Diagnostic, Problem

Values = NDArray[Any]


class Reported(Exception):
    """Raised after a diagnostic was reported, when there are no values to return."""


class Cells:
    """Reports invalid values of a feed with their location in the table."""

    def __init__(self, table: Table, feed: Feed, problems: list[Diagnostic]) -> None:
        self._table = table
        self.feed = feed
        self._problems = problems

    def refuse(
        self, problem: type[Problem], bad: NDArray[np.bool_], values: Values | None, help: str = "", **facts: Any
    ) -> None:
        """Report the first invalid value with its location, and the number of other invalid rows.

        Raises:
            Reported: Always.
        """
        flat = bad.reshape(len(bad), -1)
        row, position = _first(bad)
        column = self.column_of(bad)
        if values is not None:
            facts["value"] = _shown(values.reshape(len(values), -1)[row, position])
        others = int(flat.any(1).sum()) - 1
        more = f" (and {others:,} more rows)" if others > 1 else " (and 1 more row)" if others else ""
        facts["where"] = self._table.where(column, row)
        self._problems.append(problem.at(self.feed.span, self.feed.path, help=help, **facts, more=more))
        raise Reported

    def column_of(self, bad: NDArray[np.bool_]) -> str:
        """Return the column of the first invalid value."""
        return self.feed.columns[_first(bad)[1] % len(self.feed.columns)]

    def refuse_class(self, error: UnknownClassError, values: Values) -> None:
        """Report a value that is not among the classes."""
        if error.item is not None:
            column = self.feed.columns[0]
            place = self._table.where_item(column, error.position, error.item)
            facts: dict[str, Any] = {"where": place, "value": _shown(error.label), "known": error.message, "more": ""}
            self._problems.append(d.UnknownClassValue.at(self.feed.span, self.feed.path, help=error.help, **facts))
            raise Reported
        bad = np.zeros(values.size, bool)
        bad[error.position] = True
        self.refuse(d.UnknownClassValue, bad.reshape(values.shape), values, help=error.help, known=error.message)

    def refuse_any(self, problem: type[Problem], bad: NDArray[np.bool_], values: Values, **facts: Any) -> None:
        """Report the first invalid value, if there is one."""
        if bad.any():
            self.refuse(problem, bad, values, **facts)


def _first(bad: NDArray[np.bool_]) -> tuple[int, int]:
    """Return the row of the first invalid value, and its index within the row."""
    size = bad[0].size if len(bad) else 1
    return divmod(int(bad.ravel().argmax()), max(size, 1))


def no_numbers(table: Table, values: Values) -> NDArray[np.bool_]:
    """Return which values of a column are text and not numbers; if all texts are numbers, all of them.

    Missing values are not included: they are reported separately.
    """
    if values.dtype != object:
        return np.zeros(values.shape, bool)
    bad = np.array([value is not None and not table.is_number(value) for value in values.ravel()], bool).reshape(values.shape)
    return bad if bad.any() else np.ones(values.shape, bool)


def refuse_shape(values: Values, feed: Feed, what: str, wanted: str, problems: list[Diagnostic]) -> None:
    """Report a shape that became known only after fitting and does not match."""
    got = f"{'has' if len(feed.columns) == 1 else 'have'} shape {Column(values.shape[1:]).shape_text} after the transforms"
    help = "" if feed.is_target else for_shape(feed.name, values.shape[1:])
    problems.append(
        d.WrongShape.at(feed.span, feed.path, help=help, what=what, wanted=wanted, columns=feed.columns_text, got=got)
    )


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return f"'{value if len(value) <= 40 else value[:37] + '…'}'"
    return f"{value:g}" if isinstance(value, (float, np.floating)) else str(value)
