"""The selection of training, validation and test rows from the training table."""

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
from nnspec.data.readers.joined import JoinedTable
from nnspec.data.section import Fold
from nnspec.data.split import InTime, Parts, fold_in_time, fold_of, split, split_by_group, split_by_time, why_not_stratified
from nnspec.data.times import read_times
from nnspec.diagnostics import Diagnostic

Rows = NDArray[np.int64]

_FEWER = "use fewer folds, or add examples"
_SMALLER = "use a smaller fraction, or add examples"


@dataclass(frozen=True)
class RowSelection:
    """The rows of the training table in each split.

    Attributes:
        train: The training rows.
        validation: The validation rows; None if the validation data are read separately or absent.
        test: The held-out rows; None if the test data are read separately or absent.
    """

    train: Rows
    validation: Rows | None = None
    test: Rows | None = None


def select_rows(
    plan: DataPlan, feeds: Mapping[str, Feed], table: Table, seed: int, problems: list[Diagnostic]
) -> tuple[Table, RowSelection]:
    """Split the training table: the test fold is held out first, then the validation rows are selected from the rest.

    Args:
        plan: The plan.
        feeds: The feeds of inputs and targets.
        table: The training data.
        seed: The random seed.
        problems: Problems are appended here.

    Returns:
        The table, and its rows in each split. Joined tables are split one by one and joined again within each split.
    """
    if not isinstance(table, JoinedTable) or not plan.draws:
        return table, _selected(plan, feeds, table, seed, problems)
    found = {name: _selected(plan, feeds, member, seed, problems) for name, member in table.members.items()}
    if any(problem.is_error for problem in problems):
        return table, RowSelection(np.arange(len(table)))
    names = [name for name in ("train", "validation", "test") if getattr(next(iter(found.values())), name) is not None]
    parts = [{member: getattr(selection, name) for member, selection in found.items()} for name in names]
    ends = np.cumsum([max(map(len, part.values())) for part in parts])
    rows = {name: np.arange(start, end, dtype=np.int64) for name, start, end in zip(names, [0, *ends[:-1]], ends, strict=True)}
    return table.arranged(parts), RowSelection(**rows)


def _selected(plan: DataPlan, feeds: Mapping[str, Feed], table: Table, seed: int, problems: list[Diagnostic]) -> RowSelection:
    rows = np.arange(len(table))
    if not plan.draws:
        return RowSelection(rows)
    try:
        selector = _Selector(plan, feeds, table, seed, problems)
        test = validation = None
        if plan.test_fold is not None:
            rows, test = selector.fold(rows, plan.test_fold, "test")
        if plan.fold is not None:
            rows, validation = selector.fold(rows, plan.fold, "validation")
        elif plan.fraction is not None:
            rows, validation = selector.fraction(rows, plan.fraction)
    except _Refused:
        return RowSelection(rows)
    return RowSelection(rows, validation, test)


def unit_count(plan: DataPlan, table: Table) -> int:
    """Return the number of rows or groups, which is the maximum number of folds."""
    if isinstance(table, JoinedTable):
        return min(unit_count(plan, member) for member in table.members.values())
    group = plan.section.group if plan.section.group in table.columns else None
    return len(table) if group is None else len(np.unique(_as_text(table.read(group, slice(None)))))


class _Refused(Exception):
    """Raised after a diagnostic was reported."""


