"""Convolutions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from nnspec.keras_backend.call import Build, Call, Lowering, plain
from nnspec.keras_backend.layers import KnownSizes
from nnspec.layers.base import Layer
from nnspec.layers.convolution import Convolution
from nnspec.layers.sliding import Sliding


def convolved(build: Build[Sliding]) -> Call:
    """Pads with zeros first if the padding is given as numbers, which Keras does not take."""
    convolve = _padded(build)
    return _with_known_sizes(build.name, convolve) if max(build.layer.dilation_rate) > 1 else convolve


def _with_known_sizes(name: str, convolve: Call) -> Call:
    """Declares the known sizes beside a free one: in a TensorFlow graph a dilated convolution loses them."""
    declare: dict[tuple[int | None, ...], KnownSizes] = {}

    def call(tensors: Mapping[str, Any]) -> Any:
        found = convolve(tensors)
        sizes = tuple(found.shape[1:])
        if None not in sizes or set(sizes[:-1]) == {None}:
            return found
        if sizes not in declare:
            declare[sizes] = KnownSizes(sizes, name=f"{name}.known{len(declare) or ''}", dtype=found.dtype)
        return declare[sizes](found)

    return call


def _padded(build: Build[Sliding]) -> Call:
    layer = build.layer
    if layer.padding in ("valid", "same", "causal") or layer.around is None:
        return build.call(padding=window_padding(layer.padding, layer.spans))
    rank = len(layer.around)
    zeros = getattr(keras.layers, f"ZeroPadding{rank}D")
    pad = plain(zeros(layer.around if rank > 1 else layer.around[0], name=f"{build.name}.padding"), layer)
    convolve = build.call(padding="valid")
    return lambda tensors: convolve({"x": pad(tensors)})


def window_padding(padding: Any, spans: tuple[int, ...]) -> Any:
    """A window of one position needs no padding; TensorFlow 2.21 shifts it with `same` and strides of at least 3 in 3D."""
    return "valid" if padding == "same" and max(spans) == 1 else padding


TABLE: Mapping[type[Layer], Lowering] = {Convolution: convolved}
