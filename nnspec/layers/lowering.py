"""Lookup of a backend's lowering of a layer."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from nnspec.layers.base import Layer

_FAMILIES = "nnspec.layers."


def find_lowering(kind: type[Layer], package: str) -> Any:
    """Return a backend's lowering of a layer: that of its class, or else of its nearest base class; None if there is none.

    Args:
        kind: The layer's class.
        package: The backend's package of lowerings. Its modules are named as those of the layers, and have a table from class
            to lowering.
    """
    if not kind.__module__.startswith(_FAMILIES):
        return None
    bases = [base for base in kind.__mro__ if base.__module__.startswith(_FAMILIES)]
    found = (_table(f"{package}.{base.__module__.removeprefix(_FAMILIES)}").get(base) for base in bases)
    return next(filter(None, found), None)


@cache
def _table(module: str) -> Mapping[type[Layer], Any]:
    return getattr(import_module(module), "TABLE", {}) if find_spec(module) else {}
