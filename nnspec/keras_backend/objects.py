"""From a config to the Keras object of the same name, with the same arguments."""

from __future__ import annotations

from typing import Any

import keras

from nnspec.keras_backend.plugin import is_plugin, plugin_layer
from nnspec.keras_backend.seeds import Seeds
from nnspec.layers.base import Layer
from nnspec.layers.constraints import Constraint
from nnspec.layers.initializers import Initializer
from nnspec.layers.regularizers import Regularizer
from nnspec.types import Config

__all__ = ["arguments", "keras_object"]

_NAMESPACES: dict[type[Config], Any] = {
    Layer: keras.layers,
    Initializer: keras.initializers,
    Regularizer: keras.regularizers,
    Constraint: keras.constraints,
}


def keras_object(config: Config, seeds: Seeds, **given: Any) -> Any:
    """The Keras object a config stands for.

    Args:
        config: A layer, initializer, regularizer or constraint.
        seeds: Where its seed comes from, if it draws at random and has none of its own.
        **given: Arguments that are put in place of the config's, or beside them.
    """
    taken = {**arguments(config, seeds), **given}
    if is_plugin(config):
        return plugin_layer(config, taken)
    namespace = next(namespace for base, namespace in _NAMESPACES.items() if isinstance(config, base))
    return getattr(namespace, type(config).__name__)(**taken)


def arguments(config: Config, seeds: Seeds) -> dict[str, Any]:
    """Its arguments as Keras takes them: what is a config becomes an object, what is a list a tuple."""
    ours = config.beyond_keras if isinstance(config, Layer) else ()
    names = [name for name in type(config).model_fields if name not in ours]
    values = {name: _value(getattr(config, name), seeds.within(name)) for name in names}
    if "seed" in values and values["seed"] is None:
        values["seed"] = seeds.of("seed")
    return values


def _value(value: Any, seeds: Seeds) -> Any:
    if isinstance(value, Config):
        return keras_object(value, seeds)
    return tuple(value) if isinstance(value, list) else value
