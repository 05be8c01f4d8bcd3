"""Perturbs what the layers of a Keras model compute by one unit in the last place: one sample of its rounding."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import keras
import numpy as np

__all__ = ["rounded", "sigmoids_rounded"]


@keras.saving.register_keras_serializable("nnspec")
class _Rounding(keras.layers.Layer):  # type: ignore[misc]
    """Perturbs float tensors by one unit in the last place, up or down."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.supports_masking = True

    def call(self, x: Any) -> Any:
        # Some Keras layers return integers where they declare floats.
        is_float = keras.backend.is_float_dtype(keras.backend.standardize_dtype(x.dtype))
        return x * (1 + _last_bits(x, 1)) if is_float else x


def _last_bits(x: Any, seed: int) -> Any:
    """The last bit of 1, with random signs, in the shape of a tensor."""
    dtype = keras.backend.standardize_dtype(x.dtype)
    up = keras.random.uniform(keras.ops.shape(x), seed=seed, dtype=dtype) < 0.5
    last = float(np.finfo(dtype).eps)
    return keras.ops.cast(keras.ops.where(up, last, -last), dtype)


def rounded(model: keras.Model) -> keras.Model:
    """The model, with the same layers, and the output of each perturbed.

    Args:
        model: The model of a graph.
    """

    def perturbed(tensor: Any) -> Any:
        is_float = keras.backend.is_float_dtype(keras.backend.standardize_dtype(tensor.dtype))
        return _Rounding(dtype=tensor.dtype)(tensor) if is_float else tensor

    def call(layer: keras.Layer, *inputs: Any, **arguments: Any) -> Any:
        return keras.tree.map_structure(perturbed, layer(*inputs, **arguments))

    return keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=call)


@contextmanager
def sigmoids_rounded(model: keras.Model) -> Iterator[None]:
    """Perturb the sigmoids of all layers, the gates of recurrent layers included, by the last bit of 1.

    It is the last bit of 1 even where a sigmoid is small: ONNX Runtime, like other float32 kernels, computes it as 1/2 plus an
    odd function. A gate that is nearly shut then has few correct digits, whatever the file says.

    Args:
        model: The model; its layers are changed within the context.
    """
    seeds = count(1)

    def perturbed(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def call(x: Any) -> Any:
            y = function(x)
            return y + _last_bits(y, next(seeds))

        return call

    found = [
        (layer, name)
        for layer in model._flatten_layers()
        for name in ("activation", "recurrent_activation")
        if vars(layer).get(name) is keras.activations.sigmoid
    ]
    for layer, name in found:
        setattr(layer, name, perturbed(keras.activations.sigmoid))
    try:
        yield
    finally:
        for layer, name in found:
            setattr(layer, name, keras.activations.sigmoid)
