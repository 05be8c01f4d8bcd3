"""How each layer is built and called, where that is not simply Keras's layer of the same name.

A lowering takes a layer's facts and gives a function from tensors to tensors. What it makes once (the Keras layers, which
hold the weights) it makes outside that function, so that a shared layer is called again on the same weights. Everything
is Keras's own layers and ``keras.ops``: the saved model loads in Keras alone, and runs on each of its backends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import groupby
from typing import Any

import keras
from keras.src.backend.common.masking import get_keras_mask

from nnspec.keras_backend import every_step, float64_layers, heads, positions, unpooling
from nnspec.keras_backend.adaptive import AdaptivePooling as KerasAdaptivePooling
from nnspec.keras_backend.center_crop import CenterCrop as KerasCenterCrop
from nnspec.keras_backend.dilated_transpose import DILATED
from nnspec.keras_backend.einsum import EinsumDense as KerasEinsumDense
from nnspec.keras_backend.every_step import EveryStep
from nnspec.keras_backend.gated_lstm import GatedLSTMCell
from nnspec.keras_backend.known_sizes import KnownSizes
from nnspec.keras_backend.objects import arguments, keras_object
from nnspec.keras_backend.parameter import Parameter as KerasParameter
from nnspec.keras_backend.random_crop import RandomCrop as KerasRandomCrop
from nnspec.keras_backend.random_shear import RandomShear as KerasRandomShear
from nnspec.keras_backend.reversible import ReversibleEmbedding as KerasReversibleEmbedding
from nnspec.keras_backend.sampling import Sampling as KerasSampling
from nnspec.keras_backend.seeds import Seeds
from nnspec.keras_backend.standardization import Normalization as KerasNormalization
from nnspec.layers.activations import Softmax
from nnspec.layers.adaptive_pooling import AdaptiveMaxPooling, AdaptivePooling
from nnspec.layers.attention import DotAttention
from nnspec.layers.augmentation import Augmentation
from nnspec.layers.base import Layer
from nnspec.layers.bidirectional import Bidirectional
from nnspec.layers.borders import Borders
from nnspec.layers.dot import Dot
from nnspec.layers.einsum_dense import EinsumDense
from nnspec.layers.every_step import BatchToSteps, StepsToBatch
from nnspec.layers.group_query_attention import GroupQueryAttention
from nnspec.layers.heads import HeadAttention
from nnspec.layers.normalization import AlongAxes, GroupNormalization
from nnspec.layers.parameter import Parameter
from nnspec.layers.picture_geometry import RandomShear
from nnspec.layers.pooling import MaxPooling, Pooling
from nnspec.layers.positions import PositionEmbedding, SinusoidalPositionEncoding
from nnspec.layers.random_crop import RandomCrop
from nnspec.layers.recurrence import Recurrent
from nnspec.layers.recurrent import LSTM
from nnspec.layers.reduction import Reduction, Slice, Sum
from nnspec.layers.resizing import CenterCrop, Resizing
from nnspec.layers.reversible_embedding import ReversibleEmbedding
from nnspec.layers.sampling import Sampling
from nnspec.layers.sliding import Sliding
from nnspec.layers.spectral_normalization import SpectralNormalization
from nnspec.layers.standardization import Normalization
from nnspec.layers.time_distributed import TimeDistributed
from nnspec.layers.transposed_convolution import TransposedConvolution
from nnspec.layers.unpooling import MaxPoolingWithIndices2D, MaxUnpooling2D
from nnspec.layers.upsampling import UpSampling
from nnspec.types import TensorType, unknown

__all__ = ["Call", "augmenting_layer", "corrupting_layer", "has_form", "lower", "mask_of"]

Call = Callable[..., Any]
"""From the tensors at the ports, and the layer's arguments at this call (``Layer.at_call``), to the output tensor, or to a
sequence of them in the order of the layer's outputs."""


_Wrap = Callable[[Any], Any]


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
    return _as_it_is(layer, name, seeds)


def _as_it_is(layer: Layer, name: str, seeds: Seeds, wrap: _Wrap | None = None) -> Call:
    """Keras's layer of the same name and arguments, in a wrapper if there is one."""
    keras_layer = keras_object(layer, seeds, name=name)
    return _plain(wrap(keras_layer) if wrap else keras_layer, layer)


