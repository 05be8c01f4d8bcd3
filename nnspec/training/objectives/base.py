"""The interface of objectives. The defaults are those of supervised learning.

Each objective is a package in this folder. Its class has the name that specs use, and its fields are the arguments. Methods
import their dependencies when called, so that reading a spec loads no framework and no other objective. Other packages
register objectives under the entry point group ``nnspec.objectives``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from nnspec.types import Config

if TYPE_CHECKING:
    import keras

    from nnspec.data.prepare import Prepared
    from nnspec.training.batches.augmenter import Augmenter
    from nnspec.training.batches.transforms import BatchTransform
    from nnspec.training.loop.learner import Task
    from nnspec.training.loop.networks import Networks
    from nnspec.training.objectives.context import ObjectiveContext, Targets, TrainingCheck
    from nnspec.training.plan import TrainingPlan


class Objective(Config):
    """A training objective."""

    has_own_losses: ClassVar[bool] = False
    """Whether the objective defines the losses, so that the section ``train`` has no key ``loss``."""

    reads_whole_graph: ClassVar[bool] = True
    """Whether the check needs a graph without errors."""

    predicts: ClassVar[bool] = True
    """Whether outputs are compared with targets, so that a run can be evaluated."""

    measures: ClassVar[bool] = False
    """Whether a run without targets can be evaluated by the metrics of its training."""

    report: ClassVar[str] = "nnspec.reports.objectives.supervised"
    """The module with the objective's sections of a report; see [`nnspec.reports.objectives`][]."""

    def check(self, check: TrainingCheck) -> TrainingPlan | None:
        """Checks the sections ``train`` and ``data`` against the networks.

        Args:
            check: The spec, its graphs, and where problems are reported.

        Returns:
            The plan; None if there are errors.
        """
        from nnspec.training.objectives.check import check_network

        return check_network(check)

    def targets(self, context: ObjectiveContext) -> Targets | None:
        """Determines which targets are computed from inputs; by default none.

        Args:
            context: The network, its outputs with their losses, and where problems are reported.

        Returns:
            The sources; None if the problems leave them unknown.
        """
        from nnspec.training.objectives.context import Targets

        return Targets(context.outputs, {})

    def task(self, networks: Networks, plan: TrainingPlan, prepared: Prepared, augmenter: Augmenter | None) -> Task:
        """Creates the task that the training loop runs.

        Args:
            networks: The Keras models.
            plan: The plan.
            prepared: The data.
            augmenter: Augments the training examples; None for no augmentation.

        Raises:
            SpecError: If the data and the networks do not fit each other.
        """
        from nnspec.training.objectives.supervised.task import SupervisedTask

        return SupervisedTask(networks, plan, prepared, augmenter)

    def batch_transforms(self, plan: TrainingPlan, model: keras.Model) -> list[BatchTransform]:
        """Creates the random transforms of a batch, in order; by default none.

        Args:
            plan: The plan.
            model: The model.
        """
        del plan, model
        return []

    def record(self, plan: TrainingPlan, prepared: Prepared) -> dict[str, Any]:
        """Further entries of ``run.json``, plain JSON values by key.

        Args:
            plan: The plan.
            prepared: The data.
        """
        del plan, prepared
        return {}

    def vectors(self, plan: TrainingPlan) -> Collection[str]:
        """The outputs without a loss of their own that are vectors, not scores of classes; by default none.

        Args:
            plan: The plan.
        """
        del plan
        return ()

    @classmethod
    def exported_network(cls, info: Mapping[str, Any]) -> str:
        """The network that is exported by default; empty if the spec has to name it.

        Args:
            info: The content of ``run.json``.
        """
        del info
        return "main"

    @classmethod
    def generator_record(cls, info: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The record of how examples are generated from noise; None if the objective trains no generator.

        Args:
            info: The content of ``run.json``.
        """
        del info
        return None
