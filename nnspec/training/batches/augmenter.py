"""Data augmentation inside the training step, by Keras layers that run on every backend."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from nnspec.data import problems as d
from nnspec.data.examples import Examples
from nnspec.data.locations import locate
from nnspec.data.plan import AugmentPlan, BoxField, DataPlan, Need, TargetSource
from nnspec.diagnostics import Diagnostic
from nnspec.keras_backend.objects import keras_object
from nnspec.keras_backend.seeds import Seeds
from nnspec.layers.augmentation import Mixing
from nnspec.training.batches.box_moves import chosen, mixed, mosaic, moved, together

Tensors = Mapping[str, Any]


@dataclass(frozen=True)
class ComposedBoxes:
    """Counts of the boxes of images that are composed of several.

    Attributes:
        lost: The boxes for which there was no row.
        whole: All boxes.
        most: The most boxes of an image.
    """

    lost: int
    whole: int
    most: int


_LOOKED_AT = 1024


class Augmenter:
    """Augments batches according to ``data.augment``.

    Args:
        plans: The augmentations, in order.
        needs: The kinds of targets that the losses take.
        seed: The seed of the random numbers; their state is in `variables`, which checkpoints save.
        target_sources: The targets that are computed from an input, by output; those that equal the input change with it.
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
        composes = any(isinstance(plan.layer, Mixing) and plan.boxes for plan in plans)
        self._counts = keras.Variable(np.zeros(3, np.int32), trainable=False, dtype="int32") if composes else None

    @property
    def layers(self) -> list[Any]:
        """The Keras layers."""
        return [layer for _, layer in self._changes]

    @property
    def mixes(self) -> bool:
        """Whether an augmentation combines examples of a batch."""
        return any(isinstance(plan.layer, Mixing) for plan, _ in self._changes)

    @property
    def variables(self) -> list[Any]:
        """The states of the random generators, and the counts of composed boxes."""
        counts = [] if self._counts is None else [self._counts]
        return [variable for _, layer in self._changes for variable in layer.variables] + counts

    @property
    def boxes(self) -> ComposedBoxes:
        """The counts of the boxes of composed images so far."""
        return ComposedBoxes(*(0, 0, 0) if self._counts is None else map(int, np.asarray(self._counts)))

    def __call__(self, inputs: Tensors, targets: Tensors, weights: Tensors) -> tuple[Tensors, Tensors, Tensors]:
        """Augments a batch.

        Args:
            inputs: Its inputs, by name.
            targets: Its targets, by output.
            weights: Its sample weights, by output; weights of positions, (N, H, W), are transformed with their target.
        """
        inputs, targets, weights = dict(inputs), dict(targets), dict(weights)
        for plan, layer in self._changes:
            drawn = layer.get_random_transformation(inputs[plan.inputs[0]], training=True)
            state = layer.generator.state
            before = ops.copy(state)
            if plan.layer.moves_pixels:
                values = {"inputs": inputs, "targets": targets}
                for field in plan.boxes:
                    composed = _move_boxes(plan, field, layer, drawn, values)
                    if composed is not None and self._counts is not None:
                        self._count(composed, values, field)
            for name in plan.inputs:
                # RandomColorJitter and RandomElasticTransform draw while they transform, so each call starts from one state.
                state.assign(before)
                inputs[name] = layer.transform_images(inputs[name], drawn, training=True)
            for name in plan.targets:
                mixes = isinstance(plan.layer, Mixing) and plan.layer.mixes_targets
                change = _mixed if mixes else _labels if name in plan.masks else _image
                state.assign(before)
                targets[name] = change(layer, targets[name], drawn, self._needs[name])
                if name in weights and len(weights[name].shape) > 1:
                    state.assign(before)
                    weights[name] = _weights(layer, weights[name], drawn, mixes=mixes)
        return inputs, targets | {output: inputs[name] for output, name in self._same.items()}, weights

    def _count(self, composed: Any, values: Mapping[str, dict[str, Any]], field: BoxField) -> None:
        """Count the boxes of composed images, those that have no row, and the most of an image."""
        group, _, name = field.place.partition(".")
        rows = values[group][name].shape[1]
        before = ops.convert_to_tensor(self._counts)
        lost = before[0] + ops.sum(ops.maximum(composed - rows, 0))
        whole = before[1] + ops.sum(composed)
        assert self._counts is not None
        self._counts.assign(ops.cast(ops.stack([lost, whole, ops.maximum(before[2], ops.max(composed))]), "int32"))


