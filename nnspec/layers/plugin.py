"""What a layer of another package must be: one class with its facts and its Keras form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nnspec.diagnostics import NnspecError
from nnspec.layers import LAYERS
from nnspec.layers.base import Inputs, Layer, LayerError, Outputs, Window
from nnspec.types import Dim, Plugin, PluginError, TensorType, Weight
from nnspec.types.plugins import reason_of

__all__ = ["converted", "fault", "guarded", "plugin_of", "plugin_of_class", "tried", "whose"]


def plugin_of(layer: Layer) -> Plugin | None:
    """Where a layer comes from that another package brings; None for a built-in one."""
    return plugin_of_class(type(layer))


def plugin_of_class(kind: type[Layer]) -> Plugin | None:
    """The same of its class."""
    assert LAYERS.plugins is not None
    return LAYERS.plugins.owner(kind)


def whose(layer: Layer) -> str:
    """A layer of a stranger, named with its package."""
    plugin = plugin_of(layer)
    origin = f"the package {plugin.package}" if plugin is not None else f"`{type(layer).__module__}`"
    return f"the layer `{type(layer).__name__}` of {origin}"


def converted(layer: Layer) -> bool:
    """Whether a layer of a stranger does not say how it is written in ONNX, so that its Keras layer is converted."""
    return hasattr(layer, "to_keras") and not hasattr(layer, "to_onnx")


def fault(kind: Any, name: str) -> str | None:
    """What makes an object unfit to be the layer of a name, as the end of a sentence; None where it is fit."""
    if not (isinstance(kind, type) and issubclass(kind, Layer)):
        return "is no subclass of `nnspec.layers.base.Layer`"
    if kind.__name__ != name:
        return f"is called otherwise than its entry point, `{name}`"
    if kind.infer is Layer.infer:
        return "has no `infer`, which gives its output types"
    if not callable(getattr(kind, "to_keras", None)):
        return "has no `to_keras`, which gives its Keras layer"
    try:
        kind.model_rebuild()
    except Exception as error:  # pydantic raises whatever a field's annotation raises
        return f"has fields that pydantic cannot read ({reason_of(error)})"
    return None


def guarded(layer: Layer, what: str, run: Callable[..., Any], *given: Any) -> Any:
    """What the code of another package gives for what it is given.

    Raises:
        PluginError: That names the package, where it fails.
    """
    try:
        return run(*given)
    except NnspecError:
        raise
    except Exception as error:  # whatever the code of a stranger raises
        raise PluginError(f"{whose(layer)}: {what} fails with {reason_of(error)}") from error


def tried(layer: Layer, inputs: Inputs, package: str) -> tuple[Outputs, tuple[Weight, ...]]:
    """The output types and the weights of a stranger's layer; all its other facts are asked for, too.

    Args:
        layer: The layer.
        inputs: The types that come in.
        package: Whose it is, for the error.

    Raises:
        LayerError: Where it says that the inputs do not fit.
        PluginError: Where it fails, or a fact is of another type than it must be.
    """
    found: dict[str, Any] = {}
    for fact, (what, is_such) in _FACTS.items():
        try:
            found[fact] = getattr(layer, fact)(inputs)
        except LayerError:
            raise
        except Exception as error:  # whatever the code of a stranger raises
            reason = f"fails with {reason_of(error)}"
            raise PluginError(f"`{type(layer).__name__}.{fact}` of the package {package} {reason}") from error
        if not is_such(found[fact]):
            reason = f"gives {type(found[fact]).__name__}, not {what}"
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
"""What each fact must be."""
