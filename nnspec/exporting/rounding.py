"""Perturbs what the layers of a Keras model compute by one unit in the last place: one sample of its rounding."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from typing import Any

import keras
import numpy as np


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


_SCALES: Mapping[Callable[[Any], Any], Callable[[Any], Any]] = {
    keras.activations.sigmoid: keras.ops.ones_like,
    keras.activations.silu: lambda x: keras.ops.where(x > -20, x, 0),
}
"""What the last bit of an activation is one of, if it is not its value.

ONNX Runtime, like other float32 kernels, computes a sigmoid as 1/2 plus an odd function, to the last bit of 1/2 even where it
is small, and to 0 below. A gate that is nearly shut has few correct digits then, whatever the file says.
"""


@contextmanager
def activations_rounded(model: keras.Model) -> Iterator[None]:
    """Perturb the activations within recurrent cells by one unit in the last place, and the sigmoids of all layers.

    A recurrence without saturation amplifies what each step rounds, which a perturbed output does not show.

    Args:
        model: The model; its layers are changed within the context.
    """
    seeds = count(1)

    def perturbed(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def call(x: Any) -> Any:
            y = function(x)
            scale = _SCALES[function](x) if function in _SCALES else y
            return y + scale * _last_bits(y, next(seeds))

        return call

    found = [
        (layer, name, function)
        for layer in model._flatten_layers()
        for name in ("activation", "recurrent_activation")
        if (function := vars(layer).get(name)) is not None and (function in _SCALES or hasattr(layer, "state_size"))
    ]
    for layer, name, function in found:
        setattr(layer, name, perturbed(function))
    try:
        yield
    finally:
        for layer, name, function in found:
            setattr(layer, name, function)
