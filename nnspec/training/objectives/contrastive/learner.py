"""The NT-Xent loss of two views of every example: stateful Keras code that runs on every backend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from nnspec.training.batches.augmenter import Augmenter
from nnspec.training.batches.random_layers import RandomLayers
from nnspec.training.loop.learner import Batch, TrainableGroup, Update
from nnspec.training.objectives.contrastive.check import METRICS, ContrastivePlan

__all__ = ["ContrastiveLearner", "nt_xent"]


class ContrastiveLearner:
    """Minimizes the NT-Xent loss of two views.

    Args:
        model: The model.
        plan: The checked objective.
        optimizer: The optimizer.
        seed: The seed of the training.
        augmenter: Augments the training examples before views are made; None for no augmentation.
    """

    batches = 1

    def __init__(
        self, model: keras.Model, plan: ContrastivePlan, optimizer: Any, seed: int, augmenter: Augmenter | None
    ) -> None:
        self._model, self._plan, self._augmenter = model, plan, augmenter
        self.trainable: Sequence[TrainableGroup] = (TrainableGroup("main", model.trainable_variables, optimizer),)
        self._views = [RandomLayers({plan.input: plan.objective.views}, seed, f"view_{i}") for i in (1, 2)]
        self._means = {name: keras.metrics.Mean(name=name) for name in METRICS}

    @property
    def variables(self) -> Sequence[Any]:
        return list(self._model.variables)

    @property
    def metrics(self) -> list[Any]:
        return list(self._means.values())

    @property
    def random_variables(self) -> list[Any]:
        augmenting = self._augmenter.variables if self._augmenter is not None else []
        return [*(variable for view in self._views for variable in view.variables), *augmenting]

    def augmented(self, batch: Batch) -> Batch:
        return batch if self._augmenter is None else self._augmenter(*batch)

    def updates(self, batch: Batch) -> Sequence[Update]:
        return [Update(group, self._loss, batch) for group in self.trainable]

    def validate(self, batch: Batch) -> Any:
        return self._loss(batch, training=False)

    def reset(self) -> None:
        for metric in self.metrics:
            metric.reset_state()
        for view in self._views:
            view.restart()

    def results(self) -> dict[str, Any]:
        return {name: float(ops.convert_to_numpy(metric.result())) for name, metric in self._means.items()}

    def _loss(self, batch: Batch, training: bool = True) -> Any:
        # The views are separate batches, so that batch normalization does not mix them.
        first, second = (
            self._model(view(batch[0], training=training), training=training)[self._plan.output] for view in self._views
        )
        loss, accuracy = nt_xent(first, second, self._plan.objective.temperature)
        size = ops.shape(first)[0]
        self._means["contrastive_accuracy"].update_state(accuracy, sample_weight=size)
        for added in self._model.losses:
            loss = loss + ops.sum(ops.cast(added, "float32"))
        self._means["loss"].update_state(loss, sample_weight=size)
        return loss


def nt_xent(first: Any, second: Any, temperature: float) -> tuple[Any, Any]:
    """The normalized temperature-scaled cross-entropy of two views (Chen et al. 2020, equation 1).

    Args:
        first: The vectors of one view, (N, D).
        second: The vectors of the other view, (N, D).
        temperature: The divisor of the similarities.

    Returns:
        The loss, and the share of vectors whose most similar other vector is the other view of the same example.

    Example:
        >>> loss, accuracy = nt_xent(ops.eye(2), ops.eye(2), temperature=0.1)
        >>> round(float(loss), 6), float(accuracy)
        (9.1e-05, 1.0)
    """
    vectors = ops.normalize(ops.cast(ops.concatenate([first, second], 0), "float32"), axis=-1)
    size, half = ops.shape(vectors)[0], ops.shape(first)[0]
    similarities = ops.matmul(vectors, ops.transpose(vectors)) / temperature
    # A vector is not compared with itself.
    similarities = similarities - 1e9 * ops.eye(size, dtype="float32")
    other = ops.mod(ops.arange(size) + half, size)
    loss = ops.mean(keras.losses.sparse_categorical_crossentropy(other, similarities, from_logits=True))
    found = ops.cast(ops.argmax(similarities, -1), other.dtype)
    return loss, ops.mean(ops.cast(ops.equal(found, other), "float32"))
