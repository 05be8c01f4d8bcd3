"""How each layer is written in ONNX: for each module of ``layers`` one of its name, with a table, layer class → lowering."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import cast

from nnspec.diagnostics import NnspecError
from nnspec.layers.base import Layer
from nnspec.onnx_backend.call import Lowering

__all__ = ["lowering_of"]


def lowering_of(layer: Layer) -> Lowering:
    """What writes a layer; its family's module is imported when one of the family is first written.

    A layer that is in no table, a plug-in's, may bring its own as a method ``to_onnx(builder, call)``.

    Raises:
        NnspecError: Where there is none.
    """
    kind = type(layer)
    module = f"{__name__}.{kind.__module__.rpartition('.')[2]}"
    table = import_module(module).TABLE if kind.__module__.startswith("nnspec.layers.") and find_spec(module) else {}
    if kind in table:
        return cast("Lowering", table[kind])
    if hasattr(layer, "to_onnx"):
        return cast("Lowering", layer.to_onnx)
    raise NnspecError(f"`{kind.__name__}` cannot be written in ONNX yet")
