"""The base of objectives that train the document's own network with a loss of their own."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from nnspec.training.objectives.base import Objective

if TYPE_CHECKING:
    import keras

    from nnspec.data.prepare import Prepared
    from nnspec.training.batches.augmenter import Augmenter
    from nnspec.training.loop.learner import Task
    from nnspec.training.loop.networks import Networks
    from nnspec.training.objectives.context import ObjectiveContext, TrainingCheck
    from nnspec.training.plan import TrainingPlan

__all__ = ["BatchLoss", "OwnLoss"]


class BatchLoss(Protocol):
    """Computes the loss of a batch. Its random states are variables, and go into checkpoints with the others."""

    @property
    def variables(self) -> list[Any]:
        """The states of the random generators."""

    def __call__(self, inputs: Mapping[str, Any], *, training: bool) -> Mapping[str, Any]:
        """The metrics of the objective, by name, each the mean over the examples; ``loss`` is minimized.

        Args:
            inputs: The inputs of the batch, by name.
            training: Whether the batch is trained on.
        """

    def restart(self) -> None:
        """Restarts the draws of validation."""


class OwnLoss(Objective):
    """Computes a loss from the inputs alone: no targets are read, and predictions are not evaluated.

    A subclass defines ``metrics``, ``own_plan`` and ``batch_loss``.
    """

    has_own_losses: ClassVar[bool] = True
    predicts: ClassVar[bool] = False

    metrics: ClassVar[Mapping[str, Literal["min", "max"]]] = {"loss": "min"}
    """The metrics of an epoch, each with its better direction."""

    def own_plan(self, context: ObjectiveContext) -> Any:
        """Checks the network, and returns what the loss needs, which becomes ``plan.own``; None if something is wrong.

        Args:
            context: The network, and where problems are reported.
        """
        raise NotImplementedError

    def batch_loss(self, plan: TrainingPlan, model: keras.Model) -> BatchLoss:
        """The loss of a batch: Keras code that runs on every backend.

        Args:
            plan: The plan.
            model: The network's model: it takes and returns tensors by name.
        """
        raise NotImplementedError

    def check(self, check: TrainingCheck) -> TrainingPlan | None:
        from nnspec.training.objectives.own_loss.check import check_own_loss

        return check_own_loss(self, check)

    def vectors(self, plan: TrainingPlan) -> Collection[str]:
        return plan.graph.outputs

    def task(self, networks: Networks, plan: TrainingPlan, prepared: Prepared, augmenter: Augmenter | None) -> Task:
        from nnspec.training.objectives.own_loss.task import OwnLossTask

        return OwnLossTask(self, networks, plan, prepared, augmenter)
