"""The values of a block that is a loss or metric, for each example or position."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from nnspec.graph import Graph
from nnspec.keras_backend import to_keras
from nnspec.keras_backend.call import mask_for, mask_of
from nnspec.training.catalogue.blocks import OUTPUT, TARGET

Tensors = Mapping[str, Any]


class BlockValues:
    """Computes a block in float32 and reduces its values as Keras reduces those of a loss.

    Args:
        graph: The graph of the block, a network whose inputs are the target, the output and other tensors.
        seed: The seed of its random functions.
    """

    def __init__(self, graph: Graph, seed: int = 0) -> None:
        self._graph = graph
        self._model: keras.Model = to_keras(graph, seed=seed)

    @property
    def variables(self) -> list[Any]:
        """The states of its random functions."""
        return list(self._model.variables)

    def values(self, target: Any, output: Any, others: Tensors, *, training: bool) -> Any:
        """The values, (N, …), in float32.

        Args:
            target: The target, (N, …); None if the block takes none.
            output: The output, (N, …), with its mask.
            others: The outputs and inputs of the network.
            training: Whether the network runs in training mode.
        """
        given = {**others, TARGET: target, OUTPUT: output}
        fed: dict[str, Any] = {}
        for name, type_ in self._graph.inputs.items():
            values = given[name]
            # A copy, since Keras warns of a mask that a model would drop.
            fed[name] = ops.cast(values if mask_of(values) is None else ops.copy(values), type_.dtype)
            missing = type_.rank + 1 - len(values.shape)
            if missing:  # a last axis of size 1 is optional in data
                fed[name] = ops.expand_dims(fed[name], -1) if missing > 0 else ops.squeeze(fed[name], -1)
            if type_.mask is not None:
                fed[f"{name}_mask"] = mask_for(type_, values, mask_of(values))
        [result] = self._model(fed, training=training).values()
        return ops.cast(result, "float32")

    def __call__(self, target: Any, output: Any, others: Tensors, *, training: bool, sample_weight: Any = None) -> Any:
        """The mean of the values, with weights and the mask of the output.

        Args:
            target: The target, (N, …); None if the block takes none.
            output: The output, (N, …), with its mask.
            others: The outputs and inputs of the network.
            training: Whether the network runs in training mode.
            sample_weight: The weight of each example or position, (N,) or (N, …); None for 1.
        """
        values = self.values(target, output, others, training=training)
        mask = self.mask(output, values)
        if mask is not None:
            # Masked positions count neither in the sum nor in the number of values.
            valid = ops.broadcast_to(aligned(ops.cast(mask, "float32"), values), ops.shape(values))
            values = values * valid / ops.maximum(ops.mean(valid), 1e-7)
        if sample_weight is not None:
            values = values * aligned(ops.cast(sample_weight, "float32"), values)
        return ops.mean(values)

    @staticmethod
    def mask(output: Any, values: Any) -> Any:
        """The mask of the values: that of the output, unless its positions are reduced."""
        mask = mask_of(output)
        return None if mask is None or len(mask.shape) > len(values.shape) else mask


class BlockMean(keras.metrics.Mean):  # type: ignore[misc]
    """The mean of the values of a block over the positions that the mask of the output leaves.

    Args:
        graph: The graph of the block.
        name: The name in logs.
    """

    def __init__(self, graph: Graph, name: str) -> None:
        super().__init__(name=name)
        self.block = BlockValues(graph)

    def compare(self, target: Any, output: Any, others: Tensors) -> None:
        """Adds a batch; see [`BlockValues.values`][nnspec.training.catalogue.block_values.BlockValues.values]."""
        values = self.block.values(target, output, others, training=False)
        mask = self.block.mask(output, values)
        weights = None if mask is None else ops.broadcast_to(aligned(ops.cast(mask, "float32"), values), ops.shape(values))
        self.update_state(values, sample_weight=weights)


def aligned(weights: Any, values: Any) -> Any:
    """Weights of leading axes, with axes of size 1 up to the rank of the values.

    Class weights of positions do not apply to values of examples.
    """
    if len(weights.shape) > len(values.shape):
        return ops.ones((1,) * len(values.shape))
    return ops.reshape(weights, (*ops.shape(weights), *[1] * (len(values.shape) - len(weights.shape))))
