"""The interface between an objective and the backends: what a training step updates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import keras
from keras import ops

from nnspec.training.batches.augmenter import Augmenter
from nnspec.training.plan import PhasePlan

Tensors = Mapping[str, Any]
Batch = tuple[Tensors, Tensors, Tensors]
"""Inputs, targets and weights of a batch."""


@dataclass(frozen=True, eq=False)
class TrainableGroup:
    """Weights that one optimizer updates.

    Attributes:
        network: Their network.
        variables: The weights.
        optimizer: The optimizer.
        config: The optimizer as written, if it is not that of the section ``train``.
    """

    network: str
    variables: Sequence[Any]
    optimizer: Any
    config: Any = None

    @property
    def inner(self) -> Any:
        """The optimizer with the learning rate: the inner one of a loss-scaling optimizer."""
        return getattr(self.optimizer, "inner_optimizer", self.optimizer)


@dataclass(frozen=True, eq=False)
class Update:
    """One update of a group's weights.

    Attributes:
        group: The weights.
        loss: Computes the loss of the batch, and updates the metrics.
        batch: The batch, or a part of it.
    """

    group: TrainableGroup
    loss: Callable[[Batch], Any]
    batch: Batch


class Learner:
    """Computes losses and metrics: stateful Keras code that runs on every backend.

    Args:
        models: The networks.
        trainable: The weights that are trained, by optimizer.
        metrics: The names of means over the examples of an epoch, which the losses update.
        augmenter: Augments training batches; None for no augmentation.

    Attributes:
        models: The networks.
        trainable: The weights that are trained, by optimizer.
        augmenter: Augments training batches; None for no augmentation.
        batches: The number of batches of ``batch_size`` that one step takes.
        means: The means, by name.
    """

    batches = 1

    def __init__(
        self,
        models: Iterable[keras.Model],
        trainable: Sequence[TrainableGroup],
        metrics: Iterable[str],
        augmenter: Augmenter | None = None,
    ) -> None:
        self.models, self.trainable, self.augmenter = list(models), trainable, augmenter
        self.means = {name: keras.metrics.Mean(name=name) for name in metrics}

    @property
    def needs_full_batches(self) -> bool:
        """Whether a smaller last batch of an epoch is left out, since a loss depends on the size of the batch.

        Validation then has batches of about one size, with all examples.
        """
        return False

    def after_step(self) -> None:
        """Changes variables after the updates of a step; nothing by default."""
        return

    @property
    def variables(self) -> Sequence[Any]:
        """All variables of its networks."""
        return [variable for model in self.models for variable in model.variables]

    @property
    def metrics(self) -> list[Any]:
        """The Keras metrics."""
        return list(self.means.values())

    @property
    def random_variables(self) -> list[Any]:
        """The states of the random generators outside the networks."""
        return list(self.augmenter.variables) if self.augmenter is not None else []

    def augmented(self, batch: Batch) -> Batch:
        """The batch with random augmentations, for a training step."""
        return batch if self.augmenter is None else self.augmenter(*batch)

    def updates(self, batch: Batch) -> Sequence[Update]:
        """The updates of a step, in order; neither reads nor changes variables. By default one of each group, by `loss`."""
        return [Update(group, partial(self.loss, training=True), batch) for group in self.trainable]

    def loss(self, batch: Batch, *, training: bool) -> Any:
        """Computes the loss of a batch, and updates the metrics."""
        raise NotImplementedError

    def validate(self, batch: Batch) -> Any:
        """Updates the metrics with a batch that is not trained on, and returns its loss."""
        return self.loss(batch, training=False)

    def reset(self) -> None:
        """Resets the metrics, and the random numbers of validation."""
        for metric in self.metrics:
            metric.reset_state()

    def results(self) -> dict[str, Any]:
        """The values of the metrics: numbers, or lists of numbers."""
        return {metric.name: ops.convert_to_numpy(metric.result()).tolist() for metric in self.metrics}


class Task(Protocol):
    """What is trained in each phase, and what is examined after each epoch."""

    def learner(self, phase: PhasePlan) -> Learner:
        """The learner of a phase."""

    def examine(self, epoch: int, folder: Path) -> dict[str, Any]:
        """Metrics of the networks themselves after an epoch; may write images into the run folder. None by default."""
        del epoch, folder
        return {}

    def warnings(self, records: Sequence[Mapping[str, Any]]) -> list[str]:
        """Warnings about the log up to its last epoch; the text before the colon is the kind of a warning. None by default."""
        del records
        return []


def with_layer_losses(loss: Any, model: keras.Model) -> Any:
    """The sum of a loss and the losses that layers add."""
    for added in model.losses:
        loss = loss + ops.sum(ops.cast(added, "float32"))
    return loss


def batch_size(inputs: Tensors) -> int:
    """The number of examples of a batch, which is known when a step is compiled."""
    return int(next(iter(inputs.values())).shape[0])


def parts_of(batch: Batch, count: int) -> list[Batch]:
    """A batch in parts of about one size; fewer than asked for if it has fewer examples.

    Args:
        batch: The batch.
        count: The number of parts.
    """
    size = batch_size(batch[0])
    count = min(count, size)
    return [part_of(batch, size * i // count, size * (i + 1) // count) for i in range(count)]


def part_of(batch: Batch, start: int, stop: int) -> Batch:
    """The examples of a batch from one position to another."""
    inputs, targets, weights = ({name: tensor[start:stop] for name, tensor in tensors.items()} for tensors in batch)
    return inputs, targets, weights


@contextmanager
def averaged_weights(trainable: Sequence[TrainableGroup]) -> Iterator[None]:
    """Replaces weights by their moving averages if the optimizer keeps some, and restores them on exit."""
    averaging = [group for group in trainable if group.inner.use_ema and group.inner.built]
    kept = [[variable.numpy() for variable in group.variables] for group in averaging]
    for group in averaging:
        # As in keras.callbacks.SwapEMAWeights: the optimizer has no public name for them.
        for variable, average in zip(group.variables, group.inner._model_variables_moving_average, strict=True):
            variable.assign(average)
    try:
        yield
    finally:
        for group, values in zip(averaging, kept, strict=True):
            for variable, value in zip(group.variables, values, strict=True):
                variable.assign(value)
