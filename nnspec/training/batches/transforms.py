"""What is done to a batch at random before the model sees it, as the section ``train`` asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import keras

from nnspec.training.batches.noise import Noise
from nnspec.training.plan import TrainingPlan

__all__ = ["Change", "changes_of"]

Tensors = Mapping[str, Any]


class Change(Protocol):
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


def changes_of(plan: TrainingPlan, model: keras.Model) -> list[Change]:
    """The changes of a training, in the order in which they act.

    Args:
        plan: The training.
        model: The model, of which a change may ask an answer.
    """
    objective = plan.section.objective
    changes: list[Change] = []
    if plan.section.input_noise or plan.section.label_noise:
        changes.append(Noise(plan))
    # What an objective changes is imported with it.
    if type(objective).__name__ == "autoencoder":
        from nnspec.training.objectives.autoencoder.corruption import Corruption

        changes.append(Corruption(plan))
    if getattr(objective, "scheduled_sampling", None) is not None:
        from nnspec.training.objectives.next_token.scheduled_sampling import SampledInput

        changes.append(SampledInput(plan, model))
    return changes
