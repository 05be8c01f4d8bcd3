"""Transposed convolutions."""

from __future__ import annotations

from collections.abc import Mapping

import keras

from nnspec.keras_backend.call import Build, Call, Lowering
from nnspec.keras_backend.layers import DILATED
from nnspec.layers.base import Layer
from nnspec.layers.transposed_convolution import TransposedConvolution


def _transposed(build: Build[TransposedConvolution]) -> Call:
    """Computes the whole output and crops it if the padding is given as numbers, which Keras does not take."""
    layer = build.layer
    rank = len(layer.axes)
    kind = DILATED[rank] if max(layer.dilation_rate) > 1 else None
    if isinstance(layer.padding, str):
        return build.call(kind)
    whole = build.call(kind, padding="valid", output_padding=layer.output_padding or (0,) * rank)
    margins = layer.padding if rank > 1 else layer.padding[0]
    crop = getattr(keras.layers, f"Cropping{rank}D")(margins, name=f"{build.name}.cropping")
    return lambda tensors: crop(whole(tensors))


TABLE: Mapping[type[Layer], Lowering] = {TransposedConvolution: _transposed}
