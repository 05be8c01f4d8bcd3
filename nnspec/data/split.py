"""Splitting of rows: random, stratified, grouped, and in order of time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Parts = tuple[NDArray[np.int64], NDArray[np.int64]]
"""The training rows and the held-out rows, each in the order of the table."""


@dataclass(frozen=True)
class InTime:
    """The positions of rows in time.

    Attributes:
        series: The series of each row.
        target: The position of the first value that each row predicts.
        end: The position after the last value of each row.
    """

    series: NDArray[np.int64]
    target: NDArray[np.int64]
    end: NDArray[np.int64]

    def each(self) -> Iterator[NDArray[np.int64]]:
        """Yield the rows of each series, in order of time."""
        order = np.lexsort((self.target, self.series))
        yield from np.split(order, np.flatnonzero(np.diff(self.series[order])) + 1)

    def divided(self, own: NDArray[np.int64], first: int) -> Parts:
        """Divide a series at the first value that its row `first` predicts.

        Returns:
            The rows that end before that value, and the rows that predict it or later values. Rows that overlap it are in
            neither.
        """
        cutoff = self.target[own[first]]
        return own[self.end[own] <= cutoff], own[self.target[own] >= cutoff]


def split(rows: int, fraction: float, seed: int, classes: NDArray[np.int64] | None = None) -> Parts:
    """Split rows at random, stratified if classes are given.

    Args:
        rows: The number of rows.
        fraction: The fraction of held-out rows, rounded up to a whole number.
        seed: The random seed.
        classes: The class of each row.
    """
    from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit

    kind = ShuffleSplit if classes is None else StratifiedShuffleSplit
    return _sorted(next(kind(1, test_size=fraction, random_state=seed).split(np.empty(rows), classes)))


def split_by_group(groups: NDArray[np.int64], fraction: float, seed: int) -> Parts:
    """Hold out a random fraction of the groups, rounded up; the rows of a group stay together."""
    from sklearn.model_selection import GroupShuffleSplit

    return _sorted(next(GroupShuffleSplit(1, test_size=fraction, random_state=seed).split(groups, groups=groups)))


def split_by_time(rows: InTime, fraction: float) -> Parts:
    """Hold out the last rows of each series; rows that overlap them are dropped, and rows of equal time stay together.

    Series that are too short to be split are training rows entirely.

    Args:
        rows: The rows.
        fraction: The fraction of held-out rows, rounded up to a whole number.
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
    """Return one fold of walk-forward validation: each series is cut into `of` + 1 equal blocks; the first is never held out.

    Args:
        rows: The rows; each series must have more than `of` rows.
        number: The number of the fold, from 1.
        of: The number of folds.
        rolling: Whether each fold is trained on as many rows as the first one, instead of on all rows before it.
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
    """Return one fold of shuffled k-fold cross-validation.

    Args:
        rows: The number of rows.
        number: The number of the fold, from 1.
        of: The number of folds.
        seed: The random seed.
        classes: The class of each row, for stratification.
        groups: The group of each row; the rows of a group are in the same fold.
    """
    from sklearn import model_selection as m

    grouped, ungrouped = (m.StratifiedGroupKFold, m.GroupKFold), (m.StratifiedKFold, m.KFold)
    kind = (ungrouped if groups is None else grouped)[classes is None]
    folds = kind(of, shuffle=True, random_state=seed)
    return _sorted(list(folds.split(np.empty(rows), classes, groups))[number - 1])


def _sorted(parts: tuple[NDArray[Any], NDArray[Any]]) -> Parts:
    train, validation = parts
    return np.sort(train).astype(np.int64), np.sort(validation).astype(np.int64)


def _joined(parts: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.sort(np.concatenate([*parts, np.zeros(0, np.int64)]).astype(np.int64))


def why_not_stratified(classes: NDArray[np.int64], fraction: float) -> str | None:
    """Return why a split cannot be stratified; None if it can."""
    found, counts = np.unique(classes, return_counts=True)
    if counts.min() < 2:
        return "a class has only one example"
    kept = int(np.ceil(fraction * len(classes)))
    if min(kept, len(classes) - kept) < len(found):
        return f"there are {len(found)} classes, but one split has only {min(kept, len(classes) - kept)} examples"
    return None
