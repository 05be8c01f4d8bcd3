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
    return _of_nearest(kind, package, "TABLE")


def find_limit(kind: type[Layer], package: str) -> int | None:
    """Return the newest operator version that a backend's lowering of a layer can use; None if there is no such limit.

    Args:
        kind: The layer's class.
        package: The backend's package of lowerings, whose modules may have a table `NEWEST` from class to version.
    """
    found = _of_nearest(kind, package, "NEWEST")
    return None if found is None else int(found)


def _of_nearest(kind: type[Layer], package: str, table: str) -> Any:
    """Return the entry of a class, or else of its nearest base class, in the table of its family; None if there is none."""
    if not kind.__module__.startswith(_FAMILIES):
        return None
    bases = [base for base in kind.__mro__ if base.__module__.startswith(_FAMILIES)]
    found = (_table(f"{package}.{base.__module__.removeprefix(_FAMILIES)}", table).get(base) for base in bases)
    return next(filter(None, found), None)


@cache
def _table(module: str, name: str) -> Mapping[type[Layer], Any]:
    return getattr(import_module(module), name, {}) if find_spec(module) else {}
