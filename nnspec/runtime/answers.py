"""A Keras model as a function of arrays: what an exported model is held against."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from nnspec.graph import Graph
from nnspec.keras_backend import set_weight_arrays, to_keras
from nnspec.keras_backend.call import mask_of
from nnspec.keras_backend.precision import in_float64, widened
from nnspec.onnx_backend.parity import Reference, nudged
from nnspec.runtime.redrawing import redrawn

__all__ = ["answering", "in_keras"]

_Arrays = Mapping[str, NDArray[Any]]
_Run = Callable[[_Arrays], dict[str, NDArray[Any]]]


def in_keras(graph: Graph, weights: _Arrays, *, masks: bool = False, model: keras.Model | None = None) -> Reference:
    """A network in Keras: what an exported model is compared with, also in float64.

    Args:
        graph: The network.
        weights: Arrays by the spec's names; those of other networks are left out.
        masks: Whether an output's mask is given too, as ``NAME_mask``, where it has one.
        model: The Keras model of the graph, with these weights, where there is one already.
    """
    own = graph.own(weights)
    if model is None:
        model = to_keras(graph, seed=1)
        set_weight_arrays(model, graph, own)
    run = answering(model, masks=masks)

    def drawn(inputs: _Arrays) -> tuple[_Arrays, Reference]:
        other = redrawn(model, graph, own, inputs)
        changed = Reference(
            _with_weights(model, graph, own, other, run),
            lambda: _with_weights(model, graph, own, _beside(other), run),
            lambda: _exact(graph, other, masks=masks),
        )
        return other, changed

    moved = _with_weights(model, graph, own, _beside(own), run)
    return Reference(run, lambda: moved, lambda: _exact(graph, own, masks=masks), drawn)


def _beside(weights: _Arrays) -> _Arrays:
    return nudged(weights, np.random.default_rng(1))


def _with_weights(model: keras.Model, graph: Graph, own: _Arrays, other: _Arrays, run: _Run) -> _Run:
    """The answers with other weights; the model has its own again after each."""

    def answer(inputs: _Arrays) -> dict[str, NDArray[Any]]:
        set_weight_arrays(model, graph, other)
        try:
            return run(inputs)
        finally:
            set_weight_arrays(model, graph, own)

    return answer


def _exact(graph: Graph, weights: _Arrays, *, masks: bool) -> _Run:
    """The answers in float64."""
    wide = widened(graph)
    with in_float64(), _float64_of_backend():
        model = to_keras(wide, seed=1)
        set_weight_arrays(model, wide, weights)
    dtypes = {name: keras.backend.standardize_dtype(tensor.dtype) for name, tensor in model.input.items()}
    run = answering(model, masks=masks)

    def answer(inputs: _Arrays) -> dict[str, NDArray[Any]]:
        given = {name: np.asarray(array) for name, array in inputs.items()}
        with in_float64(), _float64_of_backend():
            return run({name: array.astype(dtypes.get(name, array.dtype)) for name, array in given.items()})

    return answer


@contextmanager
def _float64_of_backend() -> Iterator[None]:
    """JAX computes in float64 only if it is told to."""
    if keras.backend.backend() != "jax":
        yield
        return
    import jax

    with jax.enable_x64(True):
        yield


def answering(model: keras.Model, *, masks: bool = False) -> _Run:
    """The model's answers, by name, to batches of any size.

    On TensorFlow the model is compiled with its batch size left open: run eagerly, Keras 3.15.1 adds wrongly where the batch
    size happens to be that of another axis (``ops.add`` takes (1, 4, 1) for a bias of (1, 4, 4)'s last axis). That nothing is
    trained is said: a layer that changes pictures takes the contrary for granted, and passes it on to the layers behind it.

    Args:
        model: What is run.
        masks: Whether an output's mask is given too, as ``NAME_mask``, where it has one.
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