class _Selector:
    """Splits rows of a table into those to train on and those to hold out, as row indices."""

    def __init__(self, plan: DataPlan, feeds: Mapping[str, Feed], table: Table, seed: int, problems: list[Diagnostic]) -> None:
        self._plan = plan
        self._feeds = feeds
        self._table = table
        self._seed = seed
        self._problems = problems
        self._in_time = self._ordered()
        self._groups = self._grouped()

    def fraction(self, rows: Rows, fraction: float) -> Parts:
        """Select a fraction of the rows for validation."""
        if int(np.ceil(fraction * len(rows))) >= len(rows):
            place = locate(self._plan.tree, "validation")
            self._problems.append(
                d.CannotSplit.at(*place, help=_SMALLER, fraction=fraction, rows=len(rows), left="none to train on")
            )
            raise _Refused
        if self._in_time is not None:
            parts = split_by_time(_some(self._in_time, rows), fraction)
            if not len(parts[0]) or not len(parts[1]):
                self._refuse(f"a fraction of {fraction:g} leaves no earlier rows to train on", "validation", _SMALLER)
        elif self._groups is not None:
            found = len(np.unique(self._groups[rows]))
            if int(np.ceil(fraction * found)) >= found:
                self._refuse(f"a fraction of {fraction:g} of {found} groups leaves none to train on", "validation", _SMALLER)
            parts = split_by_group(self._groups[rows], fraction, self._seed)
        else:
            classes = self._stratified(rows, lambda classes: why_not_stratified(classes, fraction), "validation")
            parts = split(len(rows), fraction, self._seed, classes)
        return rows[parts[0]], rows[parts[1]]

    def fold(self, rows: Rows, fold: Fold, key: str) -> Parts:
        """Select a fold."""
        if self._in_time is not None:
            parts = self._fold_in_time(_some(self._in_time, rows), fold, key)
            return rows[parts[0]], rows[parts[1]]
        if fold.rolling:
            self._refuse("`rolling` requires rows in order of time", key, "name a column under `time`")
        groups = None if self._groups is None else self._groups[rows]
        units = len(rows) if groups is None else len(np.unique(groups))
        if fold.of > units:
            of = "rows" if groups is None else "groups"
            self._refuse(f"cannot split {units:,} {of} into {fold.of:,} folds", key, _FEWER)
        classes = None
        if fold.of < units:
            least = "a class has fewer examples than there are folds"
            classes = self._stratified(rows, lambda classes: least if np.bincount(classes).min() < fold.of else None, key)
        parts = fold_of(len(rows), fold.number, fold.of, self._seed, classes=classes, groups=groups)
        return rows[parts[0]], rows[parts[1]]

    def _fold_in_time(self, rows: InTime, fold: Fold, key: str) -> Parts:
        for own in rows.each():
            # The first block is never held out: the first fold is trained on it.
            if fold.of >= len(own):
                self._refuse(f"cannot split {len(own):,} rows{self._of_series(rows, own)} into {fold.of:,} folds", key, _FEWER)
        parts = fold_in_time(rows, fold.number, fold.of, rolling=fold.rolling)
        if not len(parts[0]) or not len(parts[1]):
            windows = len(rows.series)
            self._refuse(f"cannot split {windows:,} windows into {fold.of:,} folds with disjoint targets", key, _FEWER)
        return parts

    def _of_series(self, rows: InTime, own: Rows) -> str:
        label = self._table.series_labels[int(rows.series[own[0]])] if self._table.series_labels else ()
        return f" of the series `{', '.join(label)}`" if label else ""

    def _stratified(self, rows: Rows, why_not: Any, key: str) -> NDArray[np.int64] | None:
        """Return the class indices; None if the split cannot be stratified."""
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
        if name is not None and name in self._table.columns:
            try:
                times = read_times(self._table, name)
            except DataError as error:
                self._refuse(error.message, "time", error.help)
            places = np.unique(times.values, return_inverse=True)[1].astype(np.int64)
        elif not self._plan.windows:  # rows that are cut into windows stay contiguous
            return None
        return InTime(np.zeros(len(places), np.int64), places, places + 1)

    def _targets_past(self) -> bool:
        """Whether a target uses rows of the past or is computed from an input, so that predictions start with the window."""
        columns = [column for place, feed in self._feeds.items() if place.startswith("targets.") for column in feed.columns]
        return bool(self._plan.target_sources) or any(column == at_name(bare_name(column), "past") for column in columns)


def _some(rows: InTime, kept: Rows) -> InTime:
    return InTime(rows.series[kept], rows.target[kept], rows.end[kept])


def _classes(plan: DataPlan, feeds: Mapping[str, Feed], table: Table) -> NDArray[np.int64] | None:
    """Return the class index of each row, from the first target with classes; None if there is none."""
    for name, need in plan.fed.items():
        feed = feeds[f"targets.{name}"]
        if need.kind not in ("class", "distribution", "probability", "sign", "label") or len(feed.columns) != 1:
            continue
        if feed.columns[0] in table.columns and table.columns[feed.columns[0]].shape == ():
            values = table.read(feed.columns[0], slice(None))
            if values.dtype.kind in "Oiub" or (np.isfinite(values).all() and not (values % 1).any()):
                numbered: NDArray[np.int64] = np.unique(_as_text(values), return_inverse=True)[1]
                return numbered.astype(np.int64)
    return None


def _as_text(values: NDArray[Any]) -> NDArray[Any]:
    return values.astype(str) if values.dtype == object else values
