"""Products along one axis of each of two tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnspec.keras_backend.call import Build, Call, Lowering
from nnspec.keras_backend.layers import KnownSizes
from nnspec.layers.base import Layer
from nnspec.layers.dot import Dot


def _dot(build: Build[Dot]) -> Call:
    """Declares a size as known if the other tensor's is known: Keras compares both, and rejects None beside a number."""
    layer, product = build.layer, build.call()

    def call(tensors: Mapping[str, Any]) -> Any:
        given = dict(tensors)
        axes = layer.axes if isinstance(layer.axes, list) else [layer.axes] * 2
        places = [axis if axis >= 0 else axis + len(x.shape) for axis, x in zip(axes, given.values(), strict=True)]
        known = [x.shape[place] for place, x in zip(places, given.values(), strict=True)]
        size = next((each for each in known if each is not None), None)
        for port, place, own in zip(given, places, known, strict=True):
            if own is None and size is not None:
                sizes = [size if axis == place else each for axis, each in enumerate(given[port].shape)][1:]
                given[port] = KnownSizes(sizes, name=f"{build.name}.{port}.sizes", dtype=given[port].dtype)(given[port])
        return product(given)

    return call


TABLE: Mapping[type[Layer], Lowering] = {Dot: _dot}
