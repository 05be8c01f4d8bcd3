"""Which examples are kept for validation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Parts", "fold_of", "split", "split_by_group", "split_by_time", "why_not_stratified"]

Parts = tuple[NDArray[np.int64], NDArray[np.int64]]
"""The rows to train on and the rows to validate on, each in the order of the table."""


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


def split_by_time(times: NDArray[Any], fraction: float, gap: int = 0) -> Parts:
    """Keeps the last rows, those of one time together.

    Args:
        times: The time of each row.
        fraction: The share that is kept; rounded up to whole rows.
        gap: How many rows before them are left out, for they share values with them.
    """
    order = np.argsort(times, kind="stable")
    first = len(times) - int(np.ceil(fraction * len(times)))
    while first and times[order[first - 1]] == times[order[first]]:
        first -= 1
    return _sorted((order[: max(first - gap, 0)], order[first:]))


def fold_of(
    rows: int,
    number: int,
    of: int,
    seed: int,
    *,
    classes: NDArray[np.int64] | None = None,
    groups: NDArray[np.int64] | None = None,
    times: NDArray[Any] | None = None,
    gap: int = 0,
) -> Parts:
    """One of the parts of equal size that all rows are cut into.

    Args:
        rows: How many there are.
        number: Which part is kept, from 1.
        of: How many parts.
        seed: Which cut.
        classes: The class of each row, in proportion in each part.
        groups: The group of each row, in one part each.
        times: The time of each row: the parts follow each other, and what is behind the part that is kept is left out.
        gap: How many rows before it are left out, too.
    """
    from sklearn import model_selection as m

    grouped, alone = (m.StratifiedGroupKFold, m.GroupKFold), (m.StratifiedKFold, m.KFold)
    if times is not None:
        order = np.argsort(times, kind="stable")
        train, kept = list(m.TimeSeriesSplit(of, gap=gap).split(order))[number - 1]
        return _sorted((order[train], order[kept]))
    kind = (alone if groups is None else grouped)[classes is None]
    folds = kind(of, shuffle=True, random_state=seed)
    return _sorted(list(folds.split(np.empty(rows), classes, groups))[number - 1])


def _sorted(parts: tuple[NDArray[Any], NDArray[Any]]) -> Parts:
    train, validation = parts
    return np.sort(train).astype(np.int64), np.sort(validation).astype(np.int64)


def why_not_stratified(classes: NDArray[np.int64], fraction: float) -> str | None:
    """Why the classes cannot be kept in proportion, or None where they can."""
    found, counts = np.unique(classes, return_counts=True)
    if counts.min() < 2:
        return "a class has a single example"
    kept = int(np.ceil(fraction * len(classes)))
    if min(kept, len(classes) - kept) < len(found):
        return f"there are {len(found)} classes, and {min(kept, len(classes) - kept)} examples on one side"
    return None
