"""The training task of contrastive learning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nnspec.data.prepare import Prepared
from nnspec.training.batches.augmenter import Augmenter
from nnspec.training.batches.fit_statistics import fit_statistics
from nnspec.training.catalogue.keras_objects import keras_optimizer
from nnspec.training.loop.learner import Learner
from nnspec.training.loop.networks import Networks
from nnspec.training.objectives.contrastive.check import ContrastivePlan
from nnspec.training.objectives.contrastive.learner import ContrastiveLearner
from nnspec.training.plan import PhasePlan, TrainingPlan

__all__ = ["ContrastiveTask"]


class ContrastiveTask:
    """Contrastive learning.

    Args:
        networks: The network's model.
        plan: The plan.
        prepared: The data.
        augmenter: Augments the training examples before views are made; None for no augmentation.
    """

    def __init__(self, networks: Networks, plan: TrainingPlan, prepared: Prepared, augmenter: Augmenter | None) -> None:
        [self._model] = networks.models.values()
        self._own: ContrastivePlan = plan.own
        self._seed, self._augmenter = plan.section.seed, augmenter
        fit_statistics(self._model, plan.graph, {}, prepared.train)

    def learner(self, phase: PhasePlan) -> Learner:
        return ContrastiveLearner(self._model, self._own, keras_optimizer(phase.section), self._seed, self._augmenter)

    def examine(self, epoch: int, folder: Path) -> dict[str, Any]:
        del epoch, folder
        return {}

    def warnings(self, records: Sequence[Mapping[str, Any]]) -> list[str]:
        del records
        return []
