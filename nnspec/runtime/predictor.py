"""Predicts with an exported model, with only NumPy and ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nnspec.data.frames import frame_of
from nnspec.data.image_rows import image_columns
from nnspec.data.kinds import DecisionRule
from nnspec.data.units import Units
from nnspec.diagnostics import NnspecError
from nnspec.printable import on_one_line
from nnspec.runtime import metadata as m
from nnspec.runtime.detections import Detector, require_detector
from nnspec.runtime.neighbors import KnowledgeBase
from nnspec.runtime.ports import converted, fitted, port_of, require_rows
from nnspec.runtime.precision import PrecisionRecord
from nnspec.runtime.reading import read_all_metadata, read_model
from nnspec.runtime.session import open_session, reason_of, run_options
from nnspec.runtime.tiling import ReceptiveField
from nnspec.runtime.token_output import TokenOutput
from nnspec.types import Conditions, listed

if TYPE_CHECKING:
    from nnspec.runtime.predicting import GivenRows

_MOST_THREADS = 1024


class AnswerError(NnspecError):
    """A model failed on inputs that passed all checks.

    Attributes:
        of_input: Whether ONNX Runtime reports an input value as the cause, such as an index out of range.
    """

    def __init__(self, message: str, *, of_input: bool) -> None:
        super().__init__(message)
        self.of_input = of_input


class Predictor:
    """An exported model, ready to predict. It may be called from several threads.

    Args:
        path: The ONNX file. External weight files that it names are not read.
        batch_size: The maximum number of examples per run; more are split into several runs.
        threads: The number of threads per operator; None for one per core.
        spinning: Whether idle threads spin.
        content: The file's bytes, if already read.

    Attributes:
        inputs: The inputs, by name.
        outputs: The outputs, by name.
        metadata: The metadata of the file.
        classes: The class names of each output that has them.
        answers: How to interpret the values of each output, if stated.
        token_outputs: The vocabulary of each output that predicts tokens at the positions of an input.
        units: The conversion of outputs to the units of the data, if it differs between series; others are already converted.
        recipe: How the inputs are made from raw data (`data.recipe`); empty if not stated.
        conditions: The conditions on free sizes, by symbol.
        fields: The receptive field of each output along each axis between the batch and the channels.
        maps: The output that each class activation map belongs to; empty if the model has none.
        parity: The parity record; empty if there is none.
        precision: What the file loses and gains by smaller numbers; None if it is in float32.
        knowledge: The knowledge base in which the model finds neighbors; None if it has none.
        detector: The outputs that are detections; None if the model is no detector.

    Raises:
        NnspecError: If the file is missing, is not a model, or requires external weight files.

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
        if not isinstance(batch_size, int) or batch_size < 1:
            raise NnspecError(f"batch_size must be a number from 1, not {batch_size!r}")
        if threads is not None and (not isinstance(threads, int) or not 0 <= threads <= _MOST_THREADS):
            raise NnspecError(f"threads must be a number from 1 to {_MOST_THREADS:,}, not {threads!r}")
        self.path = Path(path)
        content = read_model(self.path) if content is None else content
        self._session = open_session(content, name=f"`{path}`", threads=threads, spinning=spinning)
        self._batch_size = batch_size
        self.inputs = {given.name: port_of(given) for given in self._session.get_inputs()}
        self.metadata: Mapping[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)
        # All at once: a file with invalid metadata is rejected before the first prediction.
        parsed = read_all_metadata(self.metadata, f"`{path}`")
        self.classes: Mapping[str, list[str]] = parsed[m.CLASSES]
        self.answers: Mapping[str, DecisionRule] = parsed[m.ANSWERS]
        self.token_outputs: Mapping[str, TokenOutput] = parsed[m.TOKEN_OUTPUTS]
        self.units: Mapping[str, Units] = parsed[m.UNITS]
        self.recipe: Mapping[str, Any] = parsed[m.DATA]
        self.conditions = cast("Conditions", parsed[m.CONDITIONS])
        self.fields: Mapping[str, tuple[ReceptiveField, ...]] = parsed[m.FIELDS]
        self.maps: Mapping[str, str] = parsed[m.MAPS]
        self.parity: Mapping[str, Any] = parsed[m.PARITY]
        self.precision = cast("PrecisionRecord | None", parsed[m.PRECISION])
        self.knowledge = cast("KnowledgeBase | None", parsed[m.NEIGHBORS])
        self.detector = cast("Detector | None", parsed[m.DETECTIONS])
        self._rows: Mapping[str, int] = parsed[m.ROWS]
        names = parsed[m.OUTPUTS]
        ports = [(names.get(given.name, given.name), port_of(given)) for given in self._session.get_outputs()]
        self.outputs = {name: replace(port, name=name) for name, port in ports}
        if self.detector is not None:
            require_detector(self.detector, self.inputs, self.outputs, f"`{path}`")

    def __repr__(self) -> str:
        ends = (", ".join(str(port).replace("`", "") for port in ports.values()) for ports in (self.inputs, self.outputs))
        return on_one_line(f"<Predictor {self.path}: {' → '.join(ends)}>")

    @property
    def hash(self) -> str | None:
        """The hash of the model's spec, if stated."""
        return self.metadata.get(m.SPEC_HASH)

    def predict(self, inputs: Any, *, tile: int | None = None, overlap: int | None = None) -> dict[str, NDArray[Any]]:
        """Predict examples.

        Args:
            inputs: An array for each input, by name, the batch axis first; the array alone, if there is one input; or raw rows:
                a DataFrame, a dict of columns, a list of dicts, or texts. A single example, or a single row, is a batch of one.
                In raw rows, an image can be the path of a PNG or JPEG file.
            tile: The size of the tiles that images are cut into; None to predict whole images. With tiles, images of sizes that
                the model does not accept are padded by mirroring, and the outputs are cropped.
            overlap: The overlap of two tiles; by default the least at which the outputs equal those of the whole image.

        Returns:
            The outputs by name, the batch axis first.

        Raises:
            NnspecError: If an input or a column is missing or unknown, or has a wrong shape or element type, or the model does
                not support tiles.
        """
        arrays = self.arrays(inputs)
        if tile is not None:
            from nnspec.runtime.tiled import Tiling

            return Tiling(self, tile, overlap).predict({name: np.asarray(array) for name, array in arrays.items()})
        return self.in_parts(self.checked(arrays))

    def detect(self, inputs: Any, *, score: float | None = None, top: int | None = None) -> list[list[dict[str, Any]]]:
        """Detect objects.

        Args:
            inputs: As for [`predict`][nnspec.runtime.predictor.Predictor.predict].
            score: The least score; None for no limit.
            top: The most objects of an image, best first; None for no limit.

        Returns:
            The objects of each image, best first, ``{"class": "cat", "score": 0.9, "box": [4.0, 10.5, 60.0, 80.25]}``; a box is
            `x1 y1 x2 y2` in pixels of the image: of raw rows, as it is in the data; of arrays, as the model takes it.

        Raises:
            NnspecError: As there, or if the model is no detector.

        Example:
            ``Predictor("detector.onnx").detect({"image": images}, score=0.5)[0][0]["class"]``
        """
        if self.detector is None:
            raise NnspecError(f"`{self.path}` is no detector: it returns {listed(self.outputs)}")
        given = self._given(inputs, image=self.detector.image)
        arrays = self.checked(given.arrays)
        names = self.classes.get(self.detector.classes)
        found = self.detector.found(arrays, self.in_parts(arrays), names, given.frames).limited(score, top)
        return [found.of(row) for row in range(len(next(iter(arrays.values()))))]

    def arrays(self, given: Any) -> Mapping[str, ArrayLike]:
        """Compute the array of each input from what [`predict`][nnspec.runtime.predictor.Predictor.predict] takes.

        Raises:
            NnspecError: If an array has no name, or rows do not match the columns of the training.
        """
        return self._given(given).arrays

    def _given(self, given: Any, image: str | None = None) -> GivenRows:
        """The arrays, and the places of the images of raw rows.

        Args:
            given: As for `arrays`.
            image: The input with the images whose places are wanted.
        """
        from nnspec.runtime.predicting import GivenRows

        if isinstance(given, list | tuple) and given and all(isinstance(text, str) for text in given):
            return self._read(given, image)
        if isinstance(given, list | tuple) and given and all(isinstance(row, Mapping) for row in given):
            return self._of_rows(given, image)
        if isinstance(given, np.ndarray | np.generic | list | tuple | int | float):
            if len(self.inputs) != 1:
                ports = ", ".join(map(str, self.inputs.values()))
                raise NnspecError(f"an array does not state its input\n  = help: pass a dict of arrays: the inputs are {ports}")
            given = {name: converted(port, given) for name, port in self.inputs.items()}
        if not isinstance(given, Mapping) or self._has_columns(given):
            return self._of_rows(given, image)
        arrays = {name: converted(self.inputs[name], given[name]) if name in self.inputs else given[name] for name in given}
        ranks = {name: len(port.shape) - 1 for name, port in self.inputs.items()}
        if ranks == {name: np.ndim(array) for name, array in arrays.items()}:
            return GivenRows({name: np.asarray(array)[None] for name, array in arrays.items()})
        return GivenRows(arrays)

    def _has_columns(self, given: Mapping[str, Any]) -> bool:
        """Whether a dict has columns of raw rows rather than arrays of inputs."""
        columns = {str(column) for entry in self.recipe.get("inputs", {}).values() for column in entry["columns"]}
        if not set(given) <= set(self.inputs):
            return bool(columns & set(given))
        return any(name in columns and _is_of_rows(given[name]) for name in given)

    def _of_rows(self, given: Any, image: str | None) -> GivenRows:
        if isinstance(given, Mapping) and given and (self._is_row(given) or all(map(_is_single, given.values()))):
            given = {name: [value] for name, value in given.items()}
        return self._read(frame_of(_with_texts(given), "data"), image)

    def _is_row(self, given: Mapping[str, Any]) -> bool:
        """Whether a dict is one row, whose image is the path of a file."""
        return any(isinstance(given.get(name), str | Path) for name in image_columns(self.recipe))

    def _read(self, rows: Any, image: str | None) -> GivenRows:
        from nnspec.runtime.predicting import input_types, read_rows

        return read_rows(rows, self.recipe, input_types(self), None, image=image)

    def in_parts(self, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Compute the outputs of any number of examples, `batch_size` at a time.

        Args:
            arrays: The result of [`checked`][nnspec.runtime.predictor.Predictor.checked].

        Raises:
            NnspecError: If ONNX Runtime fails, or an output has different sizes in different batches.
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
                f"`{name}` has different sizes in batches of {self._batch_size}\n  = help: `nnspec generate` decodes sequences "
                "of any length"
            )
        return np.concatenate(parts) if len(parts) > 1 else parts[0]

    def run(self, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Compute the outputs of a batch in one run.

        Args:
            arrays: The result of [`checked`][nnspec.runtime.predictor.Predictor.checked].

        Raises:
            AnswerError: If ONNX Runtime fails.
        """
        try:
            given = self._session.run(None, dict(arrays), run_options())
        except Exception as error:
            of_input = "INVALID_ARGUMENT" in str(error)
            raise AnswerError(f"`{self.path}` cannot run: {reason_of(error)}", of_input=of_input) from error
        return dict(zip(self.outputs, given, strict=True))

    def checked(self, inputs: Mapping[str, ArrayLike]) -> dict[str, NDArray[Any]]:
        """Check inputs and convert them to the types of the model.

        Args:
            inputs: As for [`predict`][nnspec.runtime.predictor.Predictor.predict].

        Raises:
            NnspecError: If an input is missing or unknown, or has a wrong shape or element type.
        """
        arrays = fitted(inputs, self.inputs, self.conditions)
        require_rows(arrays, self._rows)
        return arrays


def _is_single(value: Any) -> bool:
    """Whether a value is a number or a text; lists of different lengths are no array."""
    return not isinstance(value, list | tuple) and np.ndim(value) == 0


def _is_of_rows(values: Any) -> bool:
    """Whether values of a column are texts, or lists of different lengths, which no array of an input is."""
    try:
        return np.asarray(values).dtype.kind in "UO"
    except ValueError:
        return True


def _with_texts(given: Any) -> Any:
    """Return rows with paths as texts."""
    if isinstance(given, list | tuple) and all(isinstance(row, Mapping) for row in given):
        return [{name: str(one) if isinstance(one, Path) else one for name, one in row.items()} for row in given]
    if not isinstance(given, Mapping):
        return given
    return {
        name: [str(one) if isinstance(one, Path) else one for one in column] if isinstance(column, list) else column
        for name, column in given.items()
    }
