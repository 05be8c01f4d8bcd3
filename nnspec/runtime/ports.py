"""What a model takes and gives, and whether arrays fit it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nnspec.diagnostics import NnspecError
from nnspec.types import Conditions, TensorType, closest, symbol, unknown

__all__ = ["Port", "check_shape", "converted", "fitted", "port_of", "require_rows", "type_of"]

_DTYPES = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(float16)": "float16",
    "tensor(bool)": "bool",
    **{f"tensor({sign}int{bits})": f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)},
}


@dataclass(frozen=True)
class Port:
    """An input or an output of a model.

    Attributes:
        name: Its name, the spec's.
        shape: Its sizes, the batch axis first: a number, a symbol's name, or None where it has none.
        dtype: Its element type.
    """

    name: str
    shape: tuple[int | str | None, ...]
    dtype: str

    def __str__(self) -> str:
        return f"`{self.name}` ({', '.join('?' if size is None else str(size) for size in self.shape)}) {self.dtype}"


def port_of(given: Any) -> Port:
    """What ONNX Runtime says of an input or an output."""
    if given.type not in _DTYPES:
        raise NnspecError(f"`{given.name}` is of the type {given.type}, which nnspec's models do not have")
    return Port(given.name, tuple(given.shape), _DTYPES[given.type])


def type_of(port: Port) -> TensorType:
    """The type of one example of an input or an output."""
    return TensorType(tuple(_size(size) for size in port.shape[1:]), port.dtype)


def _size(size: int | str | None) -> Any:
    if isinstance(size, int):
        return size
    return symbol(size) if size and size.isidentifier() else unknown()


def converted(port: Port, value: ArrayLike) -> NDArray[Any]:
    """The array in the input's element type: whole numbers may become floats, never the other way, and nothing overflows."""
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise NnspecError(f"the input {port} is no array: {error}") from error
    wanted = np.dtype(port.dtype)
    if array.dtype == wanted:
        return array
    allowed = {"f": "fiu", "i": "iu", "u": "iu", "b": "b"}[wanted.kind]
    if array.dtype.kind not in allowed:
        raise NnspecError(f"the input {port} cannot be made of {array.dtype} elements")
    if wanted.kind in "iu" and array.size:
        limits = np.iinfo(wanted)
        if int(array.min()) < limits.min or int(array.max()) > limits.max:
            raise NnspecError(f"the input {port} has elements outside {limits.min} … {limits.max}")
    return array.astype(wanted)


def fitted(inputs: Mapping[str, ArrayLike], ports: Mapping[str, Port], conditions: Conditions) -> dict[str, NDArray[Any]]:
    """The inputs as a model takes them.

    Args:
        inputs: An array for each input, by name, the batch axis first.
        ports: What it takes.
        conditions: What its free sizes must satisfy, by their symbols.

    Raises:
        NnspecError: Where an input is missing, unknown, or of another shape or element type.
    """
    for name in inputs:
        if name not in ports:
            suggestion = closest(name, ports)
            hint = f"did you mean `{suggestion}`?" if suggestion else "it takes " + ", ".join(map(str, ports.values()))
            raise NnspecError(f"the model has no input `{name}`; {hint}")
    for name, port in ports.items():
        if name not in inputs:
            raise NnspecError(f"the input {port} is missing")
    arrays = {name: converted(port, inputs[name]) for name, port in ports.items()}
    sizes: dict[str, tuple[int, str]] = {}
    for name, array in arrays.items():
        check_shape(ports[name], array.shape, sizes)
    wrong = conditions.refusal({symbol: size for symbol, (size, _) in sizes.items()})
    if wrong:
        raise NnspecError(wrong)
    return arrays


def require_rows(arrays: Mapping[str, NDArray[Any]], rows: Mapping[str, int]) -> None:
    """Refuses numbers that choose a row which a table does not have: ONNX Runtime takes negative ones from its end.

    Args:
        arrays: The inputs.
        rows: How many rows the table has that an input's numbers choose from.

    Raises:
        NnspecError: Where there is such a number.
    """
    for name, count in rows.items():
        array = arrays.get(name)
        if array is None or not array.size or (array.min() >= 0 and array.max() < count):
            continue
        place = np.unravel_index(int(((array < 0) | (array >= count)).argmax()), array.shape)
        raise NnspecError(
            f"the input `{name}` has {array[place]} in row {int(place[0])}, and takes whole numbers from 0 to {count - 1}"
        )


def check_shape(port: Port, shape: tuple[int, ...], sizes: dict[str, tuple[int, str]]) -> None:
    """Refuses a shape that is not the port's; a symbol has the same size wherever it stands."""
    if len(shape) != len(port.shape):
        raise NnspecError(f"the input {port} has {len(port.shape)} axes, the batch axis first; got the shape {shape}")
    if 0 in shape:
        raise NnspecError(f"the input {port} is empty: got the shape {shape}")
    for place, (size, wanted) in enumerate(zip(shape, port.shape, strict=True)):
        if isinstance(wanted, int) and size != wanted:
            raise NnspecError(f"the input {port} has {wanted} elements on axis {place}; got the shape {shape}")
        if isinstance(wanted, str) and wanted.isidentifier():
            first, other = sizes.setdefault(wanted, (size, port.name))
            if first != size:
                raise NnspecError(
                    f"`{wanted}` is {first} in the input `{other}` and {size} in the input {port}; it must be one size"
                )
