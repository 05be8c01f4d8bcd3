"""Lookup of a backend's lowering of a layer."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any, cast

from nnspec.layers.base import Layer

__all__ = ["table_of"]


def table_of(kind: type[Layer], package: str) -> Mapping[type[Layer], Any]:
    """Import and return the lowering table for a layer's module; empty if the backend has none.

    Args:
        kind: The layer's class.
        package: The backend's package of lowerings, with modules named as those of the layers.
    """
    module = f"{package}.{kind.__module__.rpartition('.')[2]}"
    if not kind.__module__.startswith("nnspec.layers.") or not find_spec(module):
        return {}
    return cast("Mapping[type[Layer], Any]", import_module(module).TABLE)
