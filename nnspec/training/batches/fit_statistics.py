"""Fits the statistics of `Normalization` layers to the training data before the first step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from nnspec.data.examples import Examples
from nnspec.graph import Graph
from nnspec.graph.model import Node
from nnspec.keras_backend import set_weight_arrays, weight_arrays
from nnspec.keras_backend.names import keras_name
from nnspec.layers.standardization import Normalization
from nnspec.training.plan import OutputPlan, fitted_layers, inverted_output

_ROWS = 1024
Values = NDArray[Any]


def fit_statistics(model: keras.Model, graph: Graph, outputs: Mapping[str, OutputPlan], examples: Examples) -> None:
    """Sets the mean and variance of each `Normalization` to those of its inputs, in the order of the graph.

    A layer that several steps share uses the inputs of all of them. With ``invert``, it uses the targets.

    Args:
        model: The Keras model of the graph.
        graph: The network.
        outputs: The plan of each output.
        examples: The training split.
    """
    moments: dict[str, Moments] = {}
    for node, layer in fitted_layers(graph):
        own = moments.setdefault(
            node.weights_at, Moments(tuple(axis + 1 for axis in layer.kept_axes(node.input_types["x"].rank)))
        )
        for values in _values(model, graph, outputs, node, layer, examples):
            own.add(values)
        found = {f"{node.weights_at}/mean": own.mean, f"{node.weights_at}/variance": own.variance}
        set_weight_arrays(model, graph, {**weight_arrays(model, graph), **found})


class Moments:
    """The running mean and variance of batches (Chan, Golub and LeVeque 1983), in float64.

    Args:
        kept: The axes that are not reduced; the batch axis is 0.

    Example:
        >>> moments = Moments((1,))
        >>> moments.add(np.array([[1.0, 7.0], [3.0, 7.0]])), moments.add(np.array([[8.0, 7.0]]))
        (None, None)
        >>> moments.mean.tolist(), moments.variance.round(3).tolist()
        ([4.0, 7.0], [8.667, 0.0])
    """

    def __init__(self, kept: tuple[int, ...]) -> None:
        self._kept = kept
        self._count = 0
        self.mean: NDArray[np.float64] = np.zeros(())
        self.variance: NDArray[np.float64] = np.ones(())

    def add(self, values: Values) -> None:
        """Adds a batch."""
        values = values.astype(np.float64)
        axes = tuple(axis for axis in range(values.ndim) if axis not in self._kept)
        mean, variance = values.mean(axes), values.var(axes)
        count = values.size // max(mean.size, 1)
        share = count / (self._count + count)
        difference = mean - self.mean
        self.variance = self.variance * (1 - share) + variance * share + difference**2 * share * (1 - share)
        self.mean = self.mean + difference * share
        self._count += count


def _values(
    model: keras.Model,
    graph: Graph,
    outputs: Mapping[str, OutputPlan],
    node: Node,
    layer: Normalization,
    examples: Examples,
) -> Iterator[Values]:
    """The values that the statistics of a layer are computed from, in batches."""
    source = node.inputs["x"].source
    if layer.invert:
        name = inverted_output(node, graph, outputs)
        for rows in _batches(examples):
            yield examples.targets[str(name)][rows]
    elif source in graph.inputs:
        for rows in _batches(examples):
            yield examples.inputs[source][rows]
    else:
        before = keras.Model(model.input, _input_of(model, graph, node))
        for rows in _batches(examples):
            inputs = {name: array[rows] for name, array in examples.inputs.items()}
            yield np.asarray(before(inputs, training=False))


def _batches(examples: Examples) -> Iterator[NDArray[np.int64]]:
    for start in range(0, len(examples), _ROWS):
        yield examples.rows[start : start + _ROWS]


def _input_of(model: keras.Model, graph: Graph, node: Node) -> Any:
    """The Keras input tensor of a node; of a shared layer, that of this node's call."""
    uses = [other.name for other in graph.nodes.values() if other.weights_at == node.weights_at]
    call = model.get_layer(keras_name(node.weights_at))._inbound_nodes[uses.index(node.name)]
    return call.input_tensors[0]
