"""The training task of supervised learning."""

from __future__ import annotations

from nnspec.data.prepare import Prepared
from nnspec.training.batches.augmenter import Augmenter
from nnspec.training.batches.class_weights import class_weights
from nnspec.training.batches.cropping import crops_of
from nnspec.training.batches.fit_statistics import fit_statistics
from nnspec.training.batches.transforms import batch_transforms
from nnspec.training.evaluation.predictions import output_units
from nnspec.training.loop.keras_objects import keras_optimizer
from nnspec.training.loop.learner import Learner, Task
from nnspec.training.loop.networks import Networks
from nnspec.training.loop.output_learner import OutputLearner
from nnspec.training.plan import PhasePlan, TrainingPlan, added_weights


class SupervisedTask(Task):
    """Trains one network whose outputs are compared with targets.

    Args:
        networks: The network's model.
        plan: The training plan.
        prepared: The data.
        augmenter: Augments the training examples; None for no augmentation.
    """

    def __init__(self, networks: Networks, plan: TrainingPlan, prepared: Prepared, augmenter: Augmenter | None) -> None:
        [self._model] = networks.models.values()
        fit_statistics(self._model, plan.graph, plan.outputs, prepared.train)
        self._class_weights = class_weights(plan, prepared.train, prepared.state)
        self._transforms = batch_transforms(plan, self._model)
        self._augmenter = augmenter
        self._crops = crops_of(plan.data)
        self._units = output_units(plan.outputs, plan.target_sources, prepared.state)
        self._added = added_weights(plan.data)
        self._count = len(prepared.train)
        self._first = prepared.train.batch(slice(0, 1))

    def learner(self, phase: PhasePlan) -> Learner:
        optimizer = keras_optimizer(phase.section)
        options = (self._class_weights, self._augmenter, self._transforms, self._crops, self._units, self._added)
        steps = -(-self._count // phase.section.batch_size)
        last_step = phase.section.steps or (phase.section.epochs or 1) * steps
        learner = OutputLearner(self._model, phase.outputs, optimizer, *options, last_step)
        learner.build(self._first.inputs, self._first.targets)
        return learner
