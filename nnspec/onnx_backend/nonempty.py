"""Keeps tensors without elements from operators that end the process on them.

ONNX Runtime 1.31 ends the whole process, without an error, if ``GRU`` reads no steps, if ``GRU``, ``LSTM`` or ``Einsum`` reads
no examples, and if ``ConvTranspose`` of volumes or ``InstanceNormalization`` reads nothing.
"""

from __future__ import annotations

from nnspec.onnx_backend.builder import Builder

__all__ = ["nonempty"]


def nonempty(b: Builder, tensor: str) -> str:
    """The tensor; at run time an error where it has no elements.

    It is reshaped to its own shape, where every size is at least 1, so that nothing can be reshaped to it if a size is 0. ONNX
    Runtime copies nothing for that.

    Args:
        b: The graph.
        tensor: Its name.
    """
    sizes = b.op("Max", b.op("Shape", tensor), b.ints([1], "at_least"))
    return b.op("Reshape", tensor, sizes)
