"""Random weights for parity checks.

Initial weights hide faults: zeros and ones cancel terms, and in a deep network untrained moving statistics attenuate the signal
until outputs no longer depend on the inputs. Here every weight is random, and moving statistics come from a batch of inputs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from nnspec.graph import Graph
from nnspec.keras_backend import set_weight_arrays, weight_arrays
from nnspec.types import Weight

_Arrays = Mapping[str, NDArray[Any]]
_GAIN = 2**0.5
"""The gain of He et al. 2015: compensates for the half that a rectifier sets to zero."""

_SCALES = (1.0, 0.5, 0.25, 0.125)
_LARGEST = 1e4


def random_weights(
    model: keras.Model, graph: Graph, weights: _Arrays, inputs: _Arrays, *, seed: int = 0
) -> dict[str, NDArray[Any]]:
    """Draw weights that preserve the scale of the signal. The model's own weights are restored afterwards.

    Args:
        model: The Keras model of the graph.
        graph: The network.
        weights: Its own weights, by the spec's names.
        inputs: A batch from which moving statistics are computed.
        seed: The seed of the random generator.
    """
    rng = np.random.default_rng(seed)
    drawn = {name: _draw(rng, weight).astype(weights[name].dtype) for name, weight, _ in graph.weights()}
    tensors = {name: keras.ops.convert_to_tensor(array) for name, array in inputs.items()}
    found = drawn
    try:
        for scale in _SCALES:
            found = {name: array * scale if array.ndim > 1 else array for name, array in drawn.items()}
            set_weight_arrays(model, graph, found)
            with _without_momentum(model):
                model(tensors, training=True)
            if _is_moderate(model(tensors, training=False)):
                break
        found = weight_arrays(model, graph)
    except Exception:  # some TensorFlow kernels run only when compiled; random statistics serve as well
        pass
    finally:
        set_weight_arrays(model, graph, weights)
    return found if all(np.isfinite(array).all() for array in found.values()) else drawn


def _is_moderate(outputs: Any) -> bool:
    """Whether outputs are far from overflow: a recurrent layer without saturation grows exponentially with the sequence."""
    arrays = [keras.ops.convert_to_numpy(output) for output in keras.tree.flatten(outputs)]
    return all(np.abs(array).max(initial=0.0) < _LARGEST for array in arrays if array.dtype.kind == "f")


def _draw(rng: np.random.Generator, weight: Weight) -> NDArray[Any]:
    name = weight.name.rpartition("/")[2]
    if "variance" in name:
        return rng.uniform(0.5, 2.0, weight.shape)
    if len(weight.shape) >= 2 and "bias" not in name:
        own = weight.shape[:-2] if "depthwise" in name else weight.shape[:-1]
        return rng.normal(0, _GAIN / max(1, math.prod(own)) ** 0.5, weight.shape)
    if type(weight.initializer).__name__ == "Ones" or name in ("gamma", "scale"):
        return rng.uniform(0.5, 1.5, weight.shape)
    return rng.normal(0, 0.3, weight.shape)


@contextmanager
def _without_momentum(model: keras.Model) -> Iterator[None]:
    """Set the momentum of batch normalization to 0, so that moving statistics equal those of the next batch."""
    layers = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)]
    kept = [layer.momentum for layer in layers]
    for layer in layers:
        layer.momentum = 0.0
    try:
        yield
    finally:
        for layer, momentum in zip(layers, kept, strict=True):
            layer.momentum = momentum
