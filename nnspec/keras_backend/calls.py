"""How each layer is built and called, where that is not simply Keras's layer of the same name.

A lowering takes a layer's facts and gives a function from tensors to tensors. What it makes once (the Keras layers, which
hold the weights) it makes outside that function, so that a shared layer is called again on the same weights. Everything
is Keras's own layers and ``keras.ops``: the saved model loads in Keras alone, and runs on each of its backends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras

from nnspec.keras_backend import positions
from nnspec.keras_backend.every_step import EveryStep
from nnspec.keras_backend.gated_lstm import GatedLSTMCell
from nnspec.keras_backend.objects import arguments, keras_object
from nnspec.keras_backend.sampling import Sampling as KerasSampling
from nnspec.keras_backend.seeds import Seeds
from nnspec.layers.attention import DotAttention
from nnspec.layers.base import Layer
from nnspec.layers.bidirectional import Bidirectional
from nnspec.layers.borders import Borders
from nnspec.layers.multi_head_attention import MultiHeadAttention
from nnspec.layers.normalization import AlongAxes, GroupNormalization
from nnspec.layers.pooling import MaxPooling, Pooling
from nnspec.layers.positions import PositionEmbedding, SinusoidalPositionEncoding
from nnspec.layers.recurrence import Recurrent
from nnspec.layers.recurrent import LSTM
from nnspec.layers.reduction import Reduction, Slice, Sum
from nnspec.layers.sampling import Sampling
from nnspec.layers.sliding import Sliding
from nnspec.layers.time_distributed import TimeDistributed
from nnspec.layers.transposed_convolution import TransposedConvolution
from nnspec.layers.upsampling import UpSampling

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
        return _plain(keras_object(layer, seeds, name=name, padding=_same_of_one(layer.padding, layer.spans)), layer)
    pad = _zeros_around(layer.around, f"{name}.padding")
    convolve = _plain(keras_object(layer, seeds, name=name, padding="valid"), layer)
    around = _plain(pad, layer)
    return lambda tensors: convolve({"x": around(tensors)})


def _same_of_one(padding: Any, spans: tuple[int, ...]) -> Any:
    """A window of one position needs no padding; with `same` TensorFlow 2.21 moves it in volumes, by strides of 3 and more."""
    return "valid" if padding == "same" and max(spans) == 1 else padding


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
        return _plain(keras_object(layer, seeds, name=name, padding=_same_of_one(layer.padding, layer.pool_size)), layer)
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
    return _with_states(_recurrent_layer(layer, name, seeds))


_OF_THE_LOOP = ("return_sequences", "return_state", "go_backwards", "zero_output_for_mask", "activity_regularizer")


def _recurrent_layer(layer: Recurrent, name: str, seeds: Seeds) -> Any:
    """Keras's layer of the same name, or a cell of ours in Keras's loop."""
    if not (isinstance(layer, LSTM) and (layer.peephole or layer.coupled_gates)):
        return keras_object(layer, seeds, name=name)
    given = arguments(layer, seeds)
    loop = {argument: given.pop(argument) for argument in _OF_THE_LOOP}
    cell = GatedLSTMCell(peephole=layer.peephole, coupled_gates=layer.coupled_gates, name="cell", **given)
    return keras.layers.RNN(cell, name=name, **loop)


def _bidirectional(layer: Bidirectional, name: str, seeds: Seeds) -> Call:
    """Keras would copy the forward layer for the backward one, first weights included: it is given one with its own."""
    kind = type(layer.forward).__name__.lower()
    forward = _recurrent_layer(layer.forward, kind, seeds.within("forward"))
    backward = _recurrent_layer(layer.backward, f"backward_{kind}", seeds.within("backward"))
    both = keras.layers.Bidirectional(forward, merge_mode=layer.merge_mode, backward_layer=backward, name=name)
    return _with_states(both)


def _time_distributed(layer: TimeDistributed, name: str, seeds: Seeds) -> Call:
    """An inner layer that is not simply one of Keras's becomes a model, when its input's shape is known."""
    if layer.inner.same_at_every_position:
        return _plain(keras_object(layer.inner, seeds, name=name), layer)
    inside = seeds.within("layer")
    if not isinstance(layer.inner, tuple(_EXCEPTIONS)):
        return _plain(EveryStep(keras_object(layer.inner, inside), name=name), layer)
    made: list[Call] = []

    def call(tensors: Mapping[str, Any]) -> Any:
        if not made:
            x = keras.Input(tensors["x"].shape[2:], dtype=tensors["x"].dtype)
            inner = keras.Model(x, lower(layer.inner, f"{name}.layer", inside)({"x": x}), name=f"{name}.step")
            made.append(_plain(EveryStep(inner, name=name), layer))
        return made[0](tensors)

    return call


def _multi_head(layer: MultiHeadAttention, name: str, seeds: Seeds) -> Call:
    """Keras 3.15.1 takes the masks off the very tensors it is given, for all who read them: it is given others."""
    keras_layer = keras_object(layer, seeds, name=name)

    def own(port: str, tensor: Any) -> Any:
        return tensor if mask_of(tensor) is None else keras.layers.Rescaling(1.0, name=f"{name}.{port}")(tensor)

    def call(tensors: Mapping[str, Any]) -> Any:
        given = {port: own(port, tensor) for port, tensor in tensors.items()}
        return keras_layer(**given, use_causal_mask=layer.use_causal_mask)

    return call


def _sampling(layer: Sampling, name: str, seeds: Seeds) -> Call:
    keras_layer = KerasSampling(name=name, **arguments(layer, seeds))
    return lambda tensors: keras_layer([tensors["mean"], tensors["log_variance"]])


def _positions(layer: PositionEmbedding | SinusoidalPositionEncoding, name: str, seeds: Seeds) -> Call:
    return _plain(getattr(positions, type(layer).__name__)(name=name, **arguments(layer, seeds)), layer)


def _reduction(layer: Reduction, name: str, seeds: Seeds) -> Call:
    del name, seeds
    reduce = keras.ops.sum if isinstance(layer, Sum) else keras.ops.mean
    axis = tuple(layer.axis) if isinstance(layer.axis, list) else layer.axis
    return lambda tensors: reduce(tensors["x"], axis=axis, keepdims=layer.keepdims)


def _slice(layer: Slice, name: str, seeds: Seeds) -> Call:
    del name, seeds
    part = slice(layer.start, layer.stop, layer.step)

    def call(tensors: Mapping[str, Any]) -> Any:
        x = tensors["x"]
        axis = layer.axis if layer.axis > 0 else layer.axis + len(x.shape)
        if (layer.start, layer.stop) in ((0, 1), (-1, None)):  # of one position, Keras then knows that it is one
            return keras.ops.take(x, [layer.start], axis=axis)
        return x[(slice(None),) * axis + (part,)]

    return call


def _upsampling(layer: UpSampling, name: str, seeds: Seeds) -> Call:
    """Where there is one axis Keras takes its factor alone."""
    return _plain(keras_object(layer, seeds, name=name, size=layer.size if len(layer.size) > 1 else layer.size[0]), layer)


def _attention(layer: DotAttention, name: str, seeds: Seeds) -> Call:
    keras_layer = keras_object(layer, seeds, name=name)
    return lambda tensors: keras_layer(list(tensors.values()), use_causal_mask=layer.use_causal_mask)


def _with_states(keras_layer: Any) -> Call:
    """Called with its input and, where there are any, its initial states. Beside them Keras forgets the mask: it is given."""

    def call(tensors: Mapping[str, Any]) -> Any:
        x, *states = tensors.values()
        return keras_layer(x, initial_state=states, mask=mask_of(x)) if states else keras_layer(x)

    return call


def _borders(layer: Borders, name: str, seeds: Seeds) -> Call:
    """Where there is one axis Keras takes its pair alone."""
    if len(layer.axes) > 1:
        return _plain(keras_object(layer, seeds, name=name), layer)
    [argument] = type(layer).model_fields
    return _plain(keras_object(layer, seeds, name=name, **{argument: layer.margins[0]}), layer)


def _normalization(layer: AlongAxes | GroupNormalization, name: str, seeds: Seeds) -> Call:
    """Keras 3.15.1 normalises over other axes where some of them are counted from behind: all are counted from the front."""
    made: list[Call] = []

    def call(tensors: Mapping[str, Any]) -> Any:
        if not made:
            rank = len(tensors["x"].shape) - 1
            axes = layer.axes(rank) if isinstance(layer, AlongAxes) else [layer.channel_axis(rank)]
            places = [axis + 1 for axis in axes]
            axis = places if len(places) > 1 else places[0]
            made.append(_plain(keras_object(layer, seeds, name=name, axis=axis), layer))
        return made[0](tensors)

    return call


_EXCEPTIONS: dict[type[Layer], Callable[[Any, str, Seeds], Call]] = {
    TransposedConvolution: _transposed,
    Sliding: _convolution,
    Pooling: _pooling,
    Recurrent: _recurrent,
    Bidirectional: _bidirectional,
    TimeDistributed: _time_distributed,
    DotAttention: _attention,
    MultiHeadAttention: _multi_head,
    Sampling: _sampling,
    PositionEmbedding: _positions,
    SinusoidalPositionEncoding: _positions,
    Reduction: _reduction,
    Slice: _slice,
    Borders: _borders,
    AlongAxes: _normalization,
    GroupNormalization: _normalization,
    UpSampling: _upsampling,
}
