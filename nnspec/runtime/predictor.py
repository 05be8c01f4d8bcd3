"""Runs an exported model: NumPy and ONNX Runtime, nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nnspec.diagnostics import NnspecError
from nnspec.onnx_backend.metadata import CLASSES, CONDITIONS, DATA, OUTPUTS, PARITY, SPEC_HASH
from nnspec.onnx_backend.session import open_session
from nnspec.types import Condition, closest

__all__ = ["Port", "Predictor", "converted", "port_of", "read_model"]

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


class Predictor:
    """An exported model, ready to answer. It may be called from several threads.

    Args:
        path: The ONNX file. It is read as bytes: a file beside it that it names is not opened.
        batch_size: The most examples that are run at once; more are run in turn.
        threads: How many threads compute one operator; None: one for each core.

    Attributes:
        inputs: What it takes, by name.
        outputs: What it gives, by name.
        metadata: What its file says of itself.

    Raises:
        NnspecError: Where the file is missing, is no model, or wants weights from other files.

    Example:
        ``Predictor("lenet5.onnx").predict({"image": images})["digit"].argmax(-1)``
    """

    def __init__(self, path: str | Path, *, batch_size: int = 256, threads: int | None = None) -> None:
        if batch_size < 1:
            raise NnspecError(f"batch_size must be at least 1, not {batch_size}")
        self.path = Path(path)
        self._session = open_session(read_model(self.path), name=f"`{path}`", threads=threads)
        self._batch_size = batch_size
        self.inputs = {given.name: port_of(given) for given in self._session.get_inputs()}
        self.metadata: Mapping[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)
        spelled = self._json(OUTPUTS)
        ports = [(spelled.get(given.name, given.name), port_of(given)) for given in self._session.get_outputs()]
        self.outputs = {name: replace(port, name=name) for name, port in ports}

    @property
    def hash(self) -> str | None:
        """The hash of the spec it was made from, if it says."""
        return self.metadata.get(SPEC_HASH)

    @property
    def classes(self) -> Mapping[str, list[str]]:
        """The names of the classes of each output that has them."""
        return dict(self._json(CLASSES))

    @property
    def recipe(self) -> Mapping[str, Any]:
        """How its inputs are made from raw data (`data.recipe`); empty if it does not say."""
        return self._json(DATA)

    @property
    def parity(self) -> Mapping[str, Any]:
        """How far it was found to be from the model it was made of; empty if it does not say."""
        return self._json(PARITY)

    def predict(self, inputs: Mapping[str, ArrayLike]) -> dict[str, NDArray[Any]]:
        """The outputs for a batch of examples.

        Args:
            inputs: An array for each input, by name, the batch axis first.

        Raises:
            NnspecError: Where an input is missing, unknown, or of another shape or element type; nothing is run then.
        """
        arrays = self._checked(inputs)
        count = len(next(iter(arrays.values())))
        parts = [
            self._run({name: array[start : start + self._batch_size] for name, array in arrays.items()})
            for start in range(0, count, self._batch_size)
        ]
        return {name: self._joined(name, [part[name] for part in parts]) for name in self.outputs}

    def _joined(self, name: str, parts: list[NDArray[Any]]) -> NDArray[Any]:
        if len({part.shape[1:] for part in parts}) > 1:
            raise NnspecError(
                f"`{name}` has another size in each batch of {self._batch_size}\n  = help: `nnspec generate` decodes sequences "
                "of any length"
            )
        return np.concatenate(parts) if len(parts) > 1 else parts[0]

    def _run(self, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        try:
            given = self._session.run(None, dict(arrays))
        except Exception as error:
            raise NnspecError(f"`{self.path}` cannot answer: {str(error).partition('] : ')[2] or error}") from error
        return dict(zip(self.outputs, given, strict=True))

    def _checked(self, inputs: Mapping[str, ArrayLike]) -> dict[str, NDArray[Any]]:
        for name in inputs:
            if name not in self.inputs:
                suggestion = closest(name, self.inputs)
                hint = (
                    f"did you mean `{suggestion}`?" if suggestion else "it takes " + ", ".join(map(str, self.inputs.values()))
                )
                raise NnspecError(f"the model has no input `{name}`; {hint}")
        for name, port in self.inputs.items():
            if name not in inputs:
                raise NnspecError(f"the input {port} is missing")
        arrays = {name: converted(port, inputs[name]) for name, port in self.inputs.items()}
        sizes: dict[str, tuple[int, str]] = {}
        for name, array in arrays.items():
            _check_shape(self.inputs[name], array.shape, sizes)
        for symbol, condition in self._json(CONDITIONS).items():
            if symbol in sizes:
                _check_condition(symbol, sizes[symbol][0], Condition(**condition))
        return arrays

    def _json(self, key: str) -> Mapping[str, Any]:
        try:
            value = json.loads(self.metadata.get(key, "{}"))
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise NnspecError(f"`{self.path}` says something unreadable under `{key}` in its metadata; export it again")
        return value


def read_model(path: Path) -> bytes:
    """The bytes of a model's file.

    Raises:
        NnspecError: Where it cannot be read.
    """
    try:
        return path.read_bytes()
    except IsADirectoryError:
        raise NnspecError(f"`{path}` is a folder; name the .onnx file in it") from None
    except OSError as error:
        raise NnspecError(f"cannot read `{path}`: {error.strerror}") from error


def port_of(given: Any) -> Port:
    """What ONNX Runtime says of an input or an output."""
    if given.type not in _DTYPES:
        raise NnspecError(f"`{given.name}` is of the type {given.type}, which nnspec's models do not have")
    return Port(given.name, tuple(given.shape), _DTYPES[given.type])


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


def _check_shape(port: Port, shape: tuple[int, ...], sizes: dict[str, tuple[int, str]]) -> None:
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


def _check_condition(symbol: str, size: int, condition: Condition) -> None:
    if size % condition.multiple_of or size < condition.at_least:
        step = condition.multiple_of
        fitting = max(-(-size // step), -(-condition.at_least // step)) * step
        raise NnspecError(f"`{symbol}` must be {condition}, not {size}; the next size that fits is {fitting}")
