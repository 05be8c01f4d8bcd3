"""Metrics that Keras does not have, as Keras metrics, accumulated over the batches of an epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


class _Overlap(keras.metrics.Metric):  # type: ignore[misc]
    """The counts of each class: true positives, actual positives, predicted positives."""

    both: Any = None
    true: Any = None
    predicted: Any = None

    def _count(self, true: Any, predicted: Any, sample_weight: Any) -> None:
        """Adds one-hot positions, (…, C)."""
        if self.both is None:
            for name in ("both", "true", "predicted"):
                setattr(self, name, self.add_variable((true.shape[-1],), "zeros", name=name))
        if sample_weight is not None:
            weight = ops.cast(sample_weight, "float32")
            weight = ops.reshape(weight, (*weight.shape, *[1] * (len(true.shape) - len(weight.shape))))
        else:
            weight = ops.ones_like(true)
        axes = tuple(range(len(true.shape) - 1))
        self.both.assign_add(ops.sum(weight * true * predicted, axes))
        self.true.assign_add(ops.sum(weight * true, axes))
        self.predicted.assign_add(ops.sum(weight * predicted, axes))

    def _coefficients(self) -> tuple[Any, Any]:
        """The coefficient of each class, and 1 for classes that occur or are predicted, else 0."""
        total = self.true + self.predicted
        defined = ops.cast(total > 0, "float32")
        return 2 * self.both / ops.maximum(total, 1e-7), defined


class BinaryDice(_Overlap):
    """The Dice coefficient of binary masks: 2·|A ∩ B| / (|A| + |B|).

    Args:
        threshold: The threshold above which a prediction is 1.
        name: The name in logs.

    Example:
        >>> dice = BinaryDice()
        >>> dice.update_state([[[1.0], [1.0]], [[0.0], [0.0]]], [[[0.9], [0.2]], [[0.4], [0.8]]])
        >>> float(dice.result())
        0.5
    """

    def __init__(self, threshold: float = 0.5, name: str = "binary_dice") -> None:
        super().__init__(name=name)
        self._threshold = threshold

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Adds a batch.

        Args:
            y_true: The target at each position, 0 or 1, (N, …); other values are rounded.
            y_pred: The prediction at each position, of the same shape.
            sample_weight: The weight of each example or position, (N,) or (N, …).
        """
        true, predicted = (
            ops.convert_to_tensor(y_true, "float32") > 0.5,
            ops.convert_to_tensor(y_pred, "float32") > self._threshold,
        )
        if true.shape[-1:] != (1,):
            true, predicted = ops.expand_dims(true, -1), ops.expand_dims(predicted, -1)
        self._count(ops.cast(true, "float32"), ops.cast(predicted, "float32"), sample_weight)

    def result(self) -> Any:
        return 0.0 if self.both is None else self._coefficients()[0][0]


