"""Lowers a typed graph to ONNX, and verifies the result against Keras."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nnspec.onnx_backend.emit import to_onnx
    from nnspec.onnx_backend.parity import Parity

__all__ = ["Parity", "to_onnx"]

# Code that runs exported models uses parts of this package without `onnx`, so modules are imported on first use.
_MODULES = {"Parity": "parity", "to_onnx": "emit"}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
