"""The losses and metrics of outputs: stateful Keras code that runs on every backend."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import keras
from keras import ops
from numpy.typing import NDArray

from nnspec.data.units import Units
from nnspec.keras_backend.call import mask_of
from nnspec.training.batches.augmenter import Augmenter
from nnspec.training.batches.cropping import cropped
from nnspec.training.batches.transforms import BatchTransform
from nnspec.training.catalogue.block_values import BlockMean, BlockValues
from nnspec.training.catalogue.metrics.base import Metric
from nnspec.training.loop.keras_objects import keras_loss, keras_metric, keras_weight
from nnspec.training.loop.learner import Batch, Learner, Tensors, TrainableGroup, with_layer_losses
from nnspec.training.plan import OutputPlan


class OutputLearner(Learner):
    """Computes the weighted sum of the losses of outputs and layers, and the metrics.

    Args:
        model: A model that takes a dict of inputs and returns a dict of outputs.
        outputs: The plan of each output.
        optimizer: The optimizer; None if the model is only evaluated.
        class_weights: The weight of each class, by output.
        augmenter: Augments training batches; None for no augmentation.
        transforms: Random transforms of a batch before the model; metrics use the original targets.
        crops: The number of pixels to crop from each edge of a target, by output.
        units: The units of the data, by output, for metrics; losses are in the units of the transformed targets.
        added: The outputs whose weights are added to those of the positions; others multiply.
        last_step: The number of steps of the phase. Validation uses the loss weights of that step, so that epochs are
            comparable.
    """

    def __init__(
        self,
        model: keras.Model,
        outputs: Mapping[str, OutputPlan],
        optimizer: Any = None,
        class_weights: Mapping[str, NDArray[Any]] | None = None,
        augmenter: Augmenter | None = None,
        transforms: Sequence[BatchTransform] = (),
        crops: Mapping[str, int] | None = None,
        units: Mapping[str, Units] | None = None,
        added: Collection[str] = (),
        last_step: int = 0,
    ) -> None:
        groups = [] if optimizer is None else [TrainableGroup("main", model.trainable_variables, optimizer)]
        losses = [name for name, output in outputs.items() if output.losses]
        # With several losses, each has a mean of its own.
        super().__init__([model], groups, ["loss", *(f"{name}_loss" for name in losses if len(losses) > 1)], augmenter)
        self.model = model
        self._outputs = {name: output for name, output in outputs.items() if output.losses}
        self._measured = {name: output for name, output in outputs.items() if output.losses or output.metrics}
        self._losses = {
            name: [(term.weight, keras_loss(term.loss)) for term in output.losses] for name, output in self._outputs.items()
        }
        self._weights = {name: keras_weight(output.weight) for name, output in self._outputs.items()}
        self._added, self._last_step = added, last_step
        self._class_weights = dict(class_weights or {})
        self.transforms = transforms
        self._crops = dict(crops or {})
        # Units of separate series need the series of each example, which batches do not have.
        self._units = {name: own for name, own in (units or {}).items() if not own.labels}
        self._metrics = {
            name: [keras_metric(metric, logged) for logged, metric in output.metrics.items()]
            for name, output in self._measured.items()
        }

    @property
    def metrics(self) -> list[Any]:
        """The Keras metrics, the total loss first."""
        return [*super().metrics, *(metric for own in self._metrics.values() for metric in own)]

    @property
    def random_variables(self) -> list[Any]:
        """The states of the random generators outside the model."""
        blocks: list[Any] = [loss for own in self._losses.values() for _, loss in own if isinstance(loss, BlockValues)]
        blocks += [metric.block for own in self._metrics.values() for metric in own if isinstance(metric, BlockMean)]
        blocks += self.transforms
        return [*(variable for source in blocks for variable in source.variables), *super().random_variables]

    def transformed(self, inputs: Tensors, targets: Tensors, *, training: bool) -> tuple[Tensors, Tensors]:
        """Applies the random transforms to a batch."""
        for transform in self.transforms:
            inputs, targets = transform(inputs, targets, training=training)
        return inputs, targets

    def __call__(self, inputs: Tensors, targets: Tensors, weights: Tensors, *, training: bool) -> tuple[Any, Tensors, Tensors]:
        """The loss of a batch, the model's outputs, and the targets of the metrics.

        Args:
            inputs: The batch's inputs, by name.
            targets: Its targets, by output.
            weights: The weight of each example, (N,), or what is added to the weight of each position, (N, …), by output;
                outputs without weights are not in it.
            training: Whether the model runs in training mode.
        """
        scored = targets
        inputs, targets = self.transformed(inputs, targets, training=training)
        if any(getattr(transform, "selects", False) for transform in self.transforms):
            scored = targets
        outputs = self.model(dict(inputs), training=training)
        size = ops.shape(next(iter(inputs.values())))[0]
        total: Any = 0.0
        for name, output in self._outputs.items():
            loss = self._loss(name, {**inputs, **outputs}, outputs[name], targets, weights, training=training)
            if f"{name}_loss" in self.means:
                self.means[f"{name}_loss"].update_state(loss, sample_weight=size)
            total = total + (loss if output.weight == 1.0 else self._weight(name, training=training) * loss)
        total = with_layer_losses(total, self.model)
        self.means["loss"].update_state(total, sample_weight=size)
        return total, outputs, scored

    def loss(self, batch: Batch, *, training: bool) -> Any:
        """The loss of a batch; also updates the metrics."""
        inputs, targets, weights = batch
        targets, weights = cropped(targets, self._crops), cropped(weights, self._crops)
        loss, outputs, scored = self(inputs, targets, weights, training=training)
        self.update_metrics(inputs, outputs, scored)
        return loss

    def _weight(self, name: str, *, training: bool) -> Any:
        """The weight of the losses of an output at this step."""
        weight = self._weights[name]
        if not callable(weight):
            return weight
        return ops.cast(weight(self.trainable[0].inner.iterations if training else self._last_step), "float32")

    def _loss(self, name: str, tensors: Tensors, output: Any, targets: Tensors, weights: Tensors, *, training: bool) -> Any:
        """The weighted sum of the losses of an output."""
        weight = self._example_weight(name, targets, weights, training=training)
        total: Any = 0.0
        for share, compare in self._losses[name]:
            if compare is None:
                loss = ops.mean(ops.cast(output, "float32"))
            elif isinstance(compare, BlockValues):
                loss = compare(targets.get(name), output, tensors, training=training, sample_weight=weight)
            else:
                loss = compare(targets[name], output, sample_weight=weight)
            total = total + (loss if share == 1.0 else share * loss)
        return total

    def _example_weight(self, name: str, targets: Tensors, weights: Tensors, *, training: bool) -> Any:
        """The weight of each example, (N,), or position, (N, …), with class weights; None if all are 1."""
        weight = weights.get(name)
        own = self._class_weight(name, targets[name]) if name in self._class_weights and training else None
        if weight is not None and name in self._added:
            return weight + (1.0 if own is None else own)
        if weight is None or own is None:
            return own if weight is None else weight
        ranks = len(weight.shape), len(own.shape)
        weight, own = (ops.reshape(x, (*ops.shape(x), *[1] * (max(ranks) - len(x.shape)))) for x in (weight, own))
        return weight * own

    def _class_weight(self, name: str, target: Any) -> Any:
        table = ops.convert_to_tensor(self._class_weights[name], "float32")
        loss = self._outputs[name].loss
        kind = loss.target_kind() if loss is not None else None
        if kind == "distribution":
            target = ops.argmax(target, getattr(loss, "axis", -1))
        elif kind == "probability" and len(target.shape) > 1 and target.shape[-1] == 1:
            target = ops.squeeze(target, -1)
        indices = ops.cast(target, "int32")
        # An ignored class may be outside the table; its weight does not matter.
        return ops.take(table, ops.clip(indices, 0, len(self._class_weights[name]) - 1))

    def update_metrics(self, inputs: Tensors, outputs: Tensors, targets: Tensors) -> None:
        """Updates the metrics with a batch."""
        for name, metrics in self._metrics.items():
            weights = self._position_weights(name, targets.get(name), outputs[name]) if metrics else None
            for metric, kind in zip(metrics, self._measured[name].metrics.values(), strict=True):
                if isinstance(metric, BlockMean):
                    metric.compare(targets.get(name), outputs[name], {**inputs, **outputs})
                    continue
                target, output = (self._in_units(name, kind, values) for values in (targets[name], outputs[name]))
                metric.update_state(target, output, sample_weight=weights)

    def _in_units(self, name: str, metric: Metric, values: Any) -> Any:
        units = self._units.get(name)
        if units is None:
            return values
        scaled = ops.cast(values, "float32") * ops.convert_to_tensor(units.scale, "float32")
        return scaled + ops.convert_to_tensor(units.offset, "float32") if metric.relative else scaled

    def _position_weights(self, name: str, target: Any, output: Any) -> Any:
        """The weights of positions in metrics: 0 if masked or ignored by the loss, else 1; None if all are 1.

        Of Keras's metrics, only those that average a function use the mask.
        """
        ignored = getattr(self._measured[name].loss, "ignore_class", None)
        mask = mask_of(output)
        counted = None if ignored is None else ops.not_equal(target, ignored)
        if mask is not None:
            mask = ops.cast(mask, "bool")
            counted = mask if counted is None else ops.logical_and(counted, mask)
        # Integers, since Keras's counting metrics warn of floats.
        return None if counted is None else ops.cast(counted, "int32")

    def build(self, inputs: Tensors, targets: Tensors) -> None:
        """Builds the metrics, some of which create their variables on the first update."""
        outputs = self.model(dict(inputs), training=False)
        self.update_metrics(inputs, outputs, cropped(targets, self._crops))
        self.reset()

    def reset(self) -> None:
        """Resets the metrics, and the random numbers of validation."""
        super().reset()
        for transform in self.transforms:
            transform.restart()
