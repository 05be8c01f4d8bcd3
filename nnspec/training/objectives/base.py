"""What an objective is: everything that depends on what a network learns, each stage with the default of a supervised training.

An objective is one folder here. Its class has the name that a spec uses and holds the fields; its methods import what they need
when they are called, so that reading a spec loads no framework and no other objective. Other packages bring objectives under
the entry point group ``nnspec.objectives``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from nnspec.types import Config

if TYPE_CHECKING:
    import keras

    from nnspec.data.prepare import Prepared
    from nnspec.training.batches.augmenter import Augmenter
    from nnspec.training.batches.transforms import BatchTransform
    from nnspec.training.checks.training import TrainingCheck
    from nnspec.training.loop.networks import Networks
    from nnspec.training.loop.task import Task
    from nnspec.training.objectives.context import ObjectiveContext, Targets
    from nnspec.training.plan import TrainingPlan

__all__ = ["Objective"]


class Objective(Config):
    """What a network learns."""

    has_own_losses: ClassVar[bool] = False
    """Whether it defines the losses itself: the section ``train`` then names none for the outputs."""

    reads_whole_graph: ClassVar[bool] = True
    """Whether it can only be checked on a graph without errors."""

    predicts: ClassVar[bool] = True
    """Whether the trained network's outputs are compared with targets, so that a run can be evaluated."""

    report: ClassVar[str] = "nnspec.reports.objectives.supervised"
    """The module of its sections in a run's report; see [`nnspec.reports.objectives`][]."""

    def check(self, check: TrainingCheck) -> TrainingPlan | None:
        """Checks the sections ``train`` and ``data`` against the networks.

        Args:
            check: The spec, its graphs, and where problems are reported.

        Returns:
            The plan; None if something is wrong.
        """
        from nnspec.training.checks.network import check_network

        return check_network(check)

    def targets(self, context: ObjectiveContext) -> Targets | None:
        """Which targets are computed from inputs; by default none, all are in the data.

        Args:
            context: The network, its outputs with their losses, and where problems are reported.

        Returns:
            The sources; None if the problems leave them unknown.
        """
        from nnspec.training.objectives.context import Targets

        return Targets(context.outputs, {})

    def task(self, networks: Networks, plan: TrainingPlan, prepared: Prepared, augmenter: Augmenter | None) -> Task:
        """What is trained in each phase, and what is examined after each epoch.

        Args:
            networks: The Keras models.
            plan: The plan.
            prepared: The data.
            augmenter: Changes the training examples at random; None if nothing does.

        Raises:
            SpecError: If the data and the networks do not fit each other.
        """
        from nnspec.training.objectives.supervised.task import SupervisedTask

        return SupervisedTask(networks, plan, prepared, augmenter)

    def batch_transforms(self, plan: TrainingPlan, model: keras.Model) -> list[BatchTransform]:
        """What is done to a batch at random before the model gets it, in order; by default nothing.

        Args:
            plan: The plan.
            model: The model.
        """
        del plan, model
        return []

    def record(self, plan: TrainingPlan, prepared: Prepared) -> dict[str, Any]:
        """What is written into ``run.json`` beside the name of the objective: plain JSON values, by key.

        Args:
            plan: The plan.
            prepared: The data.
        """
        del plan, prepared
        return {}

    @classmethod
    def exported_network(cls, info: Mapping[str, Any]) -> str:
        """The network of a run that is exported by default.

        Args:
            info: The content of ``run.json``.
        """
        del info
        return "main"

    @classmethod
    def generator_record(cls, info: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """How examples are generated from noise, as ``record`` wrote it; None if the trained networks generate none.

        Args:
            info: The content of ``run.json``.
        """
        del info
        return None
