"""Weights stored in float16 and computed with in float32."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nnspec.onnx_backend.builder import Builder, Operation
from nnspec.onnx_backend.passes import PASSES, Pass
from nnspec.onnx_backend.passes.fold_normalizations import fold_normalizations

_LEAST_ELEMENTS = 64
"""Smaller constants cost more to convert than they save."""


def in_float16(weights: Mapping[str, ArrayLike]) -> dict[str, NDArray[Any]]:
    """Round float32 weights to what float16 can hold; others, and arrays beyond float16's largest value, are unchanged.

    Args:
        weights: The arrays by identity.

    Returns:
        The arrays, in their own element type.

    Example:
        >>> in_float16({"dense/kernel": np.float32([0.1, 1.0])})["dense/kernel"].tolist()
        [0.0999755859375, 1.0]
    """
    return {name: _rounded(np.asarray(array)) for name, array in weights.items()}


def _rounded(array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype != np.float32 or not array.size or not np.abs(array).max() <= np.finfo(np.float16).max:
        return array
    return array.astype(np.float16).astype(np.float32)


def store_in_float16(b: Builder) -> None:
    """Store float32 constants that float16 holds exactly as float16, and convert them back before they are used.

    The results do not change: ONNX Runtime converts the constants when it loads the file.
    """
    stored: list[Operation] = []
    renamed: dict[str, str] = {}
    for name, array in list(b.constants.items()):
        if array.dtype != np.float32 or array.size < _LEAST_ELEMENTS or (_rounded(array) != array).any():
            continue
        scope, _, own = b.wanted(name).rpartition("/")
        with b.at(scope), b.body() as conversion:
            renamed[name] = b.op("Cast", b.constant(array, f"{own}_float16", np.float16), to=_FLOAT)
        stored += conversion.operations
        del b.constants[name]
    _rename(b.operations, renamed)
    b.operations[:0] = stored


_FLOAT = 1
"""``onnx.TensorProto.FLOAT``."""


def _rename(operations: list[Operation], renamed: Mapping[str, str]) -> None:
    for operation in operations:
        operation.inputs[:] = [renamed.get(name, name) for name in operation.inputs]
        for body in operation.bodies.values():
            body.outputs[:] = [(renamed.get(name, name), type) for name, type in body.outputs]
            _rename(body.operations, renamed)


FLOAT16_PASSES: tuple[Pass, ...] = (
    # A folded kernel is another one than the rounded kernel of the network; ONNX Runtime folds it after the conversion.
    *(each for each in PASSES if each.run is not fold_normalizations),
    Pass(store_in_float16, ensures=frozenset()),
)
