"""What things are called in the Keras model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras

__all__ = ["keras_name", "name_operations"]


def keras_name(path: str) -> str:
    """A node's path as a Keras layer's name, which may not hold ``/``.

    Example:
        >>> keras_name("enc1/conv2d")
        'enc1.conv2d'
    """
    return path.replace("/", ".")


def name_operations(outputs: Iterable[Any], taken: Iterable[str]) -> None:
    """Gives the operations between the layers (masks, explicit padding) names of their own.

    Keras counts them through the process, ``not_equal_7``: a model would not be the same twice, and a layer of the spec
    could have that very name, which Keras refuses.

    Args:
        outputs: The model's output tensors.
        taken: The names of its inputs and layers.
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
    """Every operation that the outputs depend on, in the order of a walk from them back."""
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
