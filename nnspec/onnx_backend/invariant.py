"""What a loop's body computes alike at every step is computed once, before the loop."""

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
    """Settles what a body gives, and moves out of it what does not depend on its inputs.

    Args:
        b: The graph around it, whose nodes so far come before the loop.
        body: The body, its inputs and nodes written.
        given: The tensors it gives.
        types: Their types.
    """
    moving = {name for name, _ in body.inputs}
    kept = []
    for operation in live(body.operations, given):
        if moving.isdisjoint(operation.reads()):
            b.operations.append(operation)
        else:
            kept.append(operation)
            moving.update(operation.outputs)
    body.operations[:] = kept
    made = {name for operation in kept for name in operation.outputs}
    for name, kind in zip(given, types, strict=True):
        # What a body gives is made in it, once for each output.
        body.outputs.append((name if name in made else _copied(b, body, name), kind))
        made.discard(name)


def _copied(b: Builder, body: Body, name: str) -> str:
    with b.body() as inner:
        copy = b.op("Identity", name)
    body.operations += inner.operations
    return copy