def _move_boxes(plan: AugmentPlan, field: BoxField, layer: Any, drawn: Any, values: Mapping[str, dict[str, Any]]) -> Any:
    """Moves boxes with their image, and leaves out those of which too little is visible, with their classes.

    Returns:
        The number of boxes of each composed image, of which the first are kept, (N,); None if images are not composed.
    """
    group, _, name = field.place.partition(".")
    boxes = ops.cast(values[group][name], "float32")
    _, height, width, _ = values["inputs"][field.image].shape
    count = None
    if isinstance(plan.layer, Mixing):
        compose = mosaic if "order" in drawn else mixed
        made, places, count = compose(drawn, boxes, plan.visible)
    else:
        made, kept = moved(layer, drawn, boxes, (height, width), plan.visible)
    values[group][name] = ops.cast(made, values[group][name].dtype)
    for place in field.rows:
        own, _, other = place.partition(".")
        rows = values[own][other]
        if isinstance(plan.layer, Mixing):
            values[own][other] = chosen(together(drawn, rows), places)
        else:
            values[own][other] = ops.where(kept, rows, -ops.ones_like(rows))
    return count


def _labels(layer: Any, labels: Any, drawn: Any, need: Need) -> Any:
    """Labels are not interpolated, and are filled with the ignored class, or 0, beyond the border."""
    flat = need.kind == "class"
    whole = ops.cast(ops.expand_dims(labels, -1) if flat else labels, "float32")
    with _with(layer, fill_value=float(need.ignore or 0), value_range=(-np.inf, np.inf)):
        changed = layer.transform_segmentation_masks(whole, drawn, training=True)
    return ops.cast(ops.round(ops.squeeze(changed, -1)), labels.dtype) if flat else changed


def _weights(layer: Any, weights: Any, drawn: Any, *, mixes: bool) -> Any:
    """Weights of positions are transformed with the positions, and are 0 beyond the border."""
    planes = ops.expand_dims(weights, -1)
    if mixes:
        return ops.squeeze(layer.transform_images(planes, drawn, training=True), -1)
    with _with(layer, fill_value=0.0, value_range=(-np.inf, np.inf)):
        return ops.squeeze(layer.transform_segmentation_masks(planes, drawn, training=True), -1)


@contextmanager
def _with(layer: Any, **values: Any) -> Iterator[None]:
    """Temporarily replaces attributes that a layer has."""
    kept = {name: getattr(layer, name) for name in values if getattr(layer, name, None) is not None}
    for name in kept:
        setattr(layer, name, values[name])
    try:
        yield
    finally:
        for name, value in kept.items():
            setattr(layer, name, value)


def _image(layer: Any, values: Any, drawn: Any, need: Need) -> Any:
    del need
    return layer.transform_images(values, drawn, training=True)


def _mixed(layer: Any, values: Any, drawn: Any, need: Need) -> Any:
    """Image targets are mixed as the inputs are; other targets by the share of each image in the mixture."""
    if need.output.rank == 3:
        return layer.transform_images(values, drawn, training=True)
    share = ops.reshape(ops.cast(drawn["mix_weight"], values.dtype), (-1, *[1] * (len(values.shape) - 1)))
    return share * values + (1 - share) * ops.take(values, drawn["permutation_order"], axis=0)


def outside_range(data: DataPlan, examples: Examples) -> Iterator[Diagnostic]:
    """Warns of augmentations whose `value_range` does not match the images."""
    for i, plan in enumerate(data.augment):
        low, high = sorted(getattr(plan.layer, "value_range", (-np.inf, np.inf)))
        for name in plan.inputs if np.isfinite(high) else ():
            values = examples.inputs[name][examples.rows[:_LOOKED_AT]]
            least, largest = float(values.min()), float(values.max())
            if least < low or largest > high or (high > 2 and largest <= 1):
                help = f"write `value_range: [{min(0, np.floor(least)):g}, {np.ceil(largest):g}]` as an argument"
                span, path = locate(data.tree, "augment", i)
                facts = {"name": type(plan.layer).__name__, "low": low, "high": high, "input": name}
                yield d.OutsideRange.at(span, path, help=help, **facts, least=least, largest=largest)
