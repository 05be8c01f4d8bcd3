"""What a training is for, at work: the networks, and what learns in each phase. Each kind of objective is one task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from nnspec.data.prepare import Prepared
from nnspec.training.batches.augmenter import Augmenter
from nnspec.training.batches.class_weights import class_weights
from nnspec.training.batches.cropping import crops_of
from nnspec.training.batches.fit_statistics import adapt
from nnspec.training.batches.transforms import changes_of
from nnspec.training.catalogue.keras_objects import keras_optimizer
from nnspec.training.evaluation.output_units import output_units
from nnspec.training.loop.learner import Learner
from nnspec.training.loop.networks import Networks
from nnspec.training.objectives.next_token.causality_check import refuse_looking_ahead
from nnspec.training.objectives.supervised.learner import Supervised
from nnspec.training.plan import PhasePlan, TrainingPlan

__all__ = ["SupervisedTask", "Task", "task_for"]


class Task(Protocol):
    """What a training is for."""

    def learner(self, phase: PhasePlan) -> Learner:
        """What learns in a phase."""

    def examine(self, epoch: int, folder: Path) -> dict[str, Any]:
        """Figures of the networks themselves after an epoch; it may draw into the run folder what it sees."""

    def warnings(self, records: Sequence[Mapping[str, Any]]) -> list[str]:
        """What the log says after its last epoch that someone should know at once; its kind stands before a colon."""


class SupervisedTask:
    """One network whose outputs are compared with targets.

    Args:
        networks: The network's model.
        plan: What is trained, and how.
        prepared: The data.
        augmenter: Changes the examples at random; None for nothing.
    """

    def __init__(self, networks: Networks, plan: TrainingPlan, prepared: Prepared, augmenter: Augmenter | None) -> None:
        [self._model] = networks.models.values()
        refuse_looking_ahead(self._model, plan, prepared.train)
        adapt(self._model, plan.graph, plan.outputs, prepared.train)
        self._class_weights = class_weights(plan, prepared.train, prepared.state)
        self._changes = changes_of(plan, self._model)
        self._augmenter = augmenter
        self._crops = crops_of(plan.data)
        self._units = output_units(plan.outputs, plan.derived, prepared.state)
        self._first = prepared.train.batch(slice(0, 1))

    def learner(self, phase: PhasePlan) -> Learner:
        optimizer = keras_optimizer(phase.section)
        given = (self._class_weights, self._augmenter, self._changes, self._crops, self._units)
        learner = Supervised(self._model, phase.outputs, optimizer, *given)
        learner.build(self._first.inputs, self._first.targets)
        return learner

    def examine(self, epoch: int, folder: Path) -> dict[str, Any]:
        del epoch, folder
        return {}

    def warnings(self, records: Sequence[Mapping[str, Any]]) -> list[str]:
        del records
        return []


def task_for(networks: Networks, plan: TrainingPlan, prepared: Prepared, augmenter: Augmenter | None) -> Task:
    """The task of a plan.

    Raises:
        SpecError: Where the data and the networks do not go together.
    """
    if plan.pair is None:
        return SupervisedTask(networks, plan, prepared, augmenter)
    # What an objective needs is imported with it.
    from nnspec.training.objectives.gan.task import AdversarialTask

    return AdversarialTask(networks, plan, plan.pair, prepared, augmenter)
