"""Values that are made when they are asked for, for what memory does not hold."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data.per_series import fit, series_of_rows
from nnspec.data.plan import Feed
from nnspec.data.readers.base import Table
from nnspec.data.transforms import Learned
from nnspec.data.values import read_feed
from nnspec.diagnostics import Diagnostic, SpecError

if TYPE_CHECKING:
    from nnspec.data.readers.base import Rows

__all__ = ["IN_MEMORY", "LazyArray", "SomeRows", "is_lazy", "read_lazily"]

IN_MEMORY = 2**30
"""The most bytes that the values of one input or target may take to be read before the first step."""

_CHUNK = 2**26

Values = NDArray[Any]
Finish = Callable[[Values, Table, list[Diagnostic]], Values | None]
"""Makes a feed's values those of its input or target."""


class LazyArray:
    """An array whose rows are made when they are asked for. What reads a whole array reads it as any other.

    Args:
        rows: How many it has.
        make: Makes some of them, by their numbers.
    """

    def __init__(self, rows: int, make: Callable[[NDArray[np.int64]], Values]) -> None:
        first = make(np.zeros(1, np.int64))
        self.shape: tuple[int, ...] = (rows, *first.shape[1:])
        self.dtype: np.dtype[Any] = first.dtype
        self.ndim = first.ndim
        self._make = make

    @property
    def nbytes(self) -> int:
        """What all of it would take."""
        return math.prod(self.shape) * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> Values:
        return self._make(np.arange(len(self))[rows])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Values:
        if copy is False:
            raise ValueError("the values are made, and so are a copy")
        made = np.empty(self.shape, self.dtype)
        for rows in _chunks(np.arange(len(self)), self.nbytes):
            made[rows] = self._make(rows)
        return made if dtype is None else made.astype(dtype, copy=False)


def is_lazy(table: Table, feed: Feed) -> bool:
    """Whether the values of a feed are too many to be held, and its columns can be read a few rows at a time."""
    for name in feed.columns:
        column = table.columns[name]
        if name not in table.lazy or column.ragged or None in column.shape:
            return False
    return len(table) * _row_bytes(table, feed) > IN_MEMORY


def _row_bytes(table: Table, feed: Feed) -> int:
    """About what a row takes: most transforms make numbers of 4 bytes."""
    return sum(4 * math.prod(size or 1 for size in table.columns[name].shape) for name in feed.columns)


def read_lazily(
    table: Table,
    feed: Feed,
    fit_on: NDArray[np.int64] | None,
    learned: list[Learned],
    problems: list[Diagnostic],
    finish: Finish,
) -> LazyArray | None:
    """A feed's values, ready, each batch of them read, checked and transformed when it is asked for.

    Args:
        table: The table.
        feed: Which columns, and what is done to them.
        fit_on: The rows its transforms learn from; None where they have learned already.
        learned: What they learned; filled here where they learn.
        problems: What is wrong with the first row, or with one that is learned from, is appended here.
        finish: Makes them the values of an input or a target.

    Returns:
        The values, whose reading raises SpecError where one is wrong; None where that is known already.
    """

    def values_of(rows: NDArray[np.int64], steps: int) -> tuple[Values, Table]:
        part = SomeRows(table, rows)
        said: list[Diagnostic] = []
        values = read_feed(part, replace(feed, transforms=feed.transforms[:steps]), None, learned, said)
        if values is None:
            raise SpecError(said)
        return values, part

    def make(rows: NDArray[np.int64]) -> Values:
        values, part = values_of(rows, len(feed.transforms))
        said: list[Diagnostic] = []
        made = finish(values, part, said)
        if made is None:
            raise SpecError(said)
        return made

    def chunks_before(step: int, rows: NDArray[np.int64]) -> Iterator[Values]:
        for some in _chunks(rows, len(rows) * _row_bytes(table, feed)):
            yield values_of(some, step)[0]

    def again(step: int, rows: NDArray[np.int64]) -> _Again:
        return _Again(partial(chunks_before, step, rows))

    try:
        if fit_on is not None:
            series = series_of_rows(table, feed.series) if any(one.for_each_series for one in feed.transforms) else None
            for step, transform in enumerate(feed.transforms):
                learned.append(fit(transform, partial(again, step), fit_on, series))
        return LazyArray(len(table), make)
    except SpecError as error:
        problems.extend(error.diagnostics)
        return None


class _Again:
    """What is begun anew as often as it is asked for."""

    def __init__(self, begin: Callable[[], Iterator[Values]]) -> None:
        self._begin = begin

    def __iter__(self) -> Iterator[Values]:
        return self._begin()


class SomeRows(Table):
    """Some rows of a table.

    Args:
        table: The table.
        rows: Their numbers in it.
    """

    def __init__(self, table: Table, rows: NDArray[np.int64]) -> None:
        self._table = table
        self._rows = rows
        self.columns = table.columns
        self.series = None if table.series is None else table.series[rows]
        self.series_labels = table.series_labels

    def __len__(self) -> int:
        return len(self._rows)

    def read(self, column: str, rows: Rows) -> Values:
        return self._table.read(column, self._rows[rows])

    def is_number(self, text: str) -> bool:
        return self._table.is_number(text)

    def mend(self, column: str, texts: Collection[str]) -> str:
        return self._table.mend(column, texts)

    def where(self, column: str, row: int) -> str:
        return self._table.where(column, int(self._rows[row]))


def _chunks(rows: NDArray[np.int64], size: int) -> Iterator[NDArray[np.int64]]:
    """The rows, some at a time, so that each time takes some 64 MiB."""
    step = max(1, len(rows) * _CHUNK // max(size, 1))
    for start in range(0, len(rows), step):
        yield rows[start : start + step]
