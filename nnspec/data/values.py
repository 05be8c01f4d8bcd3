"""Reading of column values: they are checked, transformed, and checked again, since data are untrusted."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data import problems as d
from nnspec.data.cells import Cells, Reported, Values, no_numbers, refuse_shape
from nnspec.data.kinds import DataError
from nnspec.data.per_series import apply, fit, series_of_rows
from nnspec.data.plan import Feed
from nnspec.data.readers.base import Table
from nnspec.data.shape_checks import fits
from nnspec.data.transforms import Learned
from nnspec.data.transforms.boxes import BoxError
from nnspec.data.transforms.classes import UnknownClassError
from nnspec.data.value_help import for_infinite, for_missing, for_text
from nnspec.diagnostics import Diagnostic
from nnspec.types import TensorType

_CHUNK = 65_536


def read_feed(
    table: Table, feed: Feed, fit_on: NDArray[np.int64] | None, learned: list[Learned], problems: list[Diagnostic]
) -> Values | None:
    """Read all rows of a feed, stacked and transformed.

    Args:
        table: The table.
        feed: The columns and their transforms.
        fit_on: The rows to fit the transforms on; None if they are fitted already.
        learned: The fitted states; filled if the transforms are fitted here.
        problems: Problems are appended here.

    Returns:
        The values, finite if they are numbers; None if there are problems.
    """
    cells = Cells(table, feed, problems)
    try:
        if feed.transforms and feed.transforms[0].needs_text:
            for name in feed.columns:
                column = table.columns[name]
                if column.shape or column.ragged or _has_no_values(table, name):  # these are reported as missing values
                    continue
                feed.transforms[0].infer(column)  # new data may have numbers where those of the training had texts
        values = _raw(table, feed, cells)
        series = series_of_rows(table, feed.series) if any(one.for_each_series for one in feed.transforms) else None
        for transform in feed.before:
            values = transform.in_table(table).apply(values, {})
        for i, transform in enumerate(one.in_table(table) for one in feed.transforms):
            if fit_on is not None:
                learned.append(fit(transform, partial(_Chunks, values), fit_on, series))
            try:
                values = apply(transform, values, learned[i], series)
            except UnknownClassError as error:
                cells.refuse_class(error, values)
    except _Unreadable as unreadable:
        problems.append(_unreadable(feed, unreadable.error))
        return None
    except BoxError as error:
        reason = f"{table.where_item(feed.columns[0], error.row, error.item)}: {error.message}"
        problems.append(d.BadBox.at(feed.span, feed.path, help=error.help, reason=reason))
        return None
    except DataError as error:
        problems.append(d.BadTransform.at(feed.span, feed.path, help=error.help, reason=error.message))
        return None
    except Reported:
        return None
    return values


def _has_no_values(table: Table, name: str) -> bool:
    """Whether a column has rows, and a missing value in each: it has no type then."""
    import numpy as np

    if table.columns[name].dtype not in ("float64", "float32") or not len(table):
        return False
    return bool(np.isnan(table.read(name, slice(None))).all())


class _Unreadable(Exception):
    """A value cannot be read, independent of the transforms."""

    def __init__(self, error: DataError) -> None:
        super().__init__(error.message)
        self.error = error


def _unreadable(feed: Feed, error: DataError) -> Diagnostic:
    return d.UnreadableValue.at(feed.span, feed.path, help=error.help, reason=error.message)


class _Chunks:
    """The rows that a transform is fitted on, as a repeatable iterable of chunks."""

    def __init__(self, values: Values, rows: NDArray[np.int64]) -> None:
        self._values = values
        self._rows = rows

    def __iter__(self) -> Any:
        for start in range(0, len(self._rows), _CHUNK):
            yield self._values[self._rows[start : start + _CHUNK]]


def check_raw(table: Table, feed: Feed, problems: list[Diagnostic]) -> None:
    """Report invalid values of a feed before its transforms."""
    try:
        _raw(table, feed, Cells(table, feed, problems))
    except _Unreadable as unreadable:
        problems.append(_unreadable(feed, unreadable.error))
    except Reported:
        pass


def _raw(table: Table, feed: Feed, cells: Cells) -> Values:
    try:
        parts = [table.read(column, slice(None)) for column in feed.columns]
    except DataError as error:
        raise _Unreadable(error) from None
    values = np.stack(parts, -1) if feed.stacked else parts[0]
    first = feed.transforms[0] if feed.transforms else None
    if any(table.columns[column].ragged for column in feed.columns):
        return values  # rows of numbers or tokens, checked by the reader
    if values.dtype == object:
        if first is None or not first.takes_text:
            bad = np.stack([no_numbers(table, part) for part in parts], -1) if feed.stacked else no_numbers(table, parts[0])
            column = cells.column_of(bad)
            cells.refuse(d.NotANumber, bad, values, help=for_text(table, feed, column, parts[feed.columns.index(column)]))
        missing = np.array([value is None for value in values.ravel()], bool).reshape(values.shape)
    elif values.dtype.kind == "f":
        missing = np.isnan(values)
        infinite = np.isinf(values)
        if infinite.any():
            column = cells.column_of(infinite)
            help = for_infinite(table, feed, column, parts[feed.columns.index(column)])
            cells.refuse(d.NotFinite, infinite, values, help=help)
    else:
        return values
    if missing.any() and not (feed.may_miss or (first is not None and first.fills)):
        cells.refuse(d.MissingValue, missing, None, help=for_missing(feed))
    return values


def read_input(
    values: Values, table: Table, feed: Feed, wanted: TensorType, problems: list[Diagnostic], *, rows: int | None = None
) -> Values | None:
    """Convert values to an input's shape and dtype; None if a value is invalid.

    Args:
        values: The values after their transforms.
        table: The table they were read from.
        feed: The feed of the input.
        wanted: The type of the input.
        problems: Problems are appended here.
        rows: The number of rows of the lookup table that the input indexes; None if there is none.
    """
    if not fits(values.shape[1:], wanted.shape):
        refuse_shape(values, feed, f"the input `{feed.name}`", str(wanted), problems)
        return None
    cells = Cells(table, feed, problems)
    dtype = np.dtype("float32" if wanted.dtype == "bfloat16" else wanted.dtype)
    try:
        if dtype.kind == "f":
            with np.errstate(over="ignore"):
                made = values.astype(dtype, copy=False)
            help = f"put `standardize` under `transform`: the maximum of {dtype.name} is {np.finfo(dtype).max:.2g}"
            cells.refuse_any(d.NotFinite, np.isinf(made) if feed.may_miss else ~np.isfinite(made), values, help=help)
        else:
            made = _whole(values, dtype, cells)
            if rows is not None:
                bad = (made < 0) | (made >= rows)
                help = f"set `input_dim` to {made.max() + 1}" if bad.any() else ""
                help = "put `label_encode` under `transform`, which counts from 0" if bad.any() and made.min() < 0 else help
                cells.refuse_any(d.OutOfTable, bad, made, help=help, name=feed.name, last=rows - 1)
    except Reported:
        return None
    return made.reshape(made.shape[: wanted.rank + 1] + (1,) * (wanted.rank + 1 - made.ndim))


def _whole(values: Values, dtype: np.dtype[Any], cells: Cells) -> Values:
    """Convert values to an integer type; fractions and values out of range are reported."""
    low, high = (0, 1) if dtype.kind == "b" else (int(np.iinfo(dtype).min), int(np.iinfo(dtype).max))
    bad = (values < low) | (values > high)
    if values.dtype.kind == "f":
        bad |= values != np.floor(values)
    help = f"declare the input with `dtype: float32`, or put `label_encode` under `transform` if `{cells.feed.name}` is a class"
    cells.refuse_any(d.NotWhole, bad, values, wanted=f"an integer from {low} to {high}", help=help)
    return values.astype(dtype)
