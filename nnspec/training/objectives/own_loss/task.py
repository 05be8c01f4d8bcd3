"""The training of one network with an objective's own loss: stateful Keras code that runs on every backend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from nnspec.data.prepare import Prepared
from nnspec.training.batches.augmenter import Augmenter
from nnspec.training.batches.fit_statistics import fit_statistics
from nnspec.training.loop.keras_objects import keras_optimizer
from nnspec.training.loop.learner import Batch, Learner, Task, TrainableGroup, Update
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


class _OwnLossLearner:
    batches = 1

    def __init__(
        self, model: keras.Model, loss: BatchLoss, metrics: Sequence[str] | Mapping[str, Any], optimizer: Any,
        augmenter: Augmenter | None,
    ) -> None:  # fmt: skip
        self._model, self._batch_loss, self._augmenter = model, loss, augmenter
        self.trainable: Sequence[TrainableGroup] = (TrainableGroup("main", model.trainable_variables, optimizer),)
        self._means = {name: keras.metrics.Mean(name=name) for name in metrics}

    @property
    def variables(self) -> Sequence[Any]:
        return list(self._model.variables)

    @property
    def metrics(self) -> list[Any]:
        return list(self._means.values())

    @property
    def random_variables(self) -> list[Any]:
        return [*self._batch_loss.variables, *(self._augmenter.variables if self._augmenter is not None else ())]

    def augmented(self, batch: Batch) -> Batch:
        return batch if self._augmenter is None else self._augmenter(*batch)

    def updates(self, batch: Batch) -> Sequence[Update]:
        return [Update(group, self._loss, batch) for group in self.trainable]

    def validate(self, batch: Batch) -> Any:
        return self._loss(batch, training=False)

    def reset(self) -> None:
        for metric in self.metrics:
            metric.reset_state()
        self._batch_loss.restart()

    def results(self) -> dict[str, Any]:
        return {name: float(ops.convert_to_numpy(metric.result())) for name, metric in self._means.items()}

    def _loss(self, batch: Batch, training: bool = True) -> Any:
        inputs = batch[0]
        values = dict(self._batch_loss(inputs, training=training))
        for added in self._model.losses:
            values["loss"] = values["loss"] + ops.sum(ops.cast(added, "float32"))
        size = ops.shape(next(iter(inputs.values())))[0]
        for name, mean in self._means.items():
            mean.update_state(values[name], sample_weight=size)
        return values["loss"]
