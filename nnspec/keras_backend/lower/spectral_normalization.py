"""A layer whose kernel is divided by its largest singular value."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import keras

from nnspec.keras_backend.call import Build, Call, Lowering
from nnspec.keras_backend.lower import lowering_of
from nnspec.layers.base import Layer
from nnspec.layers.spectral_normalization import SpectralNormalization


def _spectral(build: Build[SpectralNormalization]) -> Call:
    """Wraps the Keras layer that has the kernel, without padding before it or cropping after it."""
    layer = build.layer
    wrap = partial(keras.layers.SpectralNormalization, power_iterations=layer.power_iterations, name=build.name)
    return lowering_of(type(layer.inner))(Build(layer.inner, build.name, build.seeds.within("layer"), wrap))


TABLE: Mapping[type[Layer], Lowering] = {SpectralNormalization: _spectral}
