"""Which rows are trained on, which are watched and which are left out, as a spec asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from nnspec.data import problems as d
from nnspec.data.kinds import DataError, at_name, bare_name
from nnspec.data.locations import locate
from nnspec.data.plan import DataPlan, Feed
from nnspec.data.readers.base import Table
from nnspec.data.split import InTime, Parts, fold_in_time, fold_of, split, split_by_group, split_by_time, why_not_stratified
from nnspec.data.times import read_times
from nnspec.data.validation import Fold
from nnspec.diagnostics import Diagnostic

__all__ = ["RowSelection", "select_rows", "unit_count"]

Rows = NDArray[np.int64]

_FEWER = "write fewer folds, or add examples"
_SMALLER = "write a smaller fraction, or add examples"


@dataclass(frozen=True)
class RowSelection:
    """The rows of the training table, by what they are for.

    Attributes:
        train: Those that are trained on.
        validation: Those that are watched; None if the validation data are others, or there are none.
        test: Those that are left out; None if the test data are others, or there are none.
    """

    train: Rows
    validation: Rows | None = None
    test: Rows | None = None


def select_rows(plan: DataPlan, feeds: Mapping[str, Feed], table: Table, seed: int, problems: list[Diagnostic]) -> RowSelection:
    """Draws the parts of the training table: the fold that is left out first, and of the rest the validation part.

    Args:
        plan: The plan.
        feeds: How inputs and targets get their values.
        table: The training data.
        seed: Which draw.
        problems: Why they cannot be drawn, or not with each class in proportion, is appended here.
    """
    rows = np.arange(len(table))
    if not plan.draws:
        return RowSelection(rows)
    try:
        draws = _Draw(plan, feeds, table, seed, problems)
        test = validation = None
        if plan.left_out is not None:
            rows, test = draws.fold(rows, plan.left_out, "test")
        if plan.fold is not None:
            rows, validation = draws.fold(rows, plan.fold, "validation")
        elif plan.fraction is not None:
            rows, validation = draws.fraction(rows, plan.fraction)
    except _Refused:
        return RowSelection(rows)
    return RowSelection(rows, validation, test)


def unit_count(plan: DataPlan, table: Table) -> int:
    """How many parts the training data can be cut into: as there are rows, or groups."""
    group = plan.section.group
    return len(table) if group is None else len(np.unique(_as_text(table.read(group, slice(None)))))


class _Refused(Exception):
    """A diagnostic was given."""


class _Draw:
    """Divides rows of a table, each time into those that stay and those that are taken, both as row numbers."""

    def __init__(self, plan: DataPlan, feeds: Mapping[str, Feed], table: Table, seed: int, problems: list[Diagnostic]) -> None:
        self._plan = plan
        self._feeds = feeds
        self._table = table
        self._seed = seed
        self._problems = problems
        self._in_time = self._ordered()
        self._groups = self._grouped()

    def fraction(self, rows: Rows, fraction: float) -> Parts:
        """Takes the validation part."""
        if int(np.ceil(fraction * len(rows))) >= len(rows):
            place = locate(self._plan.tree, "validation")
            self._problems.append(
                d.CannotSplit.at(*place, help=_SMALLER, fraction=fraction, rows=len(rows), left="none to train on")
            )
            raise _Refused
        if self._in_time is not None:
            parts = split_by_time(_some(self._in_time, rows), fraction)
            if not len(parts[0]) or not len(parts[1]):
                self._refuse(f"no row comes before the last {fraction:g} of them", "validation", _SMALLER)
        elif self._groups is not None:
            found = len(np.unique(self._groups[rows]))
            if int(np.ceil(fraction * found)) >= found:
                self._refuse(f"{fraction:g} of {found} groups leaves none to train on", "validation", _SMALLER)
            parts = split_by_group(self._groups[rows], fraction, self._seed)
        else:
            classes = self._stratified(rows, lambda classes: why_not_stratified(classes, fraction), "validation")
            parts = split(len(rows), fraction, self._seed, classes)
        return rows[parts[0]], rows[parts[1]]

    def fold(self, rows: Rows, fold: Fold, key: str) -> Parts:
        """Takes a fold."""
        if self._in_time is not None:
            parts = self._fold_in_time(_some(self._in_time, rows), fold, key)
            return rows[parts[0]], rows[parts[1]]
        if fold.rolling:
            self._refuse("`rolling` is for folds in time, and these rows have no order: name a column under `time`", key)
        groups = None if self._groups is None else self._groups[rows]
        units = len(rows) if groups is None else len(np.unique(groups))
        if fold.of > units:
            of = "rows" if groups is None else "groups"
            self._refuse(f"{units:,} {of} cannot be cut into {fold.of:,} folds", key, _FEWER)
        classes = None
        if fold.of < units:
            least = "a class has fewer examples than there are folds"
            classes = self._stratified(rows, lambda classes: least if np.bincount(classes).min() < fold.of else None, key)
        parts = fold_of(len(rows), fold.number, fold.of, self._seed, classes=classes, groups=groups)
        return rows[parts[0]], rows[parts[1]]

    def _fold_in_time(self, rows: InTime, fold: Fold, key: str) -> Parts:
        for own in rows.each():
            # The first part is never kept: it is what the first fold is trained on.
            if fold.of >= len(own):
                self._refuse(f"{len(own):,} rows{self._of_series(rows, own)} cannot be cut into {fold.of:,} folds", key, _FEWER)
        parts = fold_in_time(rows, fold.number, fold.of, rolling=fold.rolling)
        if not len(parts[0]) or not len(parts[1]):
            windows = len(rows.series)
            self._refuse(f"{windows:,} windows cannot be cut into {fold.of:,} folds whose targets lie apart", key, _FEWER)
        return parts

    def _of_series(self, rows: InTime, own: Rows) -> str:
        label = self._table.series_labels[int(rows.series[own[0]])] if self._table.series_labels else ()
        return f" of the series `{', '.join(label)}`" if label else ""

    def _stratified(self, rows: Rows, why_not: Any, key: str) -> NDArray[np.int64] | None:
        """The classes, where each can be kept in proportion."""
        classes = _classes(self._plan, self._feeds, self._table)
        if classes is None:
            return None
        classes = np.unique(classes[rows], return_inverse=True)[1].astype(np.int64)
        if reason := why_not(classes):
            self._problems.append(d.NotStratified.at(*locate(self._plan.tree, key), part=key, reason=reason))
            return None
        return classes

    def _refuse(self, reason: str, key: str, help: str = "") -> NoReturn:
        self._problems.append(d.CannotSelectRows.at(*locate(self._plan.tree, key), help=help, reason=reason))
        raise _Refused

    def _grouped(self) -> NDArray[np.int64] | None:
        name = self._plan.section.group
        if name is None or name not in self._table.columns:
            return None
        numbered: NDArray[np.int64] = np.unique(_as_text(self._table.read(name, slice(None))), return_inverse=True)[1]
        return numbered.astype(np.int64)

    def _ordered(self) -> InTime | None:
        name, timeline = self._plan.section.time, self._table.timeline
        if timeline is not None:
            return InTime(timeline.series, timeline.begin if self._targets_past() else timeline.future, timeline.end)
        places = np.arange(len(self._table))
        if name is not None:
            try:
                times = read_times(self._table, name)
            except DataError as error:
                self._refuse(error.message, "time", error.help)
            places = np.unique(times.values, return_inverse=True)[1].astype(np.int64)
        elif not self._plan.windows:  # what windows are cut from stays in one piece
            return None
        return InTime(np.zeros(len(places), np.int64), places, places + 1)

    def _targets_past(self) -> bool:
        """Whether a target has rows of the past, or is made of an input: then a window predicts from its beginning on."""
        columns = [column for place, feed in self._feeds.items() if place.startswith("targets.") for column in feed.columns]
        return bool(self._plan.target_sources) or any(column == at_name(bare_name(column), "past") for column in columns)


def _some(rows: InTime, kept: Rows) -> InTime:
    return InTime(rows.series[kept], rows.target[kept], rows.end[kept])


def _classes(plan: DataPlan, feeds: Mapping[str, Feed], table: Table) -> NDArray[np.int64] | None:
    """The class of each row, numbered, by the first target that is a class; None where none is."""
    for name, need in plan.fed.items():
        feed = feeds[f"targets.{name}"]
        if need.kind not in ("class", "distribution", "probability", "sign", "label") or len(feed.columns) != 1:
            continue
        if table.columns[feed.columns[0]].shape == ():
            values = table.read(feed.columns[0], slice(None))
            if values.dtype.kind in "Oiub" or (np.isfinite(values).all() and not (values % 1).any()):
                numbered: NDArray[np.int64] = np.unique(_as_text(values), return_inverse=True)[1]
                return numbered.astype(np.int64)
    return None


def _as_text(values: NDArray[Any]) -> NDArray[Any]:
    return values.astype(str) if values.dtype == object else values
