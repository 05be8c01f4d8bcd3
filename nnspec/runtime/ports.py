"""The inputs and outputs of a model, and checks of arrays against them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nnspec.diagnostics import NnspecError
from nnspec.types import Conditions, TensorType, did_you_mean, symbol, unknown

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
        name: The spec's name.
        shape: The sizes, batch axis first: a number, the name of a symbol, or None if unknown.
        dtype: The element type.
    """

    name: str
    shape: tuple[int | str | None, ...]
    dtype: str

    def __str__(self) -> str:
        return f"`{self.name}` ({', '.join('?' if size is None else str(size) for size in self.shape)}) {self.dtype}"


def port_of(given: Any) -> Port:
    """The port of ONNX Runtime's description of an input or output."""
    if given.type not in _DTYPES:
        raise NnspecError(f"`{given.name}` has the type {given.type}, which nnspec does not support")
    return Port(given.name, tuple(given.shape), _DTYPES[given.type])


def type_of(port: Port) -> TensorType:
    """The type of one example of an input or output."""
    return TensorType(tuple(_size(size) for size in port.shape[1:]), port.dtype)


def _size(size: int | str | None) -> Any:
    if isinstance(size, int):
        return size
    return symbol(size) if size and size.isidentifier() else unknown()


def converted(port: Port, value: ArrayLike) -> NDArray[Any]:
    """Convert an array to the input's element type: integers may become floats, not vice versa, and nothing overflows."""
    if np.ma.is_masked(value):
        raise NnspecError(f"the input {port} has masked elements\n  = help: fill them: `array.filled(0)`")
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise NnspecError(f"the input {port} is not an array: {error}") from error
    wanted = np.dtype(port.dtype)
    if array.dtype == wanted:
        return array
    allowed = {"f": "fiu", "i": "iu", "u": "iu", "b": "b"}[wanted.kind]
    if array.dtype.kind not in allowed:
        raw = "\n  = help: pass integers from 0 to 255, as they are in image files"
        help = raw if wanted == np.uint8 and array.dtype.kind == "f" else ""
        raise NnspecError(f"the input {port} does not accept {array.dtype} elements{help}")
    if wanted.kind in "iu" and array.size:
        limits = np.iinfo(wanted)
        if int(array.min()) < limits.min or int(array.max()) > limits.max:
            raise NnspecError(f"the input {port} has elements outside {limits.min} … {limits.max}")
    with np.errstate(over="ignore"):
        found = array.astype(wanted)
    if wanted.kind == "f" and bool((np.isinf(found) & ~np.isinf(array)).any()):
        raise NnspecError(f"the input {port} has elements beyond {np.finfo(wanted).max:.2g}")
    return found


def fitted(inputs: Mapping[str, ArrayLike], ports: Mapping[str, Port], conditions: Conditions) -> dict[str, NDArray[Any]]:
    """Check inputs and convert them to the types of a model.

    Args:
        inputs: An array for each input, by name, the batch axis first.
        ports: The inputs of the model.
        conditions: The conditions on free sizes, by symbol.

    Raises:
        NnspecError: If an input is missing or unknown, or has a wrong shape or element type.
    """
    for name in inputs:
        if name not in ports:
            hint = did_you_mean(str(name), ports, "the inputs are " + ", ".join(map(str, ports.values())))
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
    """Require indices within their tables: ONNX Runtime counts negative ones from the end.

    Args:
        arrays: The inputs.
        rows: The number of rows of the table that an input indexes, by input.

    Raises:
        NnspecError: If an index is out of range.
    """
    for name, count in rows.items():
        array = arrays.get(name)
        if array is None or not array.size or (array.min() >= 0 and array.max() < count):
            continue
        place = np.unravel_index(int(((array < 0) | (array >= count)).argmax()), array.shape)
        raise NnspecError(
            f"the input `{name}` has {array[place]} in row {int(place[0])}; it must be an integer from 0 to {count - 1}"
        )


def check_shape(port: Port, shape: tuple[int, ...], sizes: dict[str, tuple[int, str]]) -> None:
    """Check a shape against a port; a symbol must have the same size everywhere."""
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
                    f"`{wanted}` is {first} in the input `{other}` and {size} in the input {port}; the sizes must be equal"
                )
