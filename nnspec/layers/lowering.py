"""Where a backend's lowering of a layer is: in the module of its family, in a table by exact type."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any, cast

from nnspec.layers.base import Layer

__all__ = ["table_of"]


def table_of(kind: type[Layer], package: str) -> Mapping[type[Layer], Any]:
    """The table of a layer's family; empty if the backend has none. The family's module is imported.

    Args:
        kind: The layer's class.
        package: The backend's package of lowerings, which has a module for each family.
    """
    module = f"{package}.{kind.__module__.rpartition('.')[2]}"
    if not kind.__module__.startswith("nnspec.layers.") or not find_spec(module):
        return {}
    return cast("Mapping[type[Layer], Any]", import_module(module).TABLE)
