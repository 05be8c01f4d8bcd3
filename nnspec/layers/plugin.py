"""Validation of plug-in layers from other packages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nnspec.diagnostics import NnspecError
from nnspec.layers import LAYERS
from nnspec.layers.base import Inputs, Layer, LayerError, Outputs, Window
from nnspec.types import Dim, Plugin, PluginError, TensorType, Weight
from nnspec.types.plugins import reason_of


def plugin_of(layer: Layer) -> Plugin | None:
    """Return the plug-in that a layer comes from; None for a built-in layer."""
    return plugin_of_class(type(layer))


def plugin_of_class(kind: type[Layer]) -> Plugin | None:
    """Return the plug-in that a layer class comes from; None for a built-in layer."""
    assert LAYERS.plugins is not None
    return LAYERS.plugins.owner(kind)


def whose(layer: Layer) -> str:
    """Return the name of a plug-in layer with its package, for messages."""
    plugin = plugin_of(layer)
    origin = f"the package {plugin.package}" if plugin is not None else f"`{type(layer).__module__}`"
    return f"the layer `{type(layer).__name__}` of {origin}"


def converted(layer: Layer) -> bool:
    """Whether a plug-in layer has no ``to_onnx``, so that its Keras layer is converted."""
    return hasattr(layer, "to_keras") and not hasattr(layer, "to_onnx")


def fault(kind: Any, name: str) -> str | None:
    """Return why an object is not a valid layer of this name, as the end of a sentence; None if it is valid."""
    if not (isinstance(kind, type) and issubclass(kind, Layer)):
        return "is not a subclass of `nnspec.layers.base.Layer`"
    if kind.__name__ != name:
        return f"has a different name than its entry point, `{name}`"
    if kind.infer is Layer.infer:
        return "does not implement `infer`, which returns the output types"
    if not callable(getattr(kind, "to_keras", None)):
        return "does not implement `to_keras`, which returns the Keras layer"
    try:
        kind.model_rebuild()
    except Exception as error:  # pydantic raises whatever a field's annotation raises
        return f"has fields that pydantic cannot read ({reason_of(error)})"
    return None


def guarded(layer: Layer, what: str, run: Callable[..., Any], *given: Any) -> Any:
    """Call plug-in code and return its result.

    Raises:
        PluginError: If the code fails; the message names the package.
    """
    try:
        return run(*given)
    except NnspecError:
        raise
    except Exception as error:  # plug-in code may raise anything
        raise PluginError(f"{whose(layer)}: {what} fails with {reason_of(error)}") from error


def tried(layer: Layer, inputs: Inputs, package: str) -> tuple[Outputs, tuple[Weight, ...]]:
    """Return the output types and weights of a plug-in layer, after checking all its methods.

    Args:
        layer: The layer.
        inputs: The input types.
        package: The package, for the message.

    Raises:
        LayerError: If the layer rejects the inputs.
        PluginError: If a method fails or returns a value of the wrong type.
    """
    found: dict[str, Any] = {}
    for fact, (what, is_such) in _FACTS.items():
        try:
            found[fact] = getattr(layer, fact)(inputs)
        except LayerError:
            raise
        except Exception as error:  # plug-in code may raise anything
            reason = f"fails with {reason_of(error)}"
            raise PluginError(f"`{type(layer).__name__}.{fact}` of the package {package} {reason}") from error
        if not is_such(found[fact]):
            reason = f"returns {type(found[fact]).__name__}, expected {what}"
            raise PluginError(f"`{type(layer).__name__}.{fact}` of the package {package} {reason}")
    return layer.output_types(inputs), found["weights"]


_FACTS: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "infer": (
        "outputs by name, each a `TensorType`",
        lambda given: isinstance(given, dict) and bool(given) and all(isinstance(t, TensorType) for t in given.values()),
    ),
    "mask": ("the shape of a mask, or None", lambda given: given is None or isinstance(given, tuple)),
    "weights": (
        "a tuple of `Weight`",
        lambda given: isinstance(given, tuple) and all(isinstance(weight, Weight) for weight in given),
    ),
    "macs": ("a number", lambda given: isinstance(given, (int, Dim))),
    "receptive_field": ("a `Window`, or None", lambda given: given is None or isinstance(given, Window)),
    "agreeing_sizes": ("a tuple of pairs of sizes", lambda given: isinstance(given, tuple)),
}
"""The expected return value of each method."""
