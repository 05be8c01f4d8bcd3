"""Conversion of tensors in the protocol's JSON and binary formats to arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.diagnostics import NnspecError
from nnspec.runtime.ports import Port, check_shape
from nnspec.serving.budget import Budget
from nnspec.serving.errors import RequestError
from nnspec.serving.numbers import Numbers

DATATYPES: Mapping[str, str] = {
    "bool": "BOOL",
    "float16": "FP16",
    "float32": "FP32",
    "float64": "FP64",
    **{f"{sign}int{bits}": f"{sign}int{bits}".upper() for sign in ("", "u") for bits in (8, 16, 32, 64)},
}
"""The protocol's data types by NumPy dtype name."""

_MAX_AXES = 32
_KINDS = {"f": "fiu", "i": "iu", "u": "iu", "b": "b"}
"""NumPy dtype kinds that may be converted to the kind of an input."""


def protocol_shape(port: Port) -> list[int]:
    """The shape of a port in the protocol's form, with −1 for free sizes.

    Example:
        >>> protocol_shape(Port("image", ("batch", 28, 28, 1), "float32"))
        [-1, 28, 28, 1]
    """
    return [size if isinstance(size, int) else -1 for size in port.shape]


def read_shape(port: Port, tensor: Mapping[str, Any]) -> tuple[int, ...]:
    """Check the datatype of a tensor in a request, and return its shape.

    Args:
        port: The model input.
        tensor: The JSON object of the tensor.

    Raises:
        RequestError: If the datatype is not that of the input, or the shape is invalid.
    """
    dtype = DATATYPES[port.dtype]
    if tensor.get("datatype") != dtype:
        raise RequestError(400, f"the input `{port.name}` has the datatype {dtype}, not {_shown(tensor.get('datatype'))}")
    shape = tensor.get("shape")
    if not isinstance(shape, list) or not all(type(size) is int and size >= 0 for size in shape):
        raise RequestError(400, f"the shape of the input `{port.name}` must be a list of nonnegative integers")
    if len(shape) > _MAX_AXES:
        raise RequestError(400, f"the shape of the input `{port.name}` has {len(shape)} axes; {port} has {len(port.shape)}")
    return tuple(shape)


def from_json(port: Port, shape: Sequence[int], data: Numbers | list[Any], budget: Budget) -> NDArray[Any]:
    """Create an array from JSON numbers, flat or nested. Unparsed numbers are counted before they are parsed.

    Raises:
        RequestError: If the data does not fit the shape or the datatype.
    """
    return _from_list(port, shape, data) if isinstance(data, list) else _from_numbers(port, shape, data, budget)


def _from_list(port: Port, shape: Sequence[int], data: list[Any]) -> NDArray[Any]:
    try:
        values = np.array(data)
    except (ValueError, OverflowError):  # lists of different lengths, or nested too deep
        raise RequestError(400, f"the data of the input `{port.name}` is not a tensor: lists of different lengths") from None
    if values.size != math.prod(shape) or (values.ndim > 1 and values.shape != tuple(shape)):
        raise RequestError(
            400, f"the input `{port.name}` has the shape {list(shape)}, but its data has the shape {list(values.shape)}"
        )
    return _of_kind(port, values).reshape(tuple(shape))


def _from_numbers(port: Port, shape: Sequence[int], data: Numbers, budget: Budget) -> NDArray[Any]:
    data.require_count(f"input `{port.name}`", shape, budget)
    try:
        check_shape(port, tuple(shape), {})
    except NnspecError as error:
        raise RequestError(400, str(error)) from None
    dtype = np.dtype(port.dtype)
    size = math.prod(shape)
    budget.memory.reserve(size * dtype.itemsize)
    array = np.empty(size, dtype)
    position = 0
    try:
        for part in data.chunks(budget) if size else ():
            values = _of_kind(port, np.array(part))
            array[position : position + len(values)] = values
            position += len(values)
    except (ValueError, OverflowError, TypeError) as error:
        raise RequestError(
            400, f"the data of the input `{port.name}` is not valid JSON, or not a tensor: {str(error)[:200]}"
        ) from None
    if position != size:
        raise RequestError(400, f"the input `{port.name}` has the shape {list(shape)}, but its data has the shape [{position}]")
    return array.reshape(tuple(shape))


def _of_kind(port: Port, values: NDArray[Any]) -> NDArray[Any]:
    """Convert values to the datatype of a port, if their kind is compatible."""
    dtype = np.dtype(port.dtype)
    if values.size and values.dtype.kind not in _KINDS[dtype.kind]:
        raise RequestError(400, f"the data of the input `{port.name}` do not all have the datatype {DATATYPES[port.dtype]}")
    return _within(port, values, dtype)


def _within(port: Port, values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Convert values to a dtype, if all are in its range."""
    if dtype.kind in "iu" and values.size:
        limits = np.iinfo(dtype)
        inside = limits.min <= int(values.min()) and int(values.max()) <= limits.max
    else:
        with np.errstate(over="ignore"):
            return _finite(port, values.astype(dtype))
    if not inside:
        raise RequestError(400, f"the data of the input `{port.name}` exceeds the range of {DATATYPES[port.dtype]}")
    return values.astype(dtype)


def _finite(port: Port, values: NDArray[Any]) -> NDArray[Any]:
    # JSON has no infinity, so infinite values exceeded the range.
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise RequestError(400, f"the data of the input `{port.name}` exceeds the range of {DATATYPES[port.dtype]}")
    return values


def from_binary(port: Port, shape: Sequence[int], blob: memoryview) -> NDArray[Any]:
    """Create an array from binary data: little-endian, in row-major order.

    Raises:
        RequestError: If the size does not match the shape.
    """
    dtype = np.dtype(port.dtype).newbyteorder("<")
    size = math.prod(shape) * dtype.itemsize
    if len(blob) != size:
        raise RequestError(
            400, f"the input `{port.name}` with the shape {list(shape)} requires {size:,} bytes, but has {len(blob):,}"
        )
    if dtype.kind == "b" and (np.frombuffer(blob, np.uint8) > 1).any():
        raise RequestError(400, f"the input `{port.name}` has bytes that are neither 0 nor 1")
    return np.frombuffer(blob, dtype).reshape(tuple(shape))


def _shown(value: Any) -> str:
    return repr(value)[:40]
