"""Random transforms of a batch before the model, as the section ``train`` configures them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import keras
from keras import ops

from nnspec.keras_backend.seeds import Seeds
from nnspec.training.objectives.plugin import guarded
from nnspec.training.plan import OutputPlan, TrainingPlan

Tensors = Mapping[str, Any]


class BatchTransform(Protocol):
    """Transforms batches. Its random states are variables that checkpoints save."""

    @property
    def variables(self) -> list[Any]:
        """The random states."""

    def __call__(self, inputs: Tensors, targets: Tensors, *, training: bool) -> tuple[Tensors, Tensors]:
        """Transforms the inputs and targets of a batch.

        Args:
            inputs: Its inputs, by name.
            targets: Its targets, by output.
            training: Whether the batch is trained on.
        """

    def restart(self) -> None:
        """Restarts the random numbers of validation, which are the same in each epoch."""


def batch_transforms(plan: TrainingPlan, model: keras.Model) -> list[BatchTransform]:
    """The transforms of a training, in order: noise, then those of the objective.

    Args:
        plan: The training plan.
        model: The model.
    """
    noise = [Noise(plan)] if plan.section.input_noise or plan.section.label_noise else []
    return [*noise, *guarded(plan.objective, plan.objective.batch_transforms, plan, model)]


class Noise:
    """Adds noise to training batches. Its random states are variables that checkpoints save.

    Args:
        plan: The training plan.
    """

    def __init__(self, plan: TrainingPlan) -> None:
        seeds = Seeds(plan.section.seed, "train")
        section = plan.section
        self._deviations = section.input_noise_of(plan.graph.inputs)
        self._rates = section.label_noise_of(plan.losses)
        self._outputs = plan.losses
        self._inputs = {name: keras.random.SeedGenerator(seeds.within("input_noise").of(name)) for name in self._deviations}
        self._labels = {name: keras.random.SeedGenerator(seeds.within("label_noise").of(name)) for name in self._rates}

    @property
    def variables(self) -> list[Any]:
        """The random states."""
        return [generator.state for generator in (*self._inputs.values(), *self._labels.values())]

    def __call__(self, inputs: Tensors, targets: Tensors, *, training: bool) -> tuple[Tensors, Tensors]:
        """Adds Gaussian noise to the inputs and replaces some labels of a training batch."""
        if not training:
            return inputs, targets
        noisy = {name: self._noisy(name, values) if name in self._inputs else values for name, values in inputs.items()}
        drawn = {name: self._relabelled(name, values) if name in self._labels else values for name, values in targets.items()}
        return noisy, drawn

    def restart(self) -> None:
        """Does nothing: validation has no noise."""

    def _noisy(self, name: str, values: Any) -> Any:
        drawn = keras.random.normal(ops.shape(values), 0.0, self._deviations[name], values.dtype, seed=self._inputs[name])
        return values + drawn

    def _relabelled(self, name: str, target: Any) -> Any:
        output, seed = self._outputs[name], self._labels[name]
        loss = output.loss
        assert loss is not None
        kind = loss.target_kind()
        if kind == "probability":
            chosen = keras.random.uniform(ops.shape(target), seed=seed) < self._rates[name]
            return ops.where(chosen, 1.0 - target, target)
        axis = getattr(loss, "axis", -1)
        classes = _classes(output, axis)
        if kind == "distribution":
            labels = ops.argmax(target, axis)
            chosen = keras.random.uniform(ops.shape(labels), seed=seed) < self._rates[name]
            drawn = keras.random.randint(ops.shape(labels), 0, classes, seed=seed)
            hot = ops.one_hot(drawn, classes, axis=axis, dtype=target.dtype)
            return ops.where(ops.expand_dims(chosen, axis), hot, target)
        chosen = keras.random.uniform(ops.shape(target), seed=seed) < self._rates[name]
        ignored = getattr(loss, "ignore_class", None)
        if ignored is not None:
            chosen = ops.logical_and(chosen, ops.not_equal(target, ignored))
        drawn = ops.cast(keras.random.randint(ops.shape(target), 0, classes, seed=seed), target.dtype)
        return ops.where(chosen, drawn, target)


def _classes(output: OutputPlan, axis: int) -> int:
    size = output.type.shape[axis]
    assert isinstance(size, int)
    return size