def has_form(kind: type[Layer]) -> bool:
    """Whether a layer can be built: Keras has one of its name, it is an exception here, or it brings its own."""
    return hasattr(keras.layers, kind.__name__) or issubclass(kind, tuple(_EXCEPTIONS)) or hasattr(kind, "to_keras")


def _plain(keras_layer: Any, layer: Layer) -> Call:
    """Called on its one input, or on the list of them; a mask it would drop is taken off first, as Keras warns otherwise."""

    def take(tensor: Any) -> Any:
        return tensor if keras_layer.supports_masking or mask_of(tensor) is None else keras.ops.copy(tensor)

    def call(tensors: Mapping[str, Any], **at_call: Any) -> Any:
        taken = [take(tensor) for tensor in tensors.values()]
        return keras_layer(taken if layer.ports.variadic or len(taken) > 1 else taken[0], **at_call)

    return call


def mask_of(tensor: Any) -> Any:
    """The mask that travels with a tensor, or None."""
    # Keras keeps the masks of tensors that take no attributes, as JAX's, aside; nothing public tells them.
    return get_keras_mask(tensor)


def _convolution(layer: Sliding, name: str, seeds: Seeds, wrap: _Wrap | None = None) -> Call:
    """Keras knows no padding by numbers: zeros are laid around the input first."""
    if layer.padding in ("valid", "same", "causal") or layer.around is None:
        keras_layer = keras_object(layer, seeds, name=name, padding=_same_of_one(layer.padding, layer.spans))
        return _plain(wrap(keras_layer) if wrap else keras_layer, layer)
    pad = _zeros_around(layer.around, f"{name}.padding")
    unpadded = keras_object(layer, seeds, name=name, padding="valid")
    convolve = _plain(wrap(unpadded) if wrap else unpadded, layer)
    around = _plain(pad, layer)
    return lambda tensors: convolve({"x": around(tensors)})


def _same_of_one(padding: Any, spans: tuple[int, ...]) -> Any:
    """A window of one position needs no padding; with `same` TensorFlow 2.21 moves it in volumes, by strides of 3 and more."""
    return "valid" if padding == "same" and max(spans) == 1 else padding


def _zeros_around(around: tuple[tuple[int, int], ...], name: str) -> Any:
    rank = len(around)
    return getattr(keras.layers, f"ZeroPadding{rank}D")(around if rank > 1 else around[0], name=name)


def _transposed(layer: TransposedConvolution, name: str, seeds: Seeds, wrap: _Wrap | None = None) -> Call:
    """Keras knows no padding by numbers: the whole output is made, and its margins are taken off."""
    rank = len(layer.axes)
    kind = DILATED[rank] if max(layer.dilation_rate) > 1 else getattr(keras.layers, type(layer).__name__)
    given = {**arguments(layer, seeds), "name": name}
    if not isinstance(layer.padding, str):
        given |= {"padding": "valid", "output_padding": layer.output_padding or (0,) * rank}
    whole = _plain(wrap(kind(**given)) if wrap else kind(**given), layer)
    if isinstance(layer.padding, str):
        return whole
    margins = layer.padding if rank > 1 else layer.padding[0]
    crop = getattr(keras.layers, f"Cropping{rank}D")(margins, name=f"{name}.cropping")
    return lambda tensors: crop(whole(tensors))


def _pooling(layer: Pooling, name: str, seeds: Seeds) -> Call:
    """Keras knows no padding by numbers: −∞ around the input loses every maximum; averages are divided by what is counted."""
    if layer.padding in ("valid", "same") or layer.around is None:
        return _plain(_window(layer, name, seeds, _same_of_one(layer.padding, layer.pool_size)), layer)
    around = ((0, 0), *layer.around, (0, 0))
    pool = _plain(_window(layer, name, seeds, "valid"), layer)
    if isinstance(layer, MaxPooling):
        return lambda tensors: pool({"x": keras.ops.pad(tensors["x"], around, constant_values=-float("inf"))})
    share = _plain(_window(layer, f"{name}.share", seeds, "valid"), layer)

    def average(tensors: Mapping[str, Any]) -> Any:
        x = tensors["x"]
        real = keras.ops.ones_like(x[..., :1])
        return keras.ops.divide(pool({"x": keras.ops.pad(x, around)}), share({"x": keras.ops.pad(real, around)}))

    return average


