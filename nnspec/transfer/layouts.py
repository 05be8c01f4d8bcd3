"""Layouts of a layer's weights in other frameworks: the names and shapes of the arrays, and how to convert their values."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nnspec.graph import Graph, Node
from nnspec.keras_import.weights import weight_places
from nnspec.layers.activations import PReLU
from nnspec.layers.attention import MultiHeadAttention
from nnspec.layers.bidirectional import Bidirectional
from nnspec.layers.convolution import Convolution
from nnspec.layers.core import Dense, Embedding
from nnspec.layers.einsum_dense import EinsumDense
from nnspec.layers.normalization import BatchNormalization, GroupNormalization, LayerNormalization, RMSNormalization
from nnspec.layers.parameter import Parameter
from nnspec.layers.positions import PositionEmbedding
from nnspec.layers.recurrent import GRU, LSTM
from nnspec.layers.separable_convolution import DepthwiseConvolution
from nnspec.layers.transposed_convolution import TransposedConvolution
from nnspec.transfer.modules import Shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Arrays = Mapping[str, NDArray[Any]]
    Convert = Callable[[Arrays], dict[str, NDArray[Any]]]


@dataclass(frozen=True)
class Layout:
    """One layout of a layer's weights.

    Attributes:
        arrays: The shapes of the arrays, by their names in the module.
        convert: Returns the values of the layer's weights, by their names, from those of the arrays.
    """

    arrays: Mapping[str, Shape]
    convert: Convert


def keras_layouts(node: Node, *, by_number: bool) -> Iterator[Layout]:
    """Yield the layouts of a layer in files of Keras.

    Args:
        node: The layer.
        by_number: Whether arrays are numbered, as in older files, instead of having a path in the layer.
    """
    places = [str(number) for number in range(len(node.weights))] if by_number else weight_places(node.layer, node.weights)
    weights = {weight.name: weight.shape for weight in node.weights}
    names = dict(zip(places, weights, strict=True))
    own = {place: weights[name] for place, name in names.items()}
    yield Layout(own, lambda arrays: {name: arrays[place] for place, name in names.items()})
    kernel = weights.get("kernel")
    if isinstance(node.layer, Dense) and kernel is not None:
        # A convolution by 1 × 1 over a single position is a dense layer.
        for rank in (1, 2):
            yield Layout(
                own | {places[0]: (*(1,) * rank, *kernel)},
                lambda arrays: {name: arrays[place].reshape(weights[name]) for place, name in names.items()},
            )
    if isinstance(node.layer, DepthwiseConvolution) and kernel is not None and kernel[-1] == 1:
        # The same kernel in a convolution with a group for each channel.
        yield Layout(
            own | {places[0]: (*kernel[:-2], 1, kernel[-2])},
            lambda arrays: {
                name: arrays[place].swapaxes(-1, -2) if name == "kernel" else arrays[place] for place, name in names.items()
            },
        )


def torch_layouts(node: Node, graph: Graph) -> Iterator[Layout]:
    """Yield the layouts of a layer in state dicts of PyTorch; none for a layer that has no equivalent module.

    Args:
        node: The layer.
        graph: Its network.
    """
    layer, shapes = node.layer, {weight.name: weight.shape for weight in node.weights}
    if isinstance(layer, DepthwiseConvolution):
        *size, channels, multiplier = shapes["kernel"]
        axes = (*range(2, 2 + len(size)), 0, 1)
        yield _affine(
            shapes,
            (channels * multiplier, 1, *size),
            lambda kernel: kernel.reshape(channels, multiplier, *size).transpose(axes),
        )
    elif isinstance(layer, Convolution | TransposedConvolution):
        kernel = shapes["kernel"]
        axes = (*range(2, len(kernel)), 1, 0)
        yield _affine(shapes, (*kernel[:-3:-1], *kernel[:-2]), lambda kernel: kernel.transpose(axes))
    elif isinstance(layer, Dense):
        features, units = shapes["kernel"]
        order = channels_first(node, graph)
        for ones in ((), (1,), (1, 1)):
            yield _affine(shapes, (units, features, *ones), lambda kernel: _rows(kernel.reshape(units, features).T, order))
    elif isinstance(layer, BatchNormalization | LayerNormalization | GroupNormalization | RMSNormalization):
        names = {theirs: ours for theirs, ours in _NORMALIZATION if ours in shapes}
        yield _renamed({theirs: shapes[ours] for theirs, ours in names.items()}, names, shapes)
    elif isinstance(layer, Embedding | PReLU):
        [name] = shapes
        shape = shapes[name] if isinstance(layer, Embedding) else (math.prod(shapes[name]),)
        yield _renamed({"weight": shape}, {"weight": name}, shapes)
    elif isinstance(layer, Parameter | PositionEmbedding) or _scales(node):
        [name] = shapes
        for shape in (shapes[name], (1, *shapes[name]), *((*shapes[name], *ones) for ones in ((1,), (1, 1)) if _scales(node))):
            for key in ("", "weight"):
                yield _renamed({key: shape}, {key: name}, shapes)
    elif isinstance(layer, MultiHeadAttention):
        yield from _attention(shapes)
    elif isinstance(layer, GRU | LSTM):
        yield from _recurrent(shapes, {"": ""})
    elif isinstance(layer, Bidirectional) and isinstance(layer.forward, GRU | LSTM):
        yield from _recurrent(shapes, {"": "forward/", "_reverse": "backward/"})


def _scales(node: Node) -> bool:
    """Return whether a layer multiplies each channel by a number, as the layer scale of ConvNeXt does."""
    return isinstance(node.layer, EinsumDense) and [len(weight.shape) for weight in node.weights] == [1]


_NORMALIZATION = (
    ("weight", "gamma"),
    ("weight", "scale"),
    ("bias", "beta"),
    ("running_mean", "moving_mean"),
    ("running_var", "moving_variance"),
)


def _affine(shapes: Mapping[str, Shape], kernel: Shape, convert: Callable[[Any], Any]) -> Layout:
    """Return the layout of a kernel and a bias."""
    bias = {"bias": shapes["bias"]} if "bias" in shapes else {}

    def converted(arrays: Arrays) -> dict[str, NDArray[Any]]:
        return {"kernel": convert(arrays["weight"]), **{name: arrays[name] for name in bias}}

    return Layout({"weight": kernel, **bias}, converted)


def _renamed(arrays: Mapping[str, Shape], names: Mapping[str, str], shapes: Mapping[str, Shape]) -> Layout:
    return Layout(arrays, lambda given: {ours: given[theirs].reshape(shapes[ours]) for theirs, ours in names.items()})


def _attention(shapes: Mapping[str, Shape]) -> Iterator[Layout]:
    """Yield the layouts of the projections of attention: query, key and value as one array, and apart."""
    parts = ("query", "key", "value")
    kernels = {part: shapes[f"{part}/kernel"] for part in parts}
    sizes = {part: (math.prod(kernel[1:]), kernel[0]) for part, kernel in kernels.items()}
    output = shapes["attention_output/kernel"]
    bias = "query/bias" in shapes
    if len(output) != 3:
        return
    out: dict[str, Shape] = {"out.weight": (output[-1], math.prod(output[:-1]))}
    out |= {"out.bias": output[-1:]} if bias else {}

    def converted(arrays: Arrays) -> dict[str, NDArray[Any]]:
        import numpy as np

        given = dict(arrays)
        if "qkv.weight" in given:
            ends = np.cumsum([sizes[part][0] for part in parts])[:-1]
            for name in ("weight", "bias") if bias else ("weight",):
                given |= {f"{part}.{name}": one for part, one in zip(parts, np.split(given[f"qkv.{name}"], ends), strict=True)}
        found = {f"{part}/kernel": given[f"{part}.weight"].T.reshape(kernels[part]) for part in parts}
        found["attention_output/kernel"] = given["out.weight"].T.reshape(output)
        if bias:
            found |= {f"{part}/bias": given[f"{part}.bias"].reshape(kernels[part][1:]) for part in parts}
            found["attention_output/bias"] = given["out.bias"]
        return found

    if len({features for _, features in sizes.values()}) == 1:
        rows = sum(size for size, _ in sizes.values())
        yield Layout({"qkv.weight": (rows, sizes["query"][1])} | ({"qkv.bias": (rows,)} if bias else {}) | out, converted)
    arrays: dict[str, Shape] = {f"{part}.weight": size for part, size in sizes.items()}
    yield Layout(arrays | ({f"{part}.bias": size[:1] for part, size in sizes.items()} if bias else {}) | out, converted)


def _recurrent(shapes: Mapping[str, Shape], ways: Mapping[str, str]) -> Iterator[Layout]:
    """Yield the layout of a GRU or an LSTM, whose gates have the same order in both frameworks but for GRU's first two."""
    first = next(iter(ways.values()))
    bias = shapes.get(f"{first}bias")
    units = shapes[f"{first}recurrent_kernel"][0]
    gates = shapes[f"{first}kernel"][1] // units
    if any("peephole" in name for name in shapes) or (gates == 3 and bias is not None and len(bias) == 1):
        return  # PyTorch has no peepholes, and its GRU adds a bias of its own to the state
    arrays: dict[str, Shape] = {}
    for theirs, ours in ways.items():
        arrays[f"weight_ih_l0{theirs}"] = shapes[f"{ours}kernel"][::-1]
        arrays[f"weight_hh_l0{theirs}"] = shapes[f"{ours}recurrent_kernel"][::-1]
        if bias is not None:
            arrays |= {f"bias_{part}_l0{theirs}": (gates * units,) for part in ("ih", "hh")}

    def ordered(array: Any) -> Any:
        """Return the gates in our order: PyTorch's GRU has the reset gate first."""
        import numpy as np

        parts = np.split(array, gates)
        return np.concatenate([parts[1], parts[0], *parts[2:]] if gates == 3 else parts)

    def converted(given: Arrays) -> dict[str, NDArray[Any]]:
        import numpy as np

        found = {}
        for theirs, ours in ways.items():
            found[f"{ours}kernel"] = ordered(given[f"weight_ih_l0{theirs}"]).T
            found[f"{ours}recurrent_kernel"] = ordered(given[f"weight_hh_l0{theirs}"]).T
            if bias is not None:
                both = [ordered(given[f"bias_{part}_l0{theirs}"]) for part in ("ih", "hh")]
                found[f"{ours}bias"] = np.stack(both) if gates == 3 else both[0] + both[1]
        return found

    yield Layout(arrays, converted)


