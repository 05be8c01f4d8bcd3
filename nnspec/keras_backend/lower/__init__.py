"""How each layer is built in Keras if it is not Keras's layer of the same name and arguments.

As in ``onnx_backend.lower``, each module has the name of a module of ``layers``, and a table from layer class to lowering.
A layer without an entry has that of its nearest base class.
Lowerings use Keras layers and ``keras.ops`` only, so that a model runs on each of Keras's backends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

import keras

from nnspec.keras_backend.call import Build, Call, Lowering
from nnspec.keras_backend.layers import DEFAULTS
from nnspec.keras_backend.seeds import Seeds
from nnspec.layers.base import Layer
from nnspec.layers.lowering import find_lowering
from nnspec.types import TensorType

__all__ = ["has_lowering", "is_keras_layer", "lower", "lowering_of"]


def lower(
    layer: Layer,
    name: str,
    seeds: Seeds,
    body: Callable[[], keras.Model] | None = None,
    types: tuple[Mapping[str, TensorType], ...] = (),
) -> Call:
    """Builds a layer.

    Args:
        layer: Its arguments.
        name: The name of its Keras layer.
        seeds: The seeds of its initial weights.
        body: Builds the model of the graph that it runs, if it runs one.
        types: The types of its inputs at each use, if they are known.
    """
    return lowering_of(type(layer))(Build(layer, name, seeds, body=body, types=types))


def lowering_of(kind: type[Layer]) -> Lowering:
    """Return the lowering of a layer; its module is imported on first use."""
    return cast("Lowering", find_lowering(kind, __name__) or Build.call)


def is_keras_layer(kind: type[Layer]) -> bool:
    """Whether a layer becomes one layer of Keras's own, or of the package that defines it."""
    return not find_lowering(kind, __name__) and kind.__name__ not in DEFAULTS


def has_lowering(kind: type[Layer]) -> bool:
    """Whether a layer can be built: it is in its family's table, has a Keras layer of its name, or defines ``to_keras``."""
    named = kind.__name__ in DEFAULTS or hasattr(keras.layers, kind.__name__)
    return bool(named or find_lowering(kind, __name__)) or hasattr(kind, "to_keras")