def _window(layer: Pooling, name: str, seeds: Seeds, padding: str) -> Any:
    if len(layer.pool_size) == 3 and float64_layers.is_float64():
        reduction = "max" if isinstance(layer, MaxPooling) else "mean"
        return float64_layers.Pooling3D(reduction, layer.pool_size, layer.steps, padding, name=name)
    return keras_object(layer, seeds, name=name, padding=padding)


def _with_indices(layer: MaxPoolingWithIndices2D, name: str, seeds: Seeds) -> Call:
    del seeds
    return _plain(unpooling.MaxPoolingWithIndices2D(layer.pool_size, layer.steps, layer.padding, name=name), layer)


def _unpooling(layer: MaxUnpooling2D, name: str, seeds: Seeds) -> Call:
    del seeds
    keras_layer = unpooling.MaxUnpooling2D(layer.factors, name=name)
    return lambda tensors: keras_layer(list(tensors.values()))


def _adaptive(layer: AdaptivePooling, name: str, seeds: Seeds) -> Call:
    """Keras 3.15.1 pools adaptively where sizes are numbers, and in a TensorFlow graph only if a window and one more fit."""
    reduction = "max" if isinstance(layer, AdaptiveMaxPooling) else "mean"
    theirs = _plain(keras_object(layer, seeds, name=name), layer)
    ours = _plain(KerasAdaptivePooling(layer.output_size, reduction, name=f"{name}.free"), layer)

    def call(tensors: Mapping[str, Any]) -> Any:
        sizes = zip(tensors["x"].shape[1:-1], layer.output_size, strict=True)
        fits = all(size is not None and size > -(-size // count) for size, count in sizes)
        fits = fits and not (len(layer.output_size) == 3 and float64_layers.is_float64())
        return (theirs if fits else ours)(tensors)

    return call


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
            inner = lower(layer.inner, f"{name}.layer", inside)({"x": x}, **layer.inner.at_call)
            inner = keras.Model(x, inner, name=f"{name}.step")
            made.append(_plain(EveryStep(inner, name=name), layer))
        return made[0](tensors)

    return call


def _end_of_steps(layer: StepsToBatch | BatchToSteps, name: str, seeds: Seeds) -> Call:
    del seeds
    keras_layer = getattr(every_step, type(layer).__name__)(name=name)
    if isinstance(layer, BatchToSteps):
        return lambda tensors: keras_layer(list(tensors.values()))
    return lambda tensors: keras_layer(tensors["x"])


def _einsum_dense(layer: EinsumDense, name: str, seeds: Seeds, wrap: _Wrap | None = None) -> Call:
    """The equation is written out when the input's axes are known."""
    made: list[Call] = []

    def call(tensors: Mapping[str, Any]) -> Any:
        if not made:
            x = TensorType(tuple(unknown() if size is None else size for size in tensors["x"].shape[1:]))
            equation, sizes = layer.written_out(x), layer.sizes(x)
            named = equation.kernel + (layer.bias_axes or "")
            output = tuple(sizes[letter] if letter in named else None for letter in equation.output[1:])
            whole = {**arguments(layer, seeds), "equation": str(equation), "output_shape": output}
            keras_layer = KerasEinsumDense(name=name, **whole)
            made.append(_plain(wrap(keras_layer) if wrap else keras_layer, layer))
        return made[0](tensors)

    return call


def _spectral(layer: SpectralNormalization, name: str, seeds: Seeds) -> Call:
    """Around the very layer that has the kernel, not what pads or crops beside it."""

    def wrap(keras_layer: Any) -> Any:
        return keras.layers.SpectralNormalization(keras_layer, power_iterations=layer.power_iterations, name=name)

    lowering = next((lowering for kind, lowering in _WITH_KERNEL.items() if isinstance(layer.inner, kind)), _as_it_is)
    return lowering(layer.inner, name, seeds.within("layer"), wrap)


def _heads(layer: HeadAttention, name: str, seeds: Seeds) -> Call:
    """Keras 3.15.1 takes the masks off the very tensors it is given, for all who read them: it is given others."""
    if isinstance(layer, GroupQueryAttention) or layer.return_attention_scores:
        keras_layer = getattr(heads, type(layer).__name__)(name=name, **arguments(layer, seeds))
    else:
        keras_layer = keras_object(layer, seeds, name=name)

    def own(port: str, tensor: Any) -> Any:
        return tensor if mask_of(tensor) is None else keras.layers.Rescaling(1.0, name=f"{name}.{port}")(tensor)

    def call(tensors: Mapping[str, Any], **at_call: Any) -> Any:
        given = {port: own(port, tensor) for port, tensor in tensors.items()}
        found = keras_layer(**given, **at_call)
        # As it runs, Keras leaves a mask of its own on the scores.
        return (found[0], keras.ops.copy(found[1])) if at_call["return_attention_scores"] else found

    return call


def _sampling(layer: Sampling, name: str, seeds: Seeds) -> Call:
    keras_layer = KerasSampling(name=name, **arguments(layer, seeds))
    return lambda tensors: keras_layer([tensors["mean"], tensors["log_variance"]])


def _reversible(layer: ReversibleEmbedding, name: str, seeds: Seeds) -> Call:
    return _plain(KerasReversibleEmbedding(name=name, **arguments(layer, seeds)), layer)


def _parameter(layer: Parameter, name: str, seeds: Seeds) -> Call:
    return _plain(KerasParameter(name=name, **arguments(layer, seeds)), layer)


def augmenting_layer(layer: Augmentation, name: str, seeds: Seeds) -> Any:
    """Keras's layer for random changes of pictures, or ours where Keras's has a fault."""
    ours = {RandomCrop: KerasRandomCrop, RandomShear: KerasRandomShear}.get(type(layer))
    return keras_object(layer, seeds, name=name) if ours is None else ours(name=name, **arguments(layer, seeds))


def corrupting_layer(layer: Layer, name: str, seeds: Seeds) -> Any:
    """Keras's layer that changes an input at random: noise, or a change of pictures."""
    return augmenting_layer(layer, name, seeds) if isinstance(layer, Augmentation) else keras_object(layer, seeds, name=name)


def _augmentation(layer: Augmentation, name: str, seeds: Seeds) -> Call:
    """Where nothing says so, Keras's random changes of pictures take it for training, unlike all its other layers."""
    keras_layer = augmenting_layer(layer, name, seeds)
    return lambda tensors: keras_layer(keras.ops.copy(x) if mask_of(x := tensors["x"]) is not None else x, training=False)


def _standardization(layer: Normalization, name: str, seeds: Seeds) -> Call:
    return _plain(KerasNormalization(name=name, **arguments(layer, seeds)), layer)


def _positions(layer: PositionEmbedding | SinusoidalPositionEncoding, name: str, seeds: Seeds) -> Call:
    return _plain(getattr(positions, type(layer).__name__)(name=name, **arguments(layer, seeds)), layer)


def _reduction(layer: Reduction, name: str, seeds: Seeds) -> Call:
    del name, seeds
    reduce = keras.ops.sum if isinstance(layer, Sum) else keras.ops.mean
    axis = tuple(layer.axis) if isinstance(layer.axis, list) else layer.axis
    return lambda tensors: reduce(tensors["x"], axis=axis, keepdims=layer.keepdims)


def _dot(layer: Dot, name: str, seeds: Seeds) -> Call:
    """Keras compares the sizes of both axes, and refuses a number beside a free size that must be that number."""
    product = _as_it_is(layer, name, seeds)

    def call(tensors: Mapping[str, Any]) -> Any:
        given = dict(tensors)
        axes = layer.axes if isinstance(layer.axes, list) else [layer.axes] * 2
        places = [axis if axis >= 0 else axis + len(x.shape) for axis, x in zip(axes, given.values(), strict=True)]
        known = [x.shape[place] for place, x in zip(places, given.values(), strict=True)]
        size = next((each for each in known if each is not None), None)
        for port, place, own in zip(given, places, known, strict=True):
            if own is None and size is not None:
                sizes = [size if axis == place else each for axis, each in enumerate(given[port].shape)][1:]
                given[port] = KnownSizes(sizes, name=f"{name}.{port}.sizes", dtype=given[port].dtype)(given[port])
        return product(given)

    return call


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


def _resizing(layer: Resizing, name: str, seeds: Seeds) -> Call:
    """TensorFlow adds no margin of a float to whole numbers, though it be whole itself; Keras takes use for training."""
    fill = int(layer.fill_value) if layer.fill_value.is_integer() else layer.fill_value
    resize = _plain(keras_object(layer, seeds, name=name, fill_value=fill), layer)
    return lambda tensors: resize(tensors, training=False)


def _center_crop(layer: CenterCrop, name: str, seeds: Seeds) -> Call:
    """Keras 3.15.1 gives what it cuts from free sizes free sizes, in a compiled function; it takes use for training, too."""
    theirs = _as_it_is(layer, name, seeds)
    ours = _plain(KerasCenterCrop(name=f"{name}.free", **arguments(layer, seeds)), layer)
    return lambda tensors: (ours if None in tensors["x"].shape[1:-1] else theirs)(tensors, training=False)


_MOST_RUNS = 5
"""TensorFlow 2.21 knows no wider broadcast: runs of axes that are alike in whether they are repeated."""


def _softmax(layer: Softmax, name: str, seeds: Seeds) -> Call:
    """Axes that lie too scattered for TensorFlow among the others are brought behind them."""
    as_it_is = _as_it_is(layer, name, seeds)
    made: list[Call] = []

    def call(tensors: Mapping[str, Any]) -> Any:
        rank = len(tensors["x"].shape)
        axes = layer.axes(TensorType((unknown(),) * (rank - 1)))
        if len(list(groupby(range(rank), axes.__contains__))) <= _MOST_RUNS:
            return as_it_is(tensors)
        if not made:
            kept = [axis for axis in range(1, rank) if axis not in axes]
            order = [*kept, *axes]
            behind = keras.layers.Permute(order, name=f"{name}.behind")
            shares = keras_object(layer, seeds, name=f"{name}.shares", axis=tuple(range(len(kept) + 1, rank)))
            back = keras.layers.Permute([order.index(axis) + 1 for axis in range(1, rank)], name=f"{name}.back")
            made.append(lambda given: back(shares(behind(given["x"]))))
        return made[0](tensors)

    return call


def _attention(layer: DotAttention, name: str, seeds: Seeds) -> Call:
    if float64_layers.is_float64():
        keras_layer = getattr(float64_layers, type(layer).__name__)(name=name, **arguments(layer, seeds))
    else:
        keras_layer = keras_object(layer, seeds, name=name)
    return lambda tensors, **at_call: keras_layer(list(tensors.values()), **at_call)


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


_WITH_KERNEL: dict[type[Layer], Callable[..., Call]] = {
    TransposedConvolution: _transposed,
    Sliding: _convolution,
    EinsumDense: _einsum_dense,
}
"""Those of them whose Keras layer may stand in a wrapper."""

_EXCEPTIONS: dict[type[Layer], Callable[[Any, str, Seeds], Call]] = {
    **_WITH_KERNEL,
    SpectralNormalization: _spectral,
    MaxPoolingWithIndices2D: _with_indices,
    MaxUnpooling2D: _unpooling,
    Pooling: _pooling,
    AdaptivePooling: _adaptive,
    Recurrent: _recurrent,
    Bidirectional: _bidirectional,
    TimeDistributed: _time_distributed,
    StepsToBatch: _end_of_steps,
    BatchToSteps: _end_of_steps,
    Dot: _dot,
    DotAttention: _attention,
    HeadAttention: _heads,
    Parameter: _parameter,
    ReversibleEmbedding: _reversible,
    Sampling: _sampling,
    Augmentation: _augmentation,
    Normalization: _standardization,
    PositionEmbedding: _positions,
    SinusoidalPositionEncoding: _positions,
    Reduction: _reduction,
    Slice: _slice,
    Borders: _borders,
    AlongAxes: _normalization,
    GroupNormalization: _normalization,
    UpSampling: _upsampling,
    Resizing: _resizing,
    CenterCrop: _center_crop,
    Softmax: _softmax,
}
