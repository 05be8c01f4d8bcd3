"""Which examples are kept for validation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["split", "why_not_stratified"]


def split(
    rows: int, fraction: float, seed: int, classes: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
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
    drawn: tuple[NDArray[Any], NDArray[Any]] = next(
        kind(1, test_size=fraction, random_state=seed).split(np.empty(rows), classes)
    )
    train, validation = drawn
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
