"""Arrays whose rows are computed on access, for data that do not fit in memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data.image_frames import ImageFrames
from nnspec.data.per_series import fit, series_of_rows
from nnspec.data.plan import Feed
from nnspec.data.readers.base import Table
from nnspec.data.transforms import Learned
from nnspec.data.values import read_feed
from nnspec.diagnostics import Diagnostic, SpecError

if TYPE_CHECKING:
    from nnspec.data.readers.base import Rows

IN_MEMORY = 2**30
"""The maximum size in bytes of an input's or target's values that are read before the first step."""

_CHUNK = 2**26

Values = NDArray[Any]
Finish = Callable[[Values, Table, list[Diagnostic]], Values | None]
"""Converts a feed's values to those of its input or target."""


class LazyArray:
    """An array whose rows are computed on access. It converts to a NumPy array.

    Args:
        rows: The number of rows.
        make: Computes rows, given their indices.
    """

    def __init__(self, rows: int, make: Callable[[NDArray[np.int64]], Values]) -> None:
        first = make(np.zeros(1, np.int64))
        self.shape: tuple[int, ...] = (rows, *first.shape[1:])
        self.dtype: np.dtype[Any] = first.dtype
        self.ndim = first.ndim
        self._make = make

    @property
    def nbytes(self) -> int:
        """The size of the whole array in memory."""
        return math.prod(self.shape) * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> Values:
        return self._make(np.arange(len(self))[rows])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Values:
        if copy is False:
            raise ValueError("the values are computed on access, so a copy cannot be avoided")
        made = np.empty(self.shape, self.dtype)
        for rows in _chunks(np.arange(len(self)), self.nbytes):
            made[rows] = self._make(rows)
        return made if dtype is None else made.astype(dtype, copy=False)


def is_lazy(table: Table, feed: Feed) -> bool:
    """Whether a feed exceeds the memory limit and its columns can be read in parts."""
    for name in feed.columns:
        column = table.columns[name]
        if name not in table.lazy or column.ragged or None in column.shape:
            return False
    return len(table) * _row_bytes(table, feed) > IN_MEMORY


def _row_bytes(table: Table, feed: Feed) -> int:
    """Estimate the size of a row; most transforms return 4-byte numbers."""
    return sum(4 * math.prod(size or 1 for size in table.columns[name].shape) for name in feed.columns)


def read_lazily(
    table: Table,
    feed: Feed,
    fit_on: NDArray[np.int64] | None,
    learned: list[Learned],
    problems: list[Diagnostic],
    finish: Finish,
) -> LazyArray | None:
    """Return a feed's values as a lazy array that reads, checks and transforms each batch on access.

    Args:
        table: The table.
        feed: The columns and their transforms.
        fit_on: The rows to fit the transforms on; None if they are fitted already.
        learned: The fitted states; filled if the transforms are fitted here.
        problems: Problems with the first row, or with rows used for fitting, are appended here.
        finish: Converts the values to those of an input or a target.

    Returns:
        The values; accessing an invalid one raises SpecError. None if problems were found.
    """

    def values_of(rows: NDArray[np.int64], steps: int) -> tuple[Values, Table]:
        part = SomeRows(table, rows)
        found: list[Diagnostic] = []
        values = read_feed(part, replace(feed, transforms=feed.transforms[:steps]), None, learned, found)
        if values is None:
            raise SpecError(found)
        return values, part

    def make(rows: NDArray[np.int64]) -> Values:
        values, part = values_of(rows, len(feed.transforms))
        found: list[Diagnostic] = []
        made = finish(values, part, found)
        if made is None:
            raise SpecError(found)
        return made

    def chunks_before(step: int, rows: NDArray[np.int64]) -> Iterator[Values]:
        for some in _chunks(rows, len(rows) * _row_bytes(table, feed)):
            yield values_of(some, step)[0]

    def repeatable(step: int, rows: NDArray[np.int64]) -> _Repeatable:
        return _Repeatable(partial(chunks_before, step, rows))

    try:
        if fit_on is not None:
            series = series_of_rows(table, feed.series) if any(one.for_each_series for one in feed.transforms) else None
            for step, transform in enumerate(feed.transforms):
                learned.append(fit(transform, partial(repeatable, step), fit_on, series))
        return LazyArray(len(table), make)
    except SpecError as error:
        problems.extend(error.diagnostics)
        return None


class _Repeatable:
    """An iterable that restarts a generator at each iteration."""

    def __init__(self, start: Callable[[], Iterator[Values]]) -> None:
        self._start = start

    def __iter__(self) -> Iterator[Values]:
        return self._start()


class SomeRows(Table):
    """A view of some rows of a table.

    Args:
        table: The table.
        rows: The indices of the rows.
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

    def encoded(self, column: str, row: int) -> bytes | None:
        return self._table.encoded(column, int(self._rows[row]))

    def where_item(self, column: str, row: int, item: int) -> str:
        return self._table.where_item(column, int(self._rows[row]), item)

    def image_sizes(self, column: str) -> NDArray[np.int64] | None:
        sizes = self._table.image_sizes(column)
        return None if sizes is None else sizes[self._rows]

    def image_frames(self, column: str) -> ImageFrames | None:
        frames = self._table.image_frames(column)
        return None if frames is None else frames.rows(self._rows)

    def is_number(self, text: str) -> bool:
        return self._table.is_number(text)

    def mend(self, column: str, texts: Collection[str]) -> str:
        return self._table.mend(column, texts)

    def where(self, column: str, row: int) -> str:
        return self._table.where(column, int(self._rows[row]))


def _chunks(rows: NDArray[np.int64], size: int) -> Iterator[NDArray[np.int64]]:
    """Split rows into chunks of about 64 MiB."""
    step = max(1, len(rows) * _CHUNK // max(size, 1))
    for start in range(0, len(rows), step):
        yield rows[start : start + step]
