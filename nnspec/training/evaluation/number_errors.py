"""The errors of predicted numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

NUMBER_METRICS = ("mean_absolute_error", "root_mean_squared_error", "r2")
"""The regression metrics, besides the residuals."""


def number_errors(true: NDArray[np.float64], predicted: NDArray[np.float64]) -> dict[str, Any]:
    """Computes the [metrics][nnspec.training.evaluation.number_errors.NUMBER_METRICS] of predictions.

    Args:
        true: The targets, with the batch axis first.
        predicted: The predictions, of the same shape.

    Returns:
        ``mean_absolute_error``, ``root_mean_squared_error``, and ``r2``, None if the targets do not vary.

    Example:
        >>> number_errors(np.array([1.0, 3.0]), np.array([2.0, 2.0]))
        {'mean_absolute_error': 1.0, 'root_mean_squared_error': 1.0, 'r2': 0.0}
    """
    difference = predicted - true
    spread = ((true - true.mean(0)) ** 2).sum()
    return {
        "mean_absolute_error": float(np.abs(difference).mean()),
        "root_mean_squared_error": float(np.sqrt((difference**2).mean())),
        "r2": float(1 - (difference**2).sum() / spread) if spread > 0 else None,
    }
