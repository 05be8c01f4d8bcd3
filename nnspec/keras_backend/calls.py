"""How each layer is built and called, where that is not simply Keras's layer of the same name.

A lowering takes a layer's facts and gives a function from tensors to tensors. What it makes once (the Keras layers, which
hold the weights) it makes outside that function, so that a shared layer is called again on the same weights. Everything
is Keras's own layers and ``keras.ops``: the saved model loads in Keras alone, and runs on each of its backends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras

from nnspec.keras_backend.objects import keras_object
from nnspec.keras_backend.seeds import Seeds
from nnspec.layers.base import Layer
from nnspec.layers.bidirectional import Bidirectional
from nnspec.layers.pooling import MaxPooling, Pooling
from nnspec.layers.recurrence import Recurrent
from nnspec.layers.sliding import Sliding
from nnspec.layers.transposed_convolution import TransposedConvolution

__all__ = ["Call", "lower", "mask_of"]

Call = Callable[[Mapping[str, Any]], Any]
"""From the tensors at the ports to the output tensor, or to a sequence of them in the order of the layer's outputs."""


def lower(layer: Layer, name: str, seeds: Seeds) -> Call:
    """Builds a layer.

    Args:
        layer: Its facts.
        name: What its Keras layer is called.
        seeds: Where its first weights come from.
    """
    for kind, lowering in _EXCEPTIONS.items():
        if isinstance(layer, kind):
            return lowering(layer, name, seeds)
    return _plain(keras_object(layer, seeds, name=name), layer)


def _plain(keras_layer: Any, layer: Layer) -> Call:
    """Called on its one input, or on the list of them; a mask it would drop is taken off first, as Keras warns otherwise."""

    def take(tensor: Any) -> Any:
        return tensor if keras_layer.supports_masking or mask_of(tensor) is None else keras.ops.copy(tensor)

    if layer.ports.variadic:
        return lambda tensors: keras_layer([take(tensor) for tensor in tensors.values()])
    return lambda tensors: keras_layer(take(tensors["x"]))


def mask_of(tensor: Any) -> Any:
    """The mask that travels with a tensor, or None."""
    return getattr(tensor, "_keras_mask", None)


def _convolution(layer: Sliding, name: str, seeds: Seeds) -> Call:
    """Keras knows no padding by numbers: zeros are laid around the input first."""
    if layer.padding in ("valid", "same", "causal") or layer.around is None:
        return _plain(keras_object(layer, seeds, name=name), layer)
    pad = _zeros_around(layer.around, f"{name}.padding")
    convolve = _plain(keras_object(layer, seeds, name=name, padding="valid"), layer)
    around = _plain(pad, layer)
    return lambda tensors: convolve({"x": around(tensors)})


def _zeros_around(around: tuple[tuple[int, int], ...], name: str) -> Any:
    rank = len(around)
    return getattr(keras.layers, f"ZeroPadding{rank}D")(around if rank > 1 else around[0], name=name)


def _transposed(layer: TransposedConvolution, name: str, seeds: Seeds) -> Call:
    """Keras knows no padding by numbers: the whole output is made, and its margins are taken off."""
    if isinstance(layer.padding, str):
        return _plain(keras_object(layer, seeds, name=name), layer)
    rank, added = len(layer.axes), layer.output_padding or (0,) * len(layer.axes)
    whole = _plain(keras_object(layer, seeds, name=name, padding="valid", output_padding=added), layer)
    margins = layer.padding if rank > 1 else layer.padding[0]
    crop = getattr(keras.layers, f"Cropping{rank}D")(margins, name=f"{name}.cropping")
    return lambda tensors: crop(whole(tensors))


def _pooling(layer: Pooling, name: str, seeds: Seeds) -> Call:
    """Keras knows no padding by numbers: −∞ around the input loses every maximum; averages are divided by what is counted."""
    if layer.padding in ("valid", "same") or layer.around is None:
        return _plain(keras_object(layer, seeds, name=name), layer)
    around = ((0, 0), *layer.around, (0, 0))
    pool = _plain(keras_object(layer, seeds, name=name, padding="valid"), layer)
    if isinstance(layer, MaxPooling):
        return lambda tensors: pool({"x": keras.ops.pad(tensors["x"], around, constant_values=-float("inf"))})
    share = _plain(keras_object(layer, seeds, name=f"{name}.share", padding="valid"), layer)

    def average(tensors: Mapping[str, Any]) -> Any:
        x = tensors["x"]
        real = keras.ops.ones_like(x[..., :1])
        return keras.ops.divide(pool({"x": keras.ops.pad(x, around)}), share({"x": keras.ops.pad(real, around)}))

    return average


def _recurrent(layer: Recurrent, name: str, seeds: Seeds) -> Call:
    return _with_states(keras_object(layer, seeds, name=name))


def _bidirectional(layer: Bidirectional, name: str, seeds: Seeds) -> Call:
    """Keras would copy the forward layer for the backward one, first weights included: it is given one with its own."""
    kind = type(layer.forward).__name__.lower()
    forward = keras_object(layer.forward, seeds.within("forward"), name=kind)
    backward = keras_object(layer.backward, seeds.within("backward"), name=f"backward_{kind}")
    both = keras.layers.Bidirectional(forward, merge_mode=layer.merge_mode, backward_layer=backward, name=name)
    return _with_states(both)


def _with_states(keras_layer: Any) -> Call:
    """Called with its input and, where there are any, its initial states. Beside them Keras forgets the mask: it is given."""

    def call(tensors: Mapping[str, Any]) -> Any:
        x, *states = tensors.values()
        return keras_layer(x, initial_state=states, mask=mask_of(x)) if states else keras_layer(x)

    return call


_EXCEPTIONS: dict[type[Layer], Callable[[Any, str, Seeds], Call]] = {
    TransposedConvolution: _transposed,
    Sliding: _convolution,
    Pooling: _pooling,
    Recurrent: _recurrent,
    Bidirectional: _bidirectional,
}
