"""Tensors as the protocol writes them, in JSON and in binary, and as arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.diagnostics import NnspecError
from nnspec.runtime.ports import Port, check_shape
from nnspec.serving.budget import Budget
from nnspec.serving.numbers import Numbers
from nnspec.serving.refusals import Refused

__all__ = ["DATATYPES", "from_binary", "from_json", "named", "protocol_shape"]

DATATYPES: Mapping[str, str] = {
    "bool": "BOOL",
    "float16": "FP16",
    "float32": "FP32",
    "float64": "FP64",
    **{f"{sign}int{bits}": f"{sign}int{bits}".upper() for sign in ("", "u") for bits in (8, 16, 32, 64)},
}
"""The protocol's names of element types, by NumPy's."""

_MOST_AXES = 32
_KINDS = {"f": "fiu", "i": "iu", "u": "iu", "b": "b"}
"""What JSON's numbers and truth values may become: NumPy's kinds, by the kind that is wanted."""


def protocol_shape(port: Port) -> list[int]:
    """A port's shape as the protocol writes it: −1 where a size is free.

    Example:
        >>> protocol_shape(Port("image", ("batch", 28, 28, 1), "float32"))
        [-1, 28, 28, 1]
    """
    return [size if isinstance(size, int) else -1 for size in port.shape]


def named(port: Port, said: Mapping[str, Any]) -> tuple[int, ...]:
    """The shape of a request's tensor.

    Args:
        port: The model's input.
        said: What the request says of it.

    Raises:
        Refused: Where its element type is not the input's, or its shape is none.
    """
    wanted = DATATYPES[port.dtype]
    if said.get("datatype") != wanted:
        raise Refused(400, f"the input `{port.name}` has the datatype {wanted}, not {_shown(said.get('datatype'))}")
    shape = said.get("shape")
    if not isinstance(shape, list) or not all(type(size) is int and size >= 0 for size in shape):
        raise Refused(400, f"the shape of the input `{port.name}` must be a list of whole numbers from 0")
    if len(shape) > _MOST_AXES:
        raise Refused(400, f"the shape of the input `{port.name}` has {len(shape)} axes; {port} has {len(port.shape)}")
    return tuple(shape)


def from_json(port: Port, shape: Sequence[int], data: Numbers | list[Any], budget: Budget) -> NDArray[Any]:
    """An array from JSON's numbers, flat or nested; those that are not parsed yet are counted before.

    Raises:
        Refused: Where they are not as many as the shape says, or not of the port's element type.
    """
    return _from_list(port, shape, data) if isinstance(data, list) else _from_numbers(port, shape, data, budget)


def _from_list(port: Port, shape: Sequence[int], data: list[Any]) -> NDArray[Any]:
    try:
        values = np.array(data)
    except (ValueError, OverflowError):  # lists of different lengths, or nested too deep
        raise Refused(400, f"the data of the input `{port.name}` are no tensor: lists of different lengths") from None
    if values.size != math.prod(shape) or (values.ndim > 1 and values.shape != tuple(shape)):
        raise Refused(400, f"the input `{port.name}` has the shape {list(shape)}, and its data have {list(values.shape)}")
    return _of_kind(port, values).reshape(tuple(shape))


def _from_numbers(port: Port, shape: Sequence[int], data: Numbers, budget: Budget) -> NDArray[Any]:
    data.require_count(f"input `{port.name}`", shape, budget)
    try:
        check_shape(port, tuple(shape), {})
    except NnspecError as error:
        raise Refused(400, str(error)) from None
    wanted = np.dtype(port.dtype)
    size = math.prod(shape)
    budget.room.take(size * wanted.itemsize)
    made = np.empty(size, wanted)
    place = 0
    try:
        for part in data.parts(budget) if size else ():
            values = _of_kind(port, np.array(part))
            made[place : place + len(values)] = values
            place += len(values)
    except (ValueError, OverflowError, TypeError) as error:
        raise Refused(400, f"the data of the input `{port.name}` are no JSON, or no tensor: {str(error)[:200]}") from None
    if place != size:
        raise Refused(400, f"the input `{port.name}` has the shape {list(shape)}, and its data have [{place}]")
    return made.reshape(tuple(shape))


def _of_kind(port: Port, values: NDArray[Any]) -> NDArray[Any]:
    """The values in the port's element type, where they are of its kind."""
    wanted = np.dtype(port.dtype)
    if values.size and values.dtype.kind not in _KINDS[wanted.kind]:
        raise Refused(400, f"the data of the input `{port.name}` are not all of the datatype {DATATYPES[port.dtype]}")
    return _within(port, values, wanted)


def _within(port: Port, values: NDArray[Any], wanted: np.dtype[Any]) -> NDArray[Any]:
    """The values in an element type, where it holds them all."""
    if wanted.kind in "iu" and values.size:
        limits = np.iinfo(wanted)
        inside = limits.min <= int(values.min()) and int(values.max()) <= limits.max
    else:
        with np.errstate(over="ignore"):
            return _finite(port, values.astype(wanted))
    if not inside:
        raise Refused(400, f"the data of the input `{port.name}` leave the range of {DATATYPES[port.dtype]}")
    return values.astype(wanted)


def _finite(port: Port, values: NDArray[Any]) -> NDArray[Any]:
    # JSON has neither: what is infinite now was too large.
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise Refused(400, f"the data of the input `{port.name}` leave the range of {DATATYPES[port.dtype]}")
    return values


def from_binary(port: Port, shape: Sequence[int], blob: memoryview) -> NDArray[Any]:
    """An array from the protocol's bytes: little-endian, row by row.

    Raises:
        Refused: Where they are not as many as the shape says.
    """
    wanted = np.dtype(port.dtype).newbyteorder("<")
    size = math.prod(shape) * wanted.itemsize
    if len(blob) != size:
        raise Refused(400, f"the input `{port.name}` of the shape {list(shape)} has {size:,} bytes, not {len(blob):,}")
    if wanted.kind == "b" and (np.frombuffer(blob, np.uint8) > 1).any():
        raise Refused(400, f"the input `{port.name}` has bytes that are neither 0 nor 1")
    return np.frombuffer(blob, wanted).reshape(tuple(shape))


def _shown(value: Any) -> str:
    return repr(value)[:40]
