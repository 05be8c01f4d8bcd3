"""Which rows are trained on and which are watched, as a spec asks for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from nnspec.data import problems as d
from nnspec.data.places import locate
from nnspec.data.plan import DataPlan, Feed
from nnspec.data.readers.base import Table
from nnspec.data.split import Parts, fold_of, split, split_by_group, split_by_time, why_not_stratified
from nnspec.diagnostics import Diagnostic

__all__ = ["draw", "parts_at_most"]

# ISO 8601, which sorts as text in the order of time.
_DATE = re.compile(r"\d{4}-\d\d(-\d\d([T ]\d\d(:\d\d(:\d\d(\.\d+)?)?)?(Z|[+-]\d\d:?\d\d)?)?)?")

_SMALLER = "write a smaller fraction, or add examples"


def draw(
    plan: DataPlan, feeds: Mapping[str, Feed], table: Table, seed: int, problems: list[Diagnostic]
) -> tuple[NDArray[np.int64], NDArray[np.int64] | None]:
    """The rows that are trained on, and those of the validation part where that is drawn from the same table.

    Args:
        plan: The plan.
        feeds: How inputs and targets get their values.
        table: The training data.
        seed: Which draw.
        problems: Why they cannot be drawn, or not with each class in proportion, is appended here.
    """
    rows = np.arange(len(table))
    if plan.fraction is None:
        return rows, None
    try:
        return _Draw(plan, feeds, table, seed, problems).parts()
    except _Refused:
        return rows, None


def parts_at_most(plan: DataPlan, table: Table) -> int:
    """How many parts the training data can be cut into: as there are rows, or groups."""
    group = plan.section.group
    return len(table) if group is None else len(np.unique(_as_text(table.read(group, slice(None)))))


class _Refused(Exception):
    """A diagnostic was given."""


class _Draw:
    def __init__(self, plan: DataPlan, feeds: Mapping[str, Feed], table: Table, seed: int, problems: list[Diagnostic]) -> None:
        self._plan = plan
        self._feeds = feeds
        self._table = table
        self._seed = seed
        self._problems = problems

    def parts(self) -> Parts:
        plan, rows = self._plan, len(self._table)
        fraction, span = plan.fraction, locate(plan.tree, "validation")
        assert fraction is not None
        if int(np.ceil(fraction * rows)) >= rows and plan.fold is None:
            self._problems.append(d.CannotSplit.at(*span, help=_SMALLER, fraction=fraction, rows=rows, left="none to train on"))
            raise _Refused
        times, groups = self._times(), self._groups()
        gap = self._table.order or 0
        if plan.fold is not None:
            return self._fold(times, groups, gap)
        if times is not None:
            return self._whole(split_by_time(times, fraction, gap), f"no row comes before the last {fraction:g} of them")
        if groups is not None:
            found = len(np.unique(groups))
            if int(np.ceil(fraction * found)) >= found:
                self._refuse(f"{fraction:g} of {found} groups leaves none to train on")
            return split_by_group(groups, fraction, self._seed)
        return split(rows, fraction, self._seed, self._stratified(lambda classes: why_not_stratified(classes, fraction)))

    def _fold(self, times: NDArray[Any] | None, groups: NDArray[np.int64] | None, gap: int) -> Parts:
        fold = self._plan.fold
        assert fold is not None
        units = len(self._table) if groups is None else len(np.unique(groups))
        # In time, the first part is never kept: it is what the first fold is trained on.
        if fold.of + (times is not None) > units:
            self._refuse(f"{units:,} {'rows' if groups is None else 'groups'} cannot be cut into {fold.of:,} folds")
        if times is not None:
            if len(times) // (fold.of + 1) <= gap:
                self._refuse(f"{units:,} windows cannot be cut into {fold.of:,} folds whose targets lie apart")
            return fold_of(len(times), fold.number, fold.of, self._seed, times=times, gap=gap)
        classes = None
        if fold.of < units:
            least = "a class has fewer examples than there are folds"
            classes = self._stratified(lambda classes: least if np.bincount(classes).min() < fold.of else None)
        return fold_of(len(self._table), fold.number, fold.of, self._seed, classes=classes, groups=groups)

    def _stratified(self, why_not: Any) -> NDArray[np.int64] | None:
        """The classes, where each can be kept in proportion."""
        classes = _classes(self._plan, self._feeds, self._table)
        if classes is not None and (reason := why_not(classes)):
            self._problems.append(d.NotStratified.at(*locate(self._plan.tree, "validation"), reason=reason))
            return None
        return classes

    def _whole(self, parts: Parts, reason: str) -> Parts:
        if not len(parts[0]):
            self._refuse(reason)
        return parts

    def _refuse(self, reason: str, key: str = "validation") -> NoReturn:
        self._problems.append(d.CannotDraw.at(*locate(self._plan.tree, key), reason=reason))
        raise _Refused

    def _groups(self) -> NDArray[np.int64] | None:
        name = self._plan.section.group
        if name is None or name not in self._table.columns:
            return None
        numbered: NDArray[np.int64] = np.unique(_as_text(self._table.read(name, slice(None))), return_inverse=True)[1]
        return numbered.astype(np.int64)

    def _times(self) -> NDArray[Any] | None:
        name = self._plan.section.time
        if name is None:
            # What windows are cut from stays in one piece.
            in_order = self._table.order is not None or bool(self._plan.windows)
            return np.arange(len(self._table)) if in_order else None
        values = self._table.read(name, slice(None))
        if values.ndim != 1 or (values.dtype != object and values.dtype.kind not in "iuf"):
            self._refuse(f"`{name}` holds no times", "time")
        bad = [not (isinstance(v, str) and _DATE.fullmatch(v)) if values.dtype == object else v != v for v in values]
        if any(bad):
            where = self._table.where(name, bad.index(True))
            shown = str(values[bad.index(True)])[:40]
            self._refuse(f"{where}: `{shown}` is no number and no date as ISO 8601 has it (2026-01-31)", "time")
        return values.astype(str) if values.dtype == object else values


def _classes(plan: DataPlan, feeds: Mapping[str, Feed], table: Table) -> NDArray[np.int64] | None:
    """The class of each row, numbered, by the first target that is a class; None where none is."""
    for name, need in plan.fed.items():
        feed = feeds[f"targets.{name}"]
        if need.kind not in ("class", "distribution", "probability", "sign", "label") or len(feed.columns) != 1:
            continue
        if table.columns[feed.columns[0]].shape == ():
            values = table.read(feed.columns[0], slice(None))
            if values.dtype.kind in "Oiub" or not (values % 1).any():
                numbered: NDArray[np.int64] = np.unique(_as_text(values), return_inverse=True)[1]
                return numbered.astype(np.int64)
    return None


def _as_text(values: NDArray[Any]) -> NDArray[Any]:
    return values.astype(str) if values.dtype == object else values
