"""Runs an exported model: NumPy and ONNX Runtime, nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nnspec.data.kinds import Answer
from nnspec.diagnostics import NnspecError
from nnspec.onnx_backend.metadata import ANSWERS, CLASSES, CONDITIONS, DATA, OUTPUTS, PARITY, SPEC_HASH
from nnspec.onnx_backend.session import open_session
from nnspec.types import Condition, closest

__all__ = ["AnswerError", "Port", "Predictor", "converted", "port_of", "read_model"]

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


class AnswerError(NnspecError):
    """A model could not answer an input that looked right.

    Attributes:
        of_input: Whether ONNX Runtime says that a value of the input is the cause: a token that is in no table, say.
    """

    def __init__(self, message: str, *, of_input: bool) -> None:
        super().__init__(message)
        self.of_input = of_input


class Predictor:
    """An exported model, ready to answer. It may be called from several threads.

    Args:
        path: The ONNX file. It is read as bytes: a file beside it that it names is not opened.
        batch_size: The most examples that are run at once; more are run in turn.
        threads: How many threads compute one operator; None: one for each core.
        spinning: Whether a thread that waits for work keeps its core busy.
        content: The file's bytes, where they have been read already.

    Attributes:
        inputs: What it takes, by name.
        outputs: What it gives, by name.
        metadata: What its file says of itself.

    Raises:
        NnspecError: Where the file is missing, is no model, or wants weights from other files.

    Example:
        ``Predictor("lenet5.onnx").predict({"image": images})["digit"].argmax(-1)``
    """

    def __init__(
        self,
        path: str | Path,
        *,
        batch_size: int = 256,
        threads: int | None = None,
        spinning: bool = True,
        content: bytes | None = None,
    ) -> None:
        if batch_size < 1:
            raise NnspecError(f"batch_size must be at least 1, not {batch_size}")
        self.path = Path(path)
        content = read_model(self.path) if content is None else content
        self._session = open_session(content, name=f"`{path}`", threads=threads, spinning=spinning)
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
    def answers(self) -> Mapping[str, Answer]:
        """How the values of each output are to be read, if it says."""
        try:
            return {name: Answer(**facts) for name, facts in self._json(ANSWERS).items()}
        except TypeError:
            raise self._unreadable(ANSWERS) from None

    @property
    def recipe(self) -> Mapping[str, Any]:
        """How its inputs are made from raw data (`data.recipe`); empty if it does not say."""
        return self._json(DATA)

    @property
    def conditions(self) -> Mapping[str, Condition]:
        """What free sizes must satisfy, by their symbols."""
        return {symbol: Condition(**said) for symbol, said in self._json(CONDITIONS).items()}

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
        return self.in_parts(self.checked(inputs))

    def in_parts(self, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """The outputs for any number of examples, `batch_size` at a time.

        Args:
            arrays: What [`checked`][nnspec.runtime.predictor.Predictor.checked] gave.

        Raises:
            NnspecError: Where ONNX Runtime fails, or an output has another size in each batch.
        """
        count = len(next(iter(arrays.values())))
        parts = [
            self.run({name: array[start : start + self._batch_size] for name, array in arrays.items()})
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

    def run(self, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """The outputs for one batch, all at once.

        Args:
            arrays: What [`checked`][nnspec.runtime.predictor.Predictor.checked] gave.

        Raises:
            AnswerError: Where ONNX Runtime fails.
        """
        try:
            given = self._session.run(None, dict(arrays))
        except Exception as error:
            reason = str(error).partition("] : ")[2] or str(error)
            raise AnswerError(f"`{self.path}` cannot answer: {reason}", of_input="INVALID_ARGUMENT" in reason) from error
        return dict(zip(self.outputs, given, strict=True))

    def checked(self, inputs: Mapping[str, ArrayLike]) -> dict[str, NDArray[Any]]:
        """The inputs as the model takes them.

        Args:
            inputs: As for [`predict`][nnspec.runtime.predictor.Predictor.predict].

        Raises:
            NnspecError: Where an input is missing, unknown, or of another shape or element type.
        """
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
        for symbol, condition in self.conditions.items():
            if symbol in sizes:
                _check_condition(symbol, sizes[symbol][0], condition)
        return arrays

    def _json(self, key: str) -> Mapping[str, Any]:
        try:
            value = json.loads(self.metadata.get(key, "{}"))
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise self._unreadable(key)
        return value

    def _unreadable(self, key: str) -> NnspecError:
        return NnspecError(f"`{self.path}` says something unreadable under `{key}` in its metadata; export it again")


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
    if not condition.is_met(size):
        raise NnspecError(f"`{symbol}` must be {condition}, not {size}; the next size that fits is {condition.next_fit(size)}")
