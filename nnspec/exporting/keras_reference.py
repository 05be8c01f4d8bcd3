"""The Keras model of a graph as a function of arrays: the reference that exported models are compared with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from nnspec.exporting.random_weights import random_weights
from nnspec.exporting.rounding import activations_rounded, rounded
from nnspec.graph import Graph
from nnspec.keras_backend import set_weight_arrays, to_keras
from nnspec.keras_backend.call import mask_of
from nnspec.keras_backend.precision import in_float64, widened
from nnspec.onnx_backend.parity import Reference, nudged

_Arrays = Mapping[str, NDArray[Any]]
_Run = Callable[[_Arrays], dict[str, NDArray[Any]]]


def keras_reference(graph: Graph, weights: _Arrays, *, masks: bool = False, model: keras.Model | None = None) -> Reference:
    """Build the parity reference of a network: its Keras model, in float32 and in float64.

    Args:
        graph: The network.
        weights: Arrays by the spec's names; those of other networks are ignored.
        masks: Also return the mask of each output that has one, as ``NAME_mask``.
        model: The Keras model of the graph with these weights, if it is already built.
    """
    own = graph.own(weights)
    if model is None:
        model = to_keras(graph, seed=1)
        set_weight_arrays(model, graph, own)
    run = keras_run(model, masks=masks)

    def with_weights(other: _Arrays) -> _Run:
        return _with_weights(model, graph, own, other, run)

    def drawn(inputs: _Arrays) -> tuple[_Arrays, Reference]:
        other = random_weights(model, graph, own, inputs)
        changed = Reference(
            with_weights(other),
            lambda: with_weights(_nudged(other)),
            lambda: _with_weights(model, graph, own, other, _rounded(model, masks=masks)),
            lambda: _exact(graph, other, masks=masks),
            with_weights=with_weights,
        )
        return other, changed

    perturbed = with_weights(_nudged(own))
    exact = partial(_exact, graph, own, masks=masks)
    return Reference(run, lambda: perturbed, partial(_rounded, model, masks=masks), exact, drawn, with_weights)


def _nudged(weights: _Arrays) -> _Arrays:
    return nudged(weights, np.random.default_rng(1))


def _with_weights(model: keras.Model, graph: Graph, own: _Arrays, other: _Arrays, run: _Run) -> _Run:
    """Run the model with other weights, and restore its own after each call."""

    def answer(inputs: _Arrays) -> dict[str, NDArray[Any]]:
        set_weight_arrays(model, graph, other)
        try:
            return run(inputs)
        finally:
            set_weight_arrays(model, graph, own)

    return answer


def _rounded(model: keras.Model, *, masks: bool) -> _Run:
    """Run the model with all that its layers compute off by one unit in the last place."""
    run = keras_run(rounded(model), masks=masks)

    def answer(inputs: _Arrays) -> dict[str, NDArray[Any]]:
        with activations_rounded(model):
            return run(inputs)

    return answer


def _exact(graph: Graph, weights: _Arrays, *, masks: bool) -> _Run:
    """The model in float64."""
    wide = widened(graph)
    with in_float64(), float64_of_backend():
        model = to_keras(wide, seed=1)
        set_weight_arrays(model, wide, weights)
    dtypes = {name: keras.backend.standardize_dtype(tensor.dtype) for name, tensor in model.input.items()}
    run = keras_run(model, masks=masks)

    def answer(inputs: _Arrays) -> dict[str, NDArray[Any]]:
        given = {name: np.asarray(array) for name, array in inputs.items()}
        with in_float64(), float64_of_backend():
            return run({name: array.astype(dtypes.get(name, array.dtype)) for name, array in given.items()})

    return answer


@contextmanager
def float64_of_backend() -> Iterator[None]:
    """Enable float64 in JAX, which is off by default."""
    if keras.backend.backend() != "jax":
        yield
        return
    import jax

    with jax.enable_x64(True):
        yield


def keras_run(model: keras.Model, *, masks: bool = False) -> _Run:
    """Turn a Keras model into a function from named arrays to named arrays, for batches of any size.

    On TensorFlow the model is compiled with a free batch size: run eagerly, Keras 3.15.1 adds incorrectly when the batch size
    equals the size of another axis (``ops.add`` takes (1, 4, 1) for a bias of (1, 4, 4)'s last axis). ``training=False`` is
    passed explicitly, because augmentation layers default to training mode and propagate it to the layers after them.

    Args:
        model: The model to run.
        masks: Also return the mask of each output that has one, as ``NAME_mask``.
    """

    def run(inputs: Any) -> dict[str, Any]:
        given = model(inputs, training=False)
        found = {f"{name}_mask": mask_of(value) for name, value in given.items() if masks}
        return {**given, **{name: mask for name, mask in found.items() if mask is not None}}

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        signature = {name: tf.TensorSpec(tensor.shape, tensor.dtype) for name, tensor in model.input.items()}
        run = tf.function(run, input_signature=[signature])
    return lambda inputs: {name: np.asarray(keras.ops.convert_to_numpy(value)) for name, value in run(dict(inputs)).items()}
