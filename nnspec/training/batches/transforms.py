"""Random changes of a batch before the model gets it, as the section ``train`` configures them."""

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
    """Changes batches. Its random states are variables, and go into checkpoints with the others."""

    @property
    def variables(self) -> list[Any]:
        """The random states."""

    def __call__(self, inputs: Tensors, targets: Tensors, *, training: bool) -> tuple[Tensors, Tensors]:
        """What the model sees of a batch, and what its outputs are compared with.

        Args:
            inputs: Its inputs, by name.
            targets: Its targets, by output.
            training: Whether it is trained on, or watched.
        """

    def begin(self) -> None:
        """Begins anew the draws that are the same each time a set of examples is watched."""


def batch_transforms(plan: TrainingPlan, model: keras.Model) -> list[BatchTransform]:
    """The transforms of a training, in the order in which they are applied: noise, and those of the objective.

    Args:
        plan: The training.
        model: The model.
    """
    noise = [Noise(plan)] if plan.section.input_noise or plan.section.label_noise else []
    return [*noise, *guarded(plan.objective, plan.objective.batch_transforms, plan, model)]
