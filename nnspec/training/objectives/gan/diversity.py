"""The diversity of generated examples relative to the data, and warnings of failed GAN training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MIN_DIVERSITY = 0.5
_MIN_DISTINCTNESS = 0.3
_PATIENCE = 4
_WON = 0.99


def mean_distance(examples: NDArray[Any]) -> float:
    """The mean pairwise distance of examples, (N, …), where a distance is the root mean square of the differences.

    Example:
        >>> mean_distance(np.array([[0.0], [2.0], [4.0]])), mean_distance(np.ones((4, 3)))
        (2.6666666666666665, 0.0)
    """
    distances = _distances(examples)
    return float(distances[np.triu_indices(len(distances), 1)].mean())


def mean_nearest_distance(examples: NDArray[Any]) -> float:
    """The mean distance of each example to its nearest neighbor, which is near 0 if examples repeat.

    Example:
        >>> mean_nearest_distance(np.array([[0.0], [1.0], [9.0], [9.0]]))
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
    # Rounding leaves a small distance between equal rows.
    distances[found < 1e-9 * squares.max(initial=0.0)] = 0.0
    return distances


def log_warnings(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Warnings about the metrics of the last epoch; the text before the colon is the kind.

    An untrained generator returns almost the same example for all noise. This counts as a mode collapse only if earlier
    examples were more diverse, or after a few epochs.

    Args:
        records: The log, up to the epoch.
    """
    found = []
    last = records[-1]
    if _is_uniform(last) and (len(records) > _PATIENCE or not all(map(_is_uniform, records))):
        found.append(
            f"mode collapse: the mean distance between generated examples is {last['diversity']:.0%} of that of the data, and "
            f"the distance to the nearest neighbor {last['distinctness']:.0%}. Lower the generator's learning rate, add "
            "`input_noise`, or use `wasserstein` with `gradient_penalty: 10`"
        )
    real, generated = last.get("real_accuracy"), last.get("generated_accuracy")
    if real is not None and generated is not None and min(real, generated) > _WON:
        found.append(
            f"the discriminator is too strong: it classifies {real:.1%} of the real and {generated:.1%} of the generated "
            "examples correctly, so the generator learns little. Lower the discriminator's learning rate, add `Dropout` to it, "
            "or write `label_smoothing: 0.1`"
        )
    if real is not None and generated is not None and max(real, generated) < 1 - _WON:
        found.append(
            "the discriminator fails: it classifies nearly all real examples as generated, and generated ones as real. "
            "Raise its learning rate, or write `steps: {discriminator: 2}`"
        )
    return found


def _is_uniform(record: Mapping[str, Any]) -> bool:
    """Whether generated examples are much less diverse than the data, or the metrics are NaN."""
    diversity, distinctness = record.get("diversity", 1.0), record.get("distinctness", 1.0)
    return not (diversity >= _MIN_DIVERSITY and distinctness >= _MIN_DISTINCTNESS)
