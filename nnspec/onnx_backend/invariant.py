"""Loop-invariant code motion: moves computations that are equal at every step out of the loop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nnspec.onnx_backend.builder import Body, Builder
from nnspec.onnx_backend.proto import live
from nnspec.types import TensorType

if TYPE_CHECKING:
    from onnx import TypeProto

__all__ = ["close"]


def close(b: Builder, body: Body, given: Sequence[str], types: Sequence[TensorType | TypeProto]) -> None:
    """Set the outputs of a body, and move loop-invariant nodes out of it.

    Args:
        b: The graph; the nodes so far, of the enclosing body if there is one, precede the loop.
        body: The body, with its inputs and nodes.
        given: The output tensors.
        types: The output types.
    """
    moving = {name for name, _ in body.inputs}
    kept = []
    for operation in body.operations:
        if moving.isdisjoint(operation.reads()):
            b.move(operation)  # also an unused one, whose result may be cached
        else:
            kept.append(operation)
            moving.update(operation.outputs)
    kept = list(live(kept, given))
    body.operations[:] = kept
    made = {name for operation in kept for name in operation.outputs}
    for name, kind in zip(given, types, strict=True):
        # Each output of a body must be computed in it.
        body.outputs.append((name if name in made else _copied(b, body, name), kind))
        made.discard(name)


def _copied(b: Builder, body: Body, name: str) -> str:
    with b.body() as inner:
        copy = b.op("Identity", name)
    body.operations += inner.operations
    return copy
