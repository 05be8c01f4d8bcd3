"""Names in the Keras model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras


def keras_name(path: str) -> str:
    """Converts a node's path to a Keras layer's name, which may not contain ``/``.

    Example:
        >>> keras_name("enc1/conv2d")
        'enc1.conv2d'
    """
    return path.replace("/", ".")


def name_operations(outputs: Iterable[Any], taken: Iterable[str]) -> None:
    """Renames the operations between the layers (masks, explicit padding).

    Keras numbers them per process, ``not_equal_7``. The same model would get different names, and a layer of the spec could
    have the same name, which Keras rejects.

    Args:
        outputs: The model's output tensors.
        taken: The names of the model's inputs and layers.
    """
    names = set(taken)
    for operation in _operations(outputs):
        if isinstance(operation, keras.layers.Layer):
            continue
        base = type(operation).__name__.lower()
        number = next(n for n in range(len(names) + 1) if f"{base}.{n}" not in names)
        operation.name = f"{base}.{number}"
        names.add(operation.name)


def _operations(outputs: Iterable[Any]) -> list[Any]:
    """Every operation that the outputs depend on, in the order of a backward traversal."""
    found: dict[int, Any] = {}
    seen: set[tuple[int, int]] = set()
    waiting = list(outputs)
    while waiting:
        operation, call, _ = waiting.pop()._keras_history
        if operation is None or (id(operation), call) in seen:
            continue
        seen.add((id(operation), call))
        found[id(operation)] = operation
        waiting.extend(operation._inbound_nodes[call].input_tensors)
    return list(found.values())
