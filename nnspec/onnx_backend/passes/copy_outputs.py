"""Copies tensors that cannot be an output themselves."""

from __future__ import annotations

from nnspec.onnx_backend.builder import Builder, Operation


def copy_outputs(b: Builder) -> None:
    """Copy an output that is an input, a constant, another output too, or computed outside of the body that returns it."""
    for operation in b.operations:
        _copy_in_bodies(b, operation)
    free = _made(b.operations)
    for output, tensor in b.outputs.items():
        with b.at(output):
            b.outputs[output] = _own(b, b.operations, free, tensor)


def _copy_in_bodies(b: Builder, operation: Operation) -> None:
    for body in operation.bodies.values():
        for inner in body.operations:
            _copy_in_bodies(b, inner)
        free = _made(body.operations)
        with b.at(operation.scope):
            body.outputs = [(_own(b, body.operations, free, tensor), kind) for tensor, kind in body.outputs]


def _made(operations: list[Operation]) -> set[str]:
    return {name for operation in operations for name in operation.outputs}


def _own(b: Builder, operations: list[Operation], free: set[str], tensor: str) -> str:
    """A tensor if it is free to be an output, else a copy of it."""
    if tensor in free:
        free.remove(tensor)
        return tensor
    with b.body() as added:
        copy = b.op("Identity", tensor)
    operations += added.operations
    return copy
