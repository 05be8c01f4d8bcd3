"""Keras objects as the code that constructs them, with the arguments that differ from Keras's defaults."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import keras

from nnspec.diagnostics import NnspecError
from nnspec.ejecting.layout import Code, Group, call, literal, structure
from nnspec.ejecting.own_layers import OwnLayers, is_own

__all__ = ["Objects"]

_NAMESPACES = ("layers", "initializers", "regularizers", "constraints")
_SERIALIZED = {"module", "class_name", "config"}


class Objects:
    """Writes Keras objects as code.

    Args:
        own: Where the classes of this package are collected.
        model: Writes a functional model, and returns the code that builds it.
    """

    def __init__(self, own: OwnLayers, model: Callable[[Any], Code]) -> None:
        self._own, self._model = own, model

    def code(self, value: Any) -> Code:
        """The code that constructs an object, or builds a model.

        Raises:
            NnspecError: If it is an object of another package, or cannot be written.
        """
        return self._model(value) if isinstance(value, keras.Model) else self.layer(value)

    def layer(self, value: Any) -> Group:
        """The code that constructs an object that is no model; see [`code`][]."""
        kind = type(value)
        given = {name: self._value(each, value) for name, each in _arguments(value).items()}
        return call(self.name_of(kind, getattr(value, "name", kind.__name__)), (), given)

    def name_of(self, kind: type, layer: str) -> str:
        """How code names a class.

        Args:
            kind: The class.
            layer: The name of the layer, for messages.
        """
        for namespace in _NAMESPACES:
            if getattr(getattr(keras, namespace), kind.__name__, None) is kind:
                return f"keras.{namespace}.{kind.__name__}"
        if not is_own(kind):
            package = kind.__module__.partition(".")[0]
            raise NnspecError(f"cannot eject the layer `{layer}`: `{kind.__name__}` is a class of the package `{package}`")
        return self._own.add(kind)

    def _value(self, value: Any, owner: Any) -> Code:
        if _is_object(value):
            return self.code(value)
        if callable(value):
            name = getattr(value, "__name__", "")
            if getattr(keras.activations, name, None) is value:
                return f"keras.activations.{name}"
        try:
            return structure(value, lambda each: self._value(each, owner) if _is_object(each) else literal(each))
        except TypeError:
            name = getattr(owner, "name", type(owner).__name__)
            raise NnspecError(f"cannot eject the layer `{name}`: an argument is a {type(value).__name__}") from None


def _is_object(value: Any) -> bool:
    kinds = (keras.layers.Layer, keras.initializers.Initializer, keras.regularizers.Regularizer)
    return isinstance(value, (*kinds, keras.constraints.Constraint))


def _arguments(value: Any) -> dict[str, Any]:
    """The arguments that construct an object, without those that equal the defaults."""
    config, accepted = _config(value), _parameters(type(value))
    order = {name: place for place, name in enumerate(accepted)}
    names = sorted((name for name in config if name in accepted), key=order.__getitem__)
    given = {name: _live(value, name) or _revived(config[name]) for name in names}
    required = {name: given[name] for name in names if accepted[name].default is inspect.Parameter.empty}
    if "name" in given:
        required["name"] = given["name"]
    try:
        default = _config(type(value)(**required))
    except Exception:  # arguments that depend on each other: all are written
        return given
    kept = {name for name in given if name in required or default.get(name) != config[name]}
    # The operations between the layers of a model inside have new names.
    plain = [name for name in names if not isinstance(given[name], keras.layers.Layer)]
    while True:  # a default may depend on another argument, as that of strides does
        same = _config(type(value)(**{name: given[name] for name in kept}))
        differing = {name for name in plain if same.get(name) != config[name]} - kept
        if not differing:
            return {name: each for name, each in given.items() if name in kept}
        kept |= differing


def _config(value: Any) -> dict[str, Any]:
    """The config of an object; without ``get_config``, a layer leaves out the arguments of Keras's ``Layer``."""
    if not isinstance(value, keras.layers.Layer):
        return dict(value.get_config())
    own = {"name": value.name, "trainable": value.trainable, "dtype": value.dtype_policy.name}
    return own | {name: each for name, each in value.get_config().items() if name not in own}


def _parameters(kind: type) -> Mapping[str, inspect.Parameter]:
    """The parameters of a class's constructor, and of its base classes' if it passes others on."""
    found: dict[str, inspect.Parameter] = {}
    for base in kind.__mro__:
        if "__init__" not in vars(base) or base is object:
            continue
        own = inspect.signature(vars(base)["__init__"]).parameters
        for name, parameter in own.items():
            if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY) and name != "self":
                found.setdefault(name, parameter)
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in own.values()):
            break
    # The name last, as in Keras's examples.
    return {name: found[name] for name in sorted(found, key=lambda name: name == "name")}


def _live(value: Any, name: str) -> Any:
    """The layer or model that a layer of this package runs: others may run it too, which a config does not tell."""
    found = getattr(value, name, None)
    return found if is_own(type(value)) and isinstance(found, keras.layers.Layer) else None


def _revived(value: Any) -> Any:
    """A value of a config, with objects in place of their serialized forms."""
    if isinstance(value, dict) and value.keys() >= _SERIALIZED:
        return keras.saving.deserialize_keras_object(value)
    return value
