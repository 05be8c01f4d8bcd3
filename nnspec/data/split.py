"""Which examples are kept for validation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "InTime",
    "Parts",
    "fold_in_time",
    "fold_of",
    "split",
    "split_by_group",
    "split_by_time",
    "why_not_stratified",
]

Parts = tuple[NDArray[np.int64], NDArray[np.int64]]
"""The rows to train on and the rows to validate on, each in the order of the table."""


@dataclass(frozen=True)
class InTime:
    """Rows in the order of time.

    Attributes:
        series: The series of each row.
        target: The place in time of the first value that each row predicts.
        end: The place behind the last value of each row.
    """

    series: NDArray[np.int64]
    target: NDArray[np.int64]
    end: NDArray[np.int64]

    def each(self) -> Iterator[NDArray[np.int64]]:
        """The rows of each series, in the order of time."""
        order = np.lexsort((self.target, self.series))
        yield from np.split(order, np.flatnonzero(np.diff(self.series[order])) + 1)

    def divided(self, own: NDArray[np.int64], first: int) -> Parts:
        """Divides a series at the first value that its row number `first` predicts, or that a row of the same time does.

        Returns:
            The rows that end before that value, and those that predict it or a later one. A row in between is in neither.
        """
        border = self.target[own[first]]
        return own[self.end[own] <= border], own[self.target[own] >= border]


def split(rows: int, fraction: float, seed: int, classes: NDArray[np.int64] | None = None) -> Parts:
    """Draws the validation part: the same for the same seed, each class in proportion where the classes are given.

    Args:
        rows: How many examples there are.
        fraction: The share that is kept; rounded up to whole examples.
        seed: Which draw.
        classes: The class of each example.

    Returns:
        The rows to train on and the rows to validate on, each in the order of the table.
    """
    from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit

    kind = ShuffleSplit if classes is None else StratifiedShuffleSplit
    return _sorted(next(kind(1, test_size=fraction, random_state=seed).split(np.empty(rows), classes)))


def split_by_group(groups: NDArray[np.int64], fraction: float, seed: int) -> Parts:
    """Draws a share of the groups, rounded up; the rows of one stay together."""
    from sklearn.model_selection import GroupShuffleSplit

    return _sorted(next(GroupShuffleSplit(1, test_size=fraction, random_state=seed).split(groups, groups=groups)))


def split_by_time(rows: InTime, fraction: float) -> Parts:
    """Keeps the last rows of each series, those of one time together; what reaches into them is left out.

    A series too short to be divided is trained on as a whole.

    Args:
        rows: The rows.
        fraction: The share that is kept; rounded up to whole rows.
    """
    train, kept = [], []
    for own in rows.each():
        first = len(own) - int(np.ceil(fraction * len(own)))
        before, after = rows.divided(own, first) if first > 0 else (own, own[:0])
        if len(before):
            train.append(before)
            kept.append(after)
        else:
            train.append(own)
    return _joined(train), _joined(kept)


def fold_in_time(rows: InTime, number: int, of: int, *, rolling: bool = False) -> Parts:
    """One step of walk-forward validation: each series is cut into equal parts, and each but the first is kept in turn.

    Args:
        rows: The rows; each series has more than `of` of them.
        number: Which part is kept, from 1.
        of: How many parts are kept in turn.
        rolling: Whether as many rows are trained on in each fold as in the first; else all rows before the part.
    """
    train, kept = [], []
    for own in rows.each():
        size = len(own) // (of + 1)
        first = len(own) - (of - number + 1) * size
        before, after = rows.divided(own, first)
        if number < of:
            after = after[: len(after) - len(rows.divided(own, first + size)[1])]
        if rolling:
            before = before[np.isin(before, own[first - (len(own) - of * size) : first])]
        train.append(before)
        kept.append(after)
    return _joined(train), _joined(kept)


def fold_of(
    rows: int,
    number: int,
    of: int,
    seed: int,
    *,
    classes: NDArray[np.int64] | None = None,
    groups: NDArray[np.int64] | None = None,
) -> Parts:
    """One of the parts of equal size that all rows are cut into.

    Args:
        rows: How many there are.
        number: Which part is kept, from 1.
        of: How many parts.
        seed: Which cut.
        classes: The class of each row, in proportion in each part.
        groups: The group of each row, in one part each.
    """
    from sklearn import model_selection as m

    grouped, alone = (m.StratifiedGroupKFold, m.GroupKFold), (m.StratifiedKFold, m.KFold)
    kind = (alone if groups is None else grouped)[classes is None]
    folds = kind(of, shuffle=True, random_state=seed)
    return _sorted(list(folds.split(np.empty(rows), classes, groups))[number - 1])


def _sorted(parts: tuple[NDArray[Any], NDArray[Any]]) -> Parts:
    train, validation = parts
    return np.sort(train).astype(np.int64), np.sort(validation).astype(np.int64)


def _joined(parts: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.sort(np.concatenate([*parts, np.zeros(0, np.int64)]).astype(np.int64))


def why_not_stratified(classes: NDArray[np.int64], fraction: float) -> str | None:
    """Why the classes cannot be kept in proportion, or None where they can."""
    found, counts = np.unique(classes, return_counts=True)
    if counts.min() < 2:
        return "a class has a single example"
    kept = int(np.ceil(fraction * len(classes)))
    if min(kept, len(classes) - kept) < len(found):
        return f"there are {len(found)} classes, and {min(kept, len(classes) - kept)} examples on one side"
    return None