def _rows(kernel: Any, order: Shape | None) -> Any:
    """Return the rows of a kernel in the order of a flattened feature map whose last axis has the channels.

    Args:
        kernel: The kernel, (values, units).
        order: The sizes of the feature map, channels last; None if nothing was flattened.
    """
    if order is None:
        return kernel
    *size, channels = order
    rank = len(size)
    return kernel.reshape(channels, *size, -1).transpose(*range(1, rank + 1), 0, rank + 1).reshape(kernel.shape)


def channels_first(node: Node, graph: Graph) -> Shape | None:
    """Return the sizes of the feature map that a dense layer reads flattened, channels last; None if it reads none.

    PyTorch flattens it with the channels first. Sequences are in the same order in both, unless convolutions make them.

    Args:
        node: The dense layer.
        graph: Its network.
    """
    at = node
    while True:
        source = graph.nodes.get(next(iter(at.inputs.values())).source)
        if source is None:
            return None
        if source.op == "Flatten":
            break
        if source.weights or len(source.inputs) != 1 or source.output.shape != next(iter(source.input_types.values())).shape:
            return None
        at = source
    shape = next(iter(source.input_types.values())).shape
    sizes = tuple(size for size in shape if isinstance(size, int))
    if len(sizes) != len(shape) or len(sizes) < 2 or math.prod(sizes[:-1]) == 1:
        return None
    return sizes if len(sizes) > 2 or _is_convolved(source, graph) else None


def _is_convolved(node: Node, graph: Graph) -> bool:
    """Return whether a convolution or pooling along time is the last such layer before a node, and not a recurrence."""
    at: Node | None = node
    while at is not None:
        if at.op.startswith(("Conv", "Depthwise", "Separable", "MaxPooling", "AveragePooling")):
            return True
        if at.op in ("GRU", "LSTM", "SimpleRNN", "RNN", "Bidirectional", "MultiHeadAttention", "Embedding") or not at.inputs:
            return False
        at = graph.nodes.get(next(iter(at.inputs.values())).source)
    return False
