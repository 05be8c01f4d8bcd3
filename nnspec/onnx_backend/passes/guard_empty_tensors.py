"""Guards operators that crash the process when they read an empty tensor."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.onnx_backend.builder import Builder, Operation

UNSAFE: Mapping[str, int | None] = {"ConvTranspose": 1, "Einsum": None, "GRU": 1, "InstanceNormalization": 1, "LSTM": 1}
"""The operators, each with the number of leading inputs that must not be empty; None for all.

ONNX Runtime 1.31 crashes the process if ``GRU`` reads no steps, if ``GRU``, ``LSTM`` or ``Einsum`` reads no
examples, and if ``ConvTranspose`` of volumes or ``InstanceNormalization`` reads no elements.
"""


def guard_empty_tensors(b: Builder) -> None:
    """Turn crashes on empty tensors into errors at run time.

    A guard reshapes a tensor to its own shape with each size at least 1, which is an error if a size is 0, and which ONNX
    Runtime does without a copy.
    """
    _guard(b, b.operations)


def _guard(b: Builder, operations: list[Operation]) -> None:
    guarded: list[Operation] = []
    for operation in operations:
        for body in operation.bodies.values():
            _guard(b, body.operations)
        if _is_unsafe(operation):
            with b.at(operation.scope), b.body() as inserted:
                inputs = operation.inputs[: UNSAFE[operation.type]]
                operation.inputs[: len(inputs)] = [name if name in b.constants else _reshaped(b, name) for name in inputs]
            guarded += inserted.operations
        guarded.append(operation)
    operations[:] = guarded


def _is_unsafe(operation: Operation) -> bool:
    if operation.type == "ConvTranspose":
        return len(operation.attributes["kernel_shape"]) == 3
    return operation.type in UNSAFE


def _reshaped(b: Builder, tensor: str) -> str:
    sizes = b.op("Max", b.op("Shape", tensor), b.ints([1], "at_least"))
    return b.op("Reshape", tensor, sizes)