class MeanDice(_Overlap):
    """The mean one-vs-rest Dice coefficient of the classes that occur or are predicted.

    Args:
        target_class_ids: The classes to average over; None for all.
        sparse_y_true: Whether the target is class indices instead of one-hot.
        axis: The class axis.
        name: The name in logs.

    Example:
        >>> dice = MeanDice(target_class_ids=[1])
        >>> dice.update_state([[1, 1, 0]], [[[0.1, 0.9], [0.8, 0.2], [0.7, 0.3]]])
        >>> round(float(dice.result()), 4)
        0.6667
    """

    def __init__(
        self,
        target_class_ids: Sequence[int] | None = None,
        sparse_y_true: bool = True,
        axis: int = -1,
        name: str = "mean_dice",
    ) -> None:
        super().__init__(name=name)
        self._classes = None if target_class_ids is None else list(target_class_ids)
        self._sparse = sparse_y_true
        self._axis = axis

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Adds a batch.

        Args:
            y_true: The class at each position, (N, …), or one-hot; an invalid index counts as a wrong prediction.
            y_pred: The scores of the classes, (N, …, C).
            sample_weight: The weight of each example or position, (N,) or (N, …).
        """
        y_pred = ops.convert_to_tensor(y_pred)
        classes = y_pred.shape[self._axis]
        labels = ops.convert_to_tensor(y_true) if self._sparse else ops.argmax(y_true, self._axis)
        predicted = ops.one_hot(ops.argmax(y_pred, self._axis), classes, dtype="float32")
        self._count(ops.one_hot(ops.cast(labels, "int32"), classes, dtype="float32"), predicted, sample_weight)

    def result(self) -> Any:
        if self.both is None:
            return 0.0
        coefficients, defined = self._coefficients()
        if self._classes is not None:
            chosen = ops.convert_to_tensor(self._classes, "int32")
            coefficients, defined = ops.take(coefficients, chosen), ops.take(defined, chosen)
        return ops.sum(coefficients * defined) / ops.maximum(ops.sum(defined), 1.0)


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


class LabelErrorRate(keras.metrics.Metric):  # type: ignore[misc]
    """The edit distance between the decoded labels and the targets, relative to the length of the targets.

    Example:
        >>> rate = LabelErrorRate()
        >>> scores = ops.one_hot(ops.array([[1, 1, 0, 1, 2]]), 4)  # decoded to 1 1 2
        >>> rate.update_state([[1, 3, 2, 0]], scores)
        >>> round(float(rate.result()), 4)
        0.3333
    """

    def __init__(self, name: str = "label_error_rate") -> None:
        super().__init__(name=name)
        self.errors = self.add_variable((), "zeros", name="errors")
        self.labels = self.add_variable((), "zeros", name="labels")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Adds a batch.

        Args:
            y_true: The labels, (N, L), padded with 0.
            y_pred: The scores of the classes, (N, T, C); class 0 is the blank.
            sample_weight: The weight of each frame, (N, T); frames of weight 0 are ignored.
        """
        wanted = ops.cast(y_true, "int32")
        best = ops.cast(ops.argmax(y_pred, -1), "int32")
        if sample_weight is not None:
            best = ops.where(ops.not_equal(sample_weight, 0), best, 0)
        repeated = ops.equal(best, ops.concatenate([ops.zeros_like(best[:, :1]), best[:, :-1]], 1))
        labels = ops.where(repeated, 0, best)
        lengths = ops.sum(ops.cast(ops.not_equal(wanted, 0), "int32"), 1)
        self.errors.assign_add(ops.sum(_edit_distance(labels, wanted, lengths)))
        self.labels.assign_add(ops.cast(ops.sum(lengths), "float32"))

    def result(self) -> Any:
        return self.errors / ops.maximum(self.labels, 1.0)


def _edit_distance(labels: Any, wanted: Any, lengths: Any) -> Any:
    """The edit distance (Levenshtein 1966) of each row of labels, without zeros, and the first labels of a target."""
    places = ops.arange(wanted.shape[1] + 1, dtype="float32")
    before = ops.expand_dims(places, 0) <= ops.expand_dims(places, 1)
    row = ops.broadcast_to(places, (ops.shape(labels)[0], wanted.shape[1] + 1))

    def step(t: Any, row: Any) -> Any:
        label = ops.take(labels, ops.reshape(t, (1,)), 1)
        replaced = row[:, :-1] + ops.cast(ops.not_equal(label, wanted), "float32")
        found = ops.concatenate([row[:, :1] + 1, ops.minimum(row[:, 1:] + 1, replaced)], 1)
        # Insertions: the minimum over all earlier places, plus one for each place between.
        found = ops.min(ops.where(before, ops.expand_dims(found - places, 1), 1e9), -1) + places
        return ops.where(ops.equal(label, 0), row, found)

    row = ops.fori_loop(0, ops.shape(labels)[1], step, row)
    return ops.squeeze(ops.take_along_axis(row, ops.expand_dims(lengths, 1), 1), 1)
