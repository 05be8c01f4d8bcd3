"""Whether what a generator makes is as varied as the data, and what its figures warn of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["apart", "nearest", "warnings_of"]

_LEAST_DIVERSITY = 0.5
_LEAST_DISTINCTNESS = 0.3
_PATIENCE = 4
_WON = 0.99


def apart(examples: NDArray[Any]) -> float:
    """The mean distance between two of some examples, (N, …); root mean square, so that it is in the unit of their values.

    Example:
        >>> apart(np.array([[0.0], [2.0], [4.0]])), apart(np.ones((4, 3)))
        (2.6666666666666665, 0.0)
    """
    distances = _distances(examples)
    return float(distances[np.triu_indices(len(distances), 1)].mean())


def nearest(examples: NDArray[Any]) -> float:
    """The mean distance of each example to the one that is nearest to it: near 0 where the same is made again and again.

    Example:
        >>> nearest(np.array([[0.0], [1.0], [9.0], [9.0]]))
        0.5
    """
    distances = _distances(examples)
    np.fill_diagonal(distances, np.inf)
    return float(distances.min(1).mean())


def _distances(examples: NDArray[Any]) -> NDArray[np.float64]:
    rows = examples.reshape(len(examples), -1).astype(np.float64)
    squares = (rows**2).sum(1)
    found = squares[:, None] + squares[None] - 2 * rows @ rows.T
    distances: NDArray[np.float64] = np.sqrt(np.maximum(found, 0.0) / rows.shape[1])
    # What rounding leaves of the distance between equal rows is no distance.
    distances[found < 1e-9 * squares.max(initial=0.0)] = 0.0
    return distances


def warnings_of(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the figures say after the last epoch that someone should know at once; what stands before the colon is its kind.

    A generator that has not learned anything yet makes much the same of all noise: that is a collapse where it was more varied
    before, or where it goes on so.

    Args:
        records: The log of a pair, to the epoch in question.
    """
    found = []
    last = records[-1]
    if _is_uniform(last) and (len(records) > _PATIENCE or not all(map(_is_uniform, records))):
        found.append(
            f"the generator collapses: its examples lie {last['diversity']:.0%} as far apart as those of the data, and each "
            f"{last['distinctness']:.0%} as far from the one nearest to it. Lower its learning rate, add `input_noise`, or "
            "take `wasserstein` with `gradient_penalty: 10`"
        )
    real, made = last.get("real_accuracy"), last.get("generated_accuracy")
    if real is not None and made is not None and min(real, made) > _WON:
        found.append(
            f"the discriminator wins: it tells {real:.1%} of the data and {made:.1%} of what is made. The generator then "
            "learns little: lower the discriminator's learning rate, give it `Dropout`, or write `label_smoothing: 0.1`"
        )
    if real is not None and made is not None and max(real, made) < 1 - _WON:
        found.append(
            "the discriminator is lost: it takes nearly all of the data for made, and what is made for the data. Raise its "
            "learning rate, or write `steps: {discriminator: 2}`"
        )
    return found


def _is_uniform(record: Mapping[str, Any]) -> bool:
    """Whether what is made is much less varied than the data; so too where it is no number."""
    diversity, distinctness = record.get("diversity", 1.0), record.get("distinctness", 1.0)
    return not (diversity >= _LEAST_DIVERSITY and distinctness >= _LEAST_DISTINCTNESS)
