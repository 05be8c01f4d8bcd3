"""Lowerings of layers to ONNX: one module per module of ``layers``, with a table from layer class to lowering.

A layer without an entry has that of its nearest base class.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from importlib import import_module
from typing import Any, cast

from nnspec.diagnostics import NnspecError
from nnspec.layers.base import Layer
from nnspec.layers.lowering import find_lowering
from nnspec.layers.plugin import converted, guarded, whose
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.value import Value
from nnspec.types import PluginError

__all__ = ["has_lowering", "lowering_of", "newest_opset"]


def lowering_of(layer: Layer) -> Lowering:
    """The lowering of a layer; the module of its family is imported on first use.

    A plug-in layer may define its own lowering as a method ``to_onnx(builder, call)``; otherwise its Keras layer is converted.

    Raises:
        NnspecError: If the layer has no lowering.
    """
    kind = type(layer)
    if (found := find_lowering(kind, __name__)) is not None:
        return cast("Lowering", found)
    if hasattr(layer, "to_onnx"):
        return partial(_its_own, layer)
    if converted(layer):
        return cast("Lowering", import_module("nnspec.onnx_backend.conversion").convert)
    raise NnspecError(f"`{kind.__name__}` cannot be exported to ONNX yet")


def _its_own(layer: Any, b: Builder, call: Call[Any]) -> Value | Mapping[str, Value]:
    """Call the `to_onnx` of a plug-in layer.

    Raises:
        PluginError: If it fails, or returns something else than values.
    """
    given = guarded(layer, "`to_onnx`", layer.to_onnx, b, call)
    named = {next(iter(call.outputs)): given} if isinstance(given, Value) else given
    values = isinstance(named, Mapping) and all(isinstance(value, Value) for value in named.values())
    if not values or set(named) != set(call.outputs):
        what = ", ".join(call.outputs)
        raise PluginError(f"{whose(layer)}: `to_onnx` returned {type(given).__name__}, not a `Value` for each output: {what}")
    return cast("Mapping[str, Value]", named)


def has_lowering(kind: type[Layer]) -> bool:
    """Whether a layer can be exported: by a table, its own `to_onnx`, or its Keras layer."""
    return bool(find_lowering(kind, __name__)) or hasattr(kind, "to_onnx") or hasattr(kind, "to_keras")


def newest_opset(layers: Iterable[Layer], opset: int) -> int:
    """The newest opset, up to the given one, in which ONNX Runtime implements the operators of all layers.

    Args:
        layers: The layers.
        opset: The wanted opset.

    Example:
        >>> from nnspec.layers.regions import RoIAlign
        >>> newest_opset([], 23), newest_opset([RoIAlign(size=7)], 23), newest_opset([RoIAlign(size=7)], 17)
        (23, 21, 17)
    """
    return min(opset, *(layer.newest_opset for layer in layers if layer.newest_opset is not None), opset)
