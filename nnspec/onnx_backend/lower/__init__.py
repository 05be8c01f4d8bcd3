"""How each layer is written in ONNX: for each module of ``layers`` one of its name, with a table, layer class → lowering."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from importlib import import_module
from typing import Any, cast

from nnspec.diagnostics import NnspecError
from nnspec.layers.base import Layer
from nnspec.layers.lowering import table_of
from nnspec.layers.plugin import converted, guarded, whose
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.value import Value
from nnspec.types import PluginError

__all__ = ["has_lowering", "lowering_of"]


def lowering_of(layer: Layer) -> Lowering:
    """What writes a layer; its family's module is imported when one of the family is first written.

    A layer that is in no table, a plug-in's, may bring its own as a method ``to_onnx(builder, call)``; otherwise its Keras
    layer is converted.

    Raises:
        NnspecError: Where there is none.
    """
    kind = type(layer)
    if kind in (table := table_of(kind, __name__)):
        return cast("Lowering", table[kind])
    if hasattr(layer, "to_onnx"):
        return partial(_its_own, layer)
    if converted(layer):
        return cast("Lowering", import_module("nnspec.onnx_backend.conversion").convert)
    raise NnspecError(f"`{kind.__name__}` cannot be written in ONNX yet")


def _its_own(layer: Any, b: Builder, call: Call[Any]) -> Value | Mapping[str, Value]:
    """What a layer of another package writes itself.

    Raises:
        PluginError: Where it fails, or gives something else.
    """
    given = guarded(layer, "`to_onnx`", layer.to_onnx, b, call)
    named = {next(iter(call.outputs)): given} if isinstance(given, Value) else given
    values = isinstance(named, Mapping) and all(isinstance(value, Value) for value in named.values())
    if not values or set(named) != set(call.outputs):
        what = ", ".join(call.outputs)
        raise PluginError(f"{whose(layer)}: `to_onnx` gives {type(given).__name__}, not a `Value` for each output: {what}")
    return cast("Mapping[str, Value]", named)


def has_lowering(kind: type[Layer]) -> bool:
    """Whether a layer can be written: it is in its family's table, or brings its own form or its Keras layer."""
    return kind in table_of(kind, __name__) or hasattr(kind, "to_onnx") or hasattr(kind, "to_keras")
