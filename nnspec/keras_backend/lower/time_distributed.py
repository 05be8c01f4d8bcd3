"""A layer, or several, at every time step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from nnspec.keras_backend.call import Build, Call, Lowering, on_first_call, plain
from nnspec.keras_backend.layers import EveryStep
from nnspec.keras_backend.lower import is_keras_layer, lower
from nnspec.keras_backend.objects import keras_object
from nnspec.layers.base import Layer
from nnspec.layers.time_distributed import TimeDistributed


def _time_distributed(build: Build[TimeDistributed]) -> Call:
    """An inner layer that is not one of Keras's becomes a model, built when its input's shape is known."""
    inner, seeds = build.layer.inner, build.seeds.within("layer")
    if inner.same_at_every_position:
        return Build(inner, build.name, build.seeds).call()
    if is_keras_layer(type(inner)):
        return plain(EveryStep(keras_object(inner, seeds), name=build.name), build.layer)

    def model(x: Any) -> Call:
        step = keras.Input(x.shape[2:], dtype=x.dtype)
        output = lower(inner, f"{build.name}.layer", seeds)({"x": step}, **inner.at_call)
        return plain(EveryStep(keras.Model(step, output, name=f"{build.name}.step"), name=build.name), build.layer)

    return on_first_call(model)


TABLE: Mapping[type[Layer], Lowering] = {TimeDistributed: _time_distributed}
