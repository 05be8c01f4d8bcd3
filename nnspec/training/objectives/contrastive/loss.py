"""The NT-Xent loss of two views of every example: Keras code that runs on every backend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from nnspec.training.batches.random_layers import RandomLayers
from nnspec.training.objectives.contrastive.check import ContrastivePlan
from nnspec.training.plan import TrainingPlan


class ContrastiveLoss:
    """Compares the vectors of two views of every example.

    Args:
        model: The model.
        plan: A training whose objective is ``contrastive``.
    """

    def __init__(self, model: keras.Model, plan: TrainingPlan) -> None:
        own: ContrastivePlan = plan.own
        self._model, self._own = model, own
        self._views = [RandomLayers({own.input: own.objective.views}, plan.section.seed, f"view_{i}") for i in (1, 2)]

    @property
    def variables(self) -> list[Any]:
        return [variable for view in self._views for variable in view.variables]

    def __call__(self, inputs: Mapping[str, Any], *, training: bool) -> dict[str, Any]:
        # Each view is a batch of its own, as batch normalization sees it at inference.
        first, second = (
            self._model(view(inputs, training=training), training=training)[self._own.output] for view in self._views
        )
        loss, accuracy = nt_xent(first, second, self._own.objective.temperature)
        return {"loss": loss, "contrastive_accuracy": accuracy}

    def restart(self) -> None:
        for view in self._views:
            view.restart()


def nt_xent(first: Any, second: Any, temperature: float) -> tuple[Any, Any]:
    """The normalized temperature-scaled cross-entropy of two views (Chen et al. 2020, equation 1).

    Args:
        first: The vectors of one view, (N, D).
        second: The vectors of the other view, (N, D).
        temperature: What similarities are divided by.

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
