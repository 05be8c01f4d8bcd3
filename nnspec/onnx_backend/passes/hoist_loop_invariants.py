"""Moves computations that are equal at every step out of loops."""

from __future__ import annotations

from nnspec.onnx_backend.builder import Body, Builder, Operation


def hoist_loop_invariants(b: Builder) -> None:
    """Move each node that reads only tensors from outside a loop before the loop, out of all loops that it does not depend on.

    Examples are the projections of an encoder's states in a loop over the decoder's steps.
    """
    b.operations[:] = _hoisted(b.operations)


def _hoisted(operations: list[Operation]) -> list[Operation]:
    found = []
    for operation in operations:
        for body in operation.bodies.values():
            body.operations[:] = _hoisted(body.operations)
            if operation.type in ("Loop", "Scan"):
                found += _invariants(body)
        found.append(operation)
    return found


def _invariants(body: Body) -> list[Operation]:
    """Remove the invariant nodes from a body; returns them in order."""
    varying = {name for name, _ in body.inputs}
    kept, moved = [], []
    for operation in body.operations:
        if varying.isdisjoint(operation.reads()):
            moved.append(operation)
        else:
            kept.append(operation)
            varying.update(operation.outputs)
    body.operations[:] = kept
    return moved
