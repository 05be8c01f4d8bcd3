"""Random transforms of a batch before the model, as the section ``train`` configures them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import keras

from nnspec.training.batches.noise import Noise
from nnspec.training.objectives.plugin import guarded
from nnspec.training.plan import TrainingPlan

__all__ = ["BatchTransform", "batch_transforms"]

Tensors = Mapping[str, Any]


class BatchTransform(Protocol):
    """Transforms batches. Its random states are variables that checkpoints save."""

    @property
    def variables(self) -> list[Any]:
        """The random states."""

    def __call__(self, inputs: Tensors, targets: Tensors, *, training: bool) -> tuple[Tensors, Tensors]:
        """Transforms the inputs and targets of a batch.

        Args:
            inputs: Its inputs, by name.
            targets: Its targets, by output.
            training: Whether the batch is trained on.
        """

    def restart(self) -> None:
        """Restarts the random numbers of validation, which are the same in each epoch."""


def batch_transforms(plan: TrainingPlan, model: keras.Model) -> list[BatchTransform]:
    """The transforms of a training, in order: noise, then those of the objective.

    Args:
        plan: The training plan.
        model: The model.
    """
    noise = [Noise(plan)] if plan.section.input_noise or plan.section.label_noise else []
    return [*noise, *guarded(plan.objective, plan.objective.batch_transforms, plan, model)]
