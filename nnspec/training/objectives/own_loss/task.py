"""The training of one network with an objective's own loss: stateful Keras code that runs on every backend."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras
from keras import ops

from nnspec.data.prepare import Prepared
from nnspec.training.batches.augmenter import Augmenter
from nnspec.training.batches.fit_statistics import fit_statistics
from nnspec.training.loop.keras_objects import keras_optimizer
from nnspec.training.loop.learner import Batch, Learner, Task, TrainableGroup, with_layer_losses
from nnspec.training.loop.networks import Networks
from nnspec.training.objectives.own_loss import BatchLoss, OwnLoss
from nnspec.training.plan import PhasePlan, TrainingPlan


class OwnLossTask(Task):
    """Trains one network with the loss of its objective.

    Args:
        objective: The objective.
        networks: The network's model.
        plan: The plan.
        prepared: The data.
        augmenter: Changes the training examples at random; None if nothing does.
    """

    def __init__(
        self, objective: OwnLoss, networks: Networks, plan: TrainingPlan, prepared: Prepared, augmenter: Augmenter | None
    ) -> None:
        [self._model] = networks.models.values()
        self._objective, self._plan, self._augmenter = objective, plan, augmenter
        fit_statistics(self._model, plan.graph, {}, prepared.train)

    def learner(self, phase: PhasePlan) -> Learner:
        loss = self._objective.batch_loss(self._plan, self._model)
        return _OwnLossLearner(self._model, loss, self._objective.metrics, keras_optimizer(phase.section), self._augmenter)


class _OwnLossLearner(Learner):
    def __init__(
        self, model: keras.Model, loss: BatchLoss, metrics: Iterable[str], optimizer: Any, augmenter: Augmenter | None
    ) -> None:
        super().__init__([model], [TrainableGroup("main", model.trainable_variables, optimizer)], metrics, augmenter)
        self._model, self._batch_loss = model, loss

    @property
    def random_variables(self) -> list[Any]:
        return [*self._batch_loss.variables, *super().random_variables]

    def reset(self) -> None:
        super().reset()
        self._batch_loss.restart()

    def loss(self, batch: Batch, *, training: bool) -> Any:
        inputs = batch[0]
        values = dict(self._batch_loss(inputs, training=training))
        values["loss"] = with_layer_losses(values["loss"], self._model)
        size = ops.shape(next(iter(inputs.values())))[0]
        for name, mean in self.means.items():
            mean.update_state(values[name], sample_weight=size)
        return values["loss"]
