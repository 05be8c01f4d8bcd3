"""Takes the statistics of the training data that layers keep, before the first step."""

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
from nnspec.training.checks.statistics import adapting, target_of
from nnspec.training.plan import OutputPlan

__all__ = ["Moments", "adapt"]

_ROWS = 1024
Values = NDArray[Any]


def adapt(model: keras.Model, graph: Graph, outputs: Mapping[str, OutputPlan], examples: Examples) -> None:
    """Gives each `Normalization` the mean and the variance of what comes to it, in the order of the graph.

    A layer whose weights several steps share takes all that comes to any of them; with ``invert``, the targets.

    Args:
        model: The Keras model of the graph.
        graph: The network.
        outputs: What is done with each of its outputs.
        examples: The training part.
    """
    moments: dict[str, Moments] = {}
    for node, layer in adapting(graph):
        own = moments.setdefault(
            node.weights_at, Moments(tuple(axis + 1 for axis in layer.kept_axes(node.input_types["x"].rank)))
        )
        for values in _values(model, graph, outputs, node, layer, examples):
            own.add(values)
        found = {f"{node.weights_at}/mean": own.mean, f"{node.weights_at}/variance": own.variance}
        set_weight_arrays(model, graph, {**weight_arrays(model, graph), **found})


class Moments:
    """Mean and variance of values that come in parts (Chan, Golub and LeVeque 1983), in float64.

    Args:
        kept: The axes with statistics for each place, the batch axis counted as 0.

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
        """Takes in another part: a batch of examples."""
        values = values.astype(np.float64)
        axes = tuple(axis for axis in range(values.ndim) if axis not in self._kept)
        mean, variance = values.mean(axes), values.var(axes)
        count = values.size // max(mean.size, 1)
        share = count / (self._count + count)
        apart = mean - self.mean
        self.variance = self.variance * (1 - share) + variance * share + apart**2 * share * (1 - share)
        self.mean = self.mean + apart * share
        self._count += count


def _values(
    model: keras.Model,
    graph: Graph,
    outputs: Mapping[str, OutputPlan],
    node: Node,
    layer: Normalization,
    examples: Examples,
) -> Iterator[Values]:
    """What a layer takes its statistics of, in parts."""
    source = node.inputs["x"].source
    if layer.invert:
        name = target_of(node, graph, outputs)
        for rows in _parts(examples):
            yield examples.targets[str(name)][rows]
    elif source in graph.inputs:
        for rows in _parts(examples):
            yield examples.inputs[source][rows]
    else:
        before = keras.Model(model.input, _input_of(model, graph, node))
        for rows in _parts(examples):
            inputs = {name: array[rows] for name, array in examples.inputs.items()}
            yield np.asarray(before(inputs, training=False))


def _parts(examples: Examples) -> Iterator[NDArray[np.int64]]:
    for start in range(0, len(examples), _ROWS):
        yield examples.rows[start : start + _ROWS]


def _input_of(model: keras.Model, graph: Graph, node: Node) -> Any:
    """The Keras tensor that comes to a node: of the uses of a shared layer, this node's."""
    uses = [other.name for other in graph.nodes.values() if other.weights_at == node.weights_at]
    call = model.get_layer(keras_name(node.weights_at))._inbound_nodes[uses.index(node.name)]
    return call.input_tensors[0]
