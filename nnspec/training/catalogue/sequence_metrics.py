"""Metrics of sequences as Keras metrics."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

__all__ = ["ExactMatch", "Perplexity"]


class Perplexity(keras.metrics.SparseCategoricalCrossentropy):  # type: ignore[misc]
    """The exponential of the mean cross-entropy of the weighted positions.

    Example:
        >>> perplexity = Perplexity(from_logits=True, name="perplexity")
        >>> perplexity.update_state(ops.array([[3, 1]]), ops.zeros((1, 2, 4)))
        >>> round(float(perplexity.result()), 4)
        4.0
    """

    def result(self) -> Any:
        return ops.exp(super().result())


class ExactMatch(keras.metrics.Mean):  # type: ignore[misc]
    """The share of examples that are correct at every weighted position; examples without any are ignored.

    Example:
        >>> matches = ExactMatch(name="exact_match")
        >>> matches.update_state([[1, 0], [1, 0]], [[[0, 1], [1, 0]], [[0, 1], [0, 1]]])
        >>> float(matches.result())
        0.5
    """

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Adds a batch.

        Args:
            y_true: The class at each position, (N, …).
            y_pred: The scores of the classes, (N, …, C).
            sample_weight: The weight of each position, (N, …); positions of weight 0 are ignored.
        """
        y_true = ops.convert_to_tensor(y_true)
        predicted = ops.cast(ops.argmax(y_pred, -1), y_true.dtype)
        counts = ops.ones_like(predicted, "bool") if sample_weight is None else ops.not_equal(sample_weight, 0)
        rows = ops.shape(predicted)[0]
        correct = ops.all(ops.reshape(ops.logical_or(ops.equal(predicted, y_true), ops.logical_not(counts)), (rows, -1)), 1)
        counted = ops.any(ops.reshape(counts, (rows, -1)), 1)
        super().update_state(ops.cast(correct, "float32"), sample_weight=ops.cast(counted, "float32"))
