"""Removes nodes and constants that no output needs."""

from __future__ import annotations

from collections.abc import Iterable

from nnspec.onnx_backend.builder import Builder, Operation


def remove_unused(b: Builder) -> None:
    """Remove nodes and constants that no output needs, also from bodies."""
    _remove(b.operations, b.outputs.values())
    read = {tensor for operation in b.operations for tensor in operation.reads()}
    b.constants = {name: array for name, array in b.constants.items() if name in read}


def _remove(operations: list[Operation], outputs: Iterable[str]) -> None:
    needed, kept = set(outputs), []
    for operation in reversed(operations):
        if needed.intersection(operation.outputs):
            for body in operation.bodies.values():
                _remove(body.operations, (name for name, _ in body.outputs))
            needed.update(operation.reads())
            kept.append(operation)
    operations[:] = kept[::-1]
