"""Runs an exported model: NumPy and ONNX Runtime, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nnspec.data.kinds import DecisionRule
from nnspec.data.units import Units
from nnspec.diagnostics import NnspecError
from nnspec.runtime.metadata import (
    ANSWERS,
    CLASSES,
    CONDITIONS,
    DATA,
    FIELDS,
    MAPS,
    OUTPUTS,
    PARITY,
    ROWS,
    SPEC_HASH,
    TOKEN_OUTPUTS,
    UNITS,
)
from nnspec.runtime.ports import fitted, port_of, require_rows
from nnspec.runtime.reading import read_all_metadata, read_model
from nnspec.runtime.session import open_session, reason_of, run_options
from nnspec.runtime.tiling import ReceptiveField
from nnspec.runtime.token_output import TokenOutput
from nnspec.types import Conditions

__all__ = ["AnswerError", "Predictor"]


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
        # All at once: a file that says nonsense is refused before it answers anyone.
        self._said = read_all_metadata(self.metadata, f"`{path}`")
        spelled = self._said[OUTPUTS]
        ports = [(spelled.get(given.name, given.name), port_of(given)) for given in self._session.get_outputs()]
        self.outputs = {name: replace(port, name=name) for name, port in ports}

    @property
    def hash(self) -> str | None:
        """The hash of the spec it was made from, if it says."""
        return self.metadata.get(SPEC_HASH)

    @property
    def classes(self) -> Mapping[str, list[str]]:
        """The names of the classes of each output that has them."""
        return self._said[CLASSES]

    @property
    def answers(self) -> Mapping[str, DecisionRule]:
        """How the values of each output are to be read, if it says."""
        return self._said[ANSWERS]

    @property
    def token_outputs(self) -> Mapping[str, TokenOutput]:
        """The vocabulary of each output that predicts tokens at the positions of an input."""
        return self._said[TOKEN_OUTPUTS]

    @property
    def units(self) -> Mapping[str, Units]:
        """How outputs come back to the units of the data, if that differs between series; all others are in them."""
        return self._said[UNITS]

    @property
    def recipe(self) -> Mapping[str, Any]:
        """How its inputs are made from raw data (`data.recipe`); empty if it does not say."""
        return self._said[DATA]

    @property
    def conditions(self) -> Conditions:
        """What free sizes must satisfy, by their symbols."""
        return cast("Conditions", self._said[CONDITIONS])

    @property
    def fields(self) -> Mapping[str, tuple[ReceptiveField, ...]]:
        """What the places of each output see of the input, along each of its axes between the batch and the channels."""
        return self._said[FIELDS]

    @property
    def maps(self) -> Mapping[str, str]:
        """Of which output each class activation map is that it gives; empty where it gives none."""
        return self._said[MAPS]

    @property
    def parity(self) -> Mapping[str, Any]:
        """How far it was found to be from the model it was made of; empty if it does not say."""
        return self._said[PARITY]

    def predict(
        self, inputs: Mapping[str, ArrayLike], *, tile: int | None = None, overlap: int | None = None
    ) -> dict[str, NDArray[Any]]:
        """The outputs for a batch of examples.

        Args:
            inputs: An array for each input, by name, the batch axis first.
            tile: How large the tiles are that pictures are cut into; None: they are answered whole. Pictures of sizes that
                the model does not take are then padded, mirrored at their ends, and the outputs cropped.
            overlap: How much two tiles share; by default as much as makes the outputs those to the whole picture.

        Raises:
            NnspecError: Where an input is missing, unknown, or of another shape or element type; nothing is run then. Where
                the model cannot answer tile by tile.
        """
        if tile is not None:
            from nnspec.runtime.tiled import Tiling

            return Tiling(self, tile, overlap).predict({name: np.asarray(array) for name, array in inputs.items()})
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
            given = self._session.run(None, dict(arrays), run_options())
        except Exception as error:
            of_input = "INVALID_ARGUMENT" in str(error)
            raise AnswerError(f"`{self.path}` cannot answer: {reason_of(error)}", of_input=of_input) from error
        return dict(zip(self.outputs, given, strict=True))

    def checked(self, inputs: Mapping[str, ArrayLike]) -> dict[str, NDArray[Any]]:
        """The inputs as the model takes them.

        Args:
            inputs: As for [`predict`][nnspec.runtime.predictor.Predictor.predict].

        Raises:
            NnspecError: Where an input is missing, unknown, or of another shape or element type.
        """
        arrays = fitted(inputs, self.inputs, self.conditions)
        require_rows(arrays, self._said[ROWS])
        return arrays
