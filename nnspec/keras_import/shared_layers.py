"""Layers that are used in several places of a model and stored in one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nnspec.keras_import.model import KerasLayer

__all__ = ["SharedLayers"]


class SharedLayers:
    """The layers read so far, to find repeated ones.

    Args:
        stores: Whether the weights file has arrays in a group.
    """

    def __init__(self, stores: Callable[[str], bool]) -> None:
        self._stores = stores
        self._read: dict[tuple[str, str], list[tuple[Any, KerasLayer]]] = {}

    def same(self, entry: Mapping[str, Any], name: str, group: str) -> KerasLayer | None:
        """Return the layer that an entry repeats; None if it is a new layer.

        Keras marks repeated objects by ``shared_object_id``, the address of the object. Another object can reuse an address,
        so an entry with its own arrays is a new layer.
        """
        if type(entry.get("shared_object_id")) is not int or self._stores(group):
            return None
        plain = _without_marks(entry.get("config"))
        found = self._read.get((str(entry.get("class_name")), name), [])
        return next((layer for config, layer in found if config == plain and self._stores(str(layer.group))), None)

    def add(self, entry: Mapping[str, Any], layer: KerasLayer) -> None:
        """Add a layer."""
        self._read.setdefault((layer.kind, layer.name), []).append((_without_marks(entry.get("config")), layer))


def _without_marks(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_marks(item) for key, item in value.items() if key != "shared_object_id"}
    return [_without_marks(item) for item in value] if isinstance(value, list) else value
