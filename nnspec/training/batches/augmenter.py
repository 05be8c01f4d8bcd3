"""Random changes of the training examples, inside the training step. They are Keras's own layers, on every backend."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from keras import ops

from nnspec.data import problems as d
from nnspec.data.examples import Examples
from nnspec.data.locations import locate
from nnspec.data.plan import AugmentPlan, DataPlan, Need
from nnspec.data.targets.base import TargetSource
from nnspec.diagnostics import Diagnostic
from nnspec.keras_backend.objects import keras_object
from nnspec.keras_backend.seeds import Seeds
from nnspec.layers.mixing import Mixing

__all__ = ["Augmenter", "outside_range"]

Tensors = Mapping[str, Any]
_LOOKED_AT = 1024


class Augmenter:
    """Changes batches as a spec's ``data.augment`` says.

    Args:
        plans: The changes, in order.
        needs: What the losses want of the targets.
        seed: Where the draws come from. They go on from `variables`, which belong to the state of a training.
        target_sources: The targets that are computed from an input, by output: those that are the input change as it does.
    """

    def __init__(
        self,
        plans: Sequence[AugmentPlan],
        needs: Mapping[str, Need],
        seed: int,
        target_sources: Mapping[str, TargetSource] | None = None,
    ) -> None:
        self._needs = needs
        self._same = {output: source.input for output, source in (target_sources or {}).items() if source.is_input}
        self._changes = [
            (plan, keras_object(plan.layer, Seeds(seed, f"augment/{i}"), name=f"augment.{i}")) for i, plan in enumerate(plans)
        ]

    @property
    def variables(self) -> list[Any]:
        """The Keras variables that say which draws come next."""
        return [variable for _, layer in self._changes for variable in layer.variables]

    def __call__(self, inputs: Tensors, targets: Tensors, weights: Tensors) -> tuple[Tensors, Tensors, Tensors]:
        """A batch, changed.

        Args:
            inputs: Its inputs, by name.
            targets: Its targets, by output.
            weights: How much of them counts, by output: a weight of each position, (N, H, W), moves as its target does.
        """
        inputs, targets, weights = dict(inputs), dict(targets), dict(weights)
        for plan, layer in self._changes:
            drawn = layer.get_random_transformation(inputs[plan.inputs[0]], training=True)
            state = layer.generator.state
            before = ops.copy(state)
            for name in plan.inputs:
                # Keras's RandomColorJitter and RandomElasticTransform draw while they change: all alike, from the same state.
                state.assign(before)
                inputs[name] = layer.transform_images(inputs[name], drawn, training=True)
            for name in plan.targets:
                change = _mixed if isinstance(plan.layer, Mixing) else _labels if name in plan.masks else _picture
                state.assign(before)
                targets[name] = change(layer, targets[name], drawn, self._needs[name])
                if name in weights and len(weights[name].shape) > 1:
                    state.assign(before)
                    weights[name] = _weights(layer, weights[name], drawn, mixes=isinstance(plan.layer, Mixing))
        return inputs, targets | {output: inputs[name] for output, name in self._same.items()}, weights


def _labels(layer: Any, labels: Any, drawn: Any, need: Need) -> Any:
    """Labels stay labels: nothing is drawn between two, and beyond the border is the class that is ignored, or 0."""
    flat = need.kind == "class"
    whole = ops.cast(ops.expand_dims(labels, -1) if flat else labels, "float32")
    with _with(layer, fill_value=float(need.ignore or 0), value_range=(-np.inf, np.inf)):
        changed = layer.transform_segmentation_masks(whole, drawn, training=True)
    return ops.cast(ops.round(ops.squeeze(changed, -1)), labels.dtype) if flat else changed


def _weights(layer: Any, weights: Any, drawn: Any, *, mixes: bool) -> Any:
    """What is added to the positions' weights goes where they go; nothing is added beyond the border."""
    planes = ops.expand_dims(weights, -1)
    if mixes:
        return ops.squeeze(layer.transform_images(planes, drawn, training=True), -1)
    with _with(layer, fill_value=0.0, value_range=(-np.inf, np.inf)):
        return ops.squeeze(layer.transform_segmentation_masks(planes, drawn, training=True), -1)


@contextmanager
def _with(layer: Any, **values: Any) -> Iterator[None]:
    """Other values of a layer's attributes, of those it has."""
    kept = {name: getattr(layer, name) for name in values if getattr(layer, name, None) is not None}
    for name in kept:
        setattr(layer, name, values[name])
    try:
        yield
    finally:
        for name, value in kept.items():
            setattr(layer, name, value)


def _picture(layer: Any, values: Any, drawn: Any, need: Need) -> Any:
    del need
    return layer.transform_images(values, drawn, training=True)


def _mixed(layer: Any, values: Any, drawn: Any, need: Need) -> Any:
    """Pictures are mixed as the inputs are; else every number by the share that is left of its own picture."""
    if need.output.rank == 3:
        return layer.transform_images(values, drawn, training=True)
    share = ops.reshape(ops.cast(drawn["mix_weight"], values.dtype), (-1, *[1] * (len(values.shape) - 1)))
    return share * values + (1 - share) * ops.take(values, drawn["permutation_order"], axis=0)


def outside_range(data: DataPlan, examples: Examples) -> Iterator[Diagnostic]:
    """Warnings of changes that take the values of a picture for others than they are."""
    for i, plan in enumerate(data.augment):
        low, high = sorted(getattr(plan.layer, "value_range", (-np.inf, np.inf)))
        for name in plan.inputs if np.isfinite(high) else ():
            values = examples.inputs[name][examples.rows[:_LOOKED_AT]]
            least, largest = float(values.min()), float(values.max())
            if least < low or largest > high or (high > 2 and largest <= 1):
                help = f"write `value_range: [{min(0, np.floor(least)):g}, {np.ceil(largest):g}]` among its arguments"
                span, path = locate(data.tree, "augment", i)
                told = {"name": type(plan.layer).__name__, "low": low, "high": high, "input": name}
                yield d.OutsideRange.at(span, path, help=help, **told, least=least, largest=largest)
