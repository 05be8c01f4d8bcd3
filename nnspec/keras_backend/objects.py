"""Keras objects from configs of the same name and arguments."""

from __future__ import annotations

from typing import Any

import keras

from nnspec.keras_backend.layers import DEFAULTS
from nnspec.keras_backend.plugin import is_plugin, plugin_layer
from nnspec.keras_backend.seeds import Seeds
from nnspec.layers.base import Layer
from nnspec.layers.constraints import Constraint
from nnspec.layers.initializers import Initializer
from nnspec.layers.regularizers import Regularizer
from nnspec.types import Config

_NAMESPACES: dict[type[Config], Any] = {
    Layer: keras.layers,
    Initializer: keras.initializers,
    Regularizer: keras.regularizers,
    Constraint: keras.constraints,
}


def keras_object(config: Config, seeds: Seeds, kind: Any = None, /, **given: Any) -> Any:
    """Builds the Keras object of a config.

    Args:
        config: A layer, initializer, regularizer or constraint.
        seeds: The source of its seed, if it is random and has no seed of its own.
        kind: Its class; by default that of the config's name.
        **given: Arguments that replace the config's, or are added to them.
    """
    taken = {**arguments(config, seeds), **given}
    if is_plugin(config):
        return plugin_layer(config, taken)
    return (kind or _kind(config))(**taken)


def _kind(config: Config) -> Any:
    name = type(config).__name__
    if isinstance(config, Layer) and name in DEFAULTS:
        return DEFAULTS[name]
    return getattr(next(namespace for base, namespace in _NAMESPACES.items() if isinstance(config, base)), name)


def arguments(config: Config, seeds: Seeds) -> dict[str, Any]:
    """A config's arguments as Keras takes them: configs become objects, and lists tuples."""
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
