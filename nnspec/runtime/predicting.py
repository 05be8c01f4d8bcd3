"""Predictions of an exported model on data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from nnspec.data.file_kinds import reader_of
from nnspec.data.folders import is_file
from nnspec.data.frames import frame_of, is_table
from nnspec.data.image_frames import ImageFrames
from nnspec.data.image_rows import decoded_rows, image_columns
from nnspec.data.kinds import DataError, DecisionRule
from nnspec.data.per_series import RowSeries, series_of_rows
from nnspec.data.readers.base import Table
from nnspec.data.recipe import columns_of, feed_of, open_data, read_inputs, series_columns
from nnspec.data.units import in_units
from nnspec.diagnostics import NnspecError
from nnspec.printable import on_one_line
from nnspec.runtime.detections import Detections, Detector, frames_of
from nnspec.runtime.neighbors import INDICES, SIMILARITY, Neighbors
from nnspec.runtime.ports import type_of
from nnspec.runtime.predictor import Predictor
from nnspec.runtime.tiled import Tiling
from nnspec.runtime.token_output import Texts, texts_of
from nnspec.types import TensorType, listed

_EVEN = 0.5
"""The threshold of a probability."""
_ROUNDING = 1e-3
_MAX_PIXELS = 2**26


@dataclass(frozen=True)
class Predictions:
    """Predictions for rows of data.

    Attributes:
        outputs: An array for each output, rows first; numbers are in the units of the data.
        classes: The class names of each output that has them.
        answers: How to interpret the values of each output, if known.
        tiling: How images were tiled; None if they were not.
        texts: The texts of each output of tokens.
        neighbors: The nearest rows of a knowledge base, if they were searched.
        detections: The objects of each row, if the model is a detector.
        parts: The outputs that they come from.
    """

    outputs: Mapping[str, NDArray[Any]]
    classes: Mapping[str, list[Any]]
    answers: Mapping[str, DecisionRule] = field(default_factory=dict)
    tiling: Tiling | None = None
    texts: Mapping[str, list[str]] = field(default_factory=dict)
    neighbors: Neighbors | None = None
    detections: Detections | None = None
    parts: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(next(iter(self.outputs.values()), ()))

    def __repr__(self) -> str:
        shapes = ", ".join(f"{name} {values.shape[1:]}" for name, values in self.outputs.items())
        return on_one_line(f"<Predictions of {len(self):,} rows: {shapes}>")

    def rows(self, limit: int | None = None) -> Iterator[dict[str, Any]]:
        """Each row as plain values: neighbors, detections, the other outputs, and the class and text that one predicts."""
        for row in islice(range(len(self)), limit):
            answer: dict[str, Any] = {"row": row}
            if self.neighbors is not None:
                answer["neighbors"] = list(self.neighbors.of(row))
            if self.detections is not None:
                answer["detections"] = self.detections.of(row)
            for name, values in self.outputs.items():
                if name in self.parts:
                    continue
                value = values[row]
                predicted = self._predicted_class(name, value)
                if predicted is not None:
                    names = self.classes.get(name)
                    answer[f"{name}_class"] = names[predicted] if names and predicted < len(names) else predicted
                if name in self.texts:
                    answer[f"{name}_text"] = self.texts[name][row]
                answer[name] = value.tolist()
            yield answer

    def ranked(self, name: str, row: int, most: int = 3) -> list[tuple[Any, float]]:
        """The most probable classes of a row, with their probabilities; empty if the output has no probabilities.

        Args:
            name: The output.
            row: The row.
            most: The number of classes.
        """
        value = self.outputs[name][row]
        if self._predicted_class(name, value) is None:
            return []
        found = [float(number) for number in value.ravel()]
        if len(found) == 1 and self.answers[name].above == _EVEN and 0 <= found[0] <= 1:
            found = [1 - found[0], found[0]]
        if min(found) < 0 or abs(sum(found) - 1) > _ROUNDING:  # logits, or independent scores
            return []
        names = self.classes.get(name) or []
        order = sorted(range(len(found)), key=lambda unit: -found[unit])[:most]
        return [(names[unit] if unit < len(names) else unit, found[unit]) for unit in order]

    def _predicted_class(self, name: str, value: NDArray[Any]) -> int | None:
        """The index of the class that an output predicts for a row; None if it does not predict a single class."""
        is_vector = self.neighbors is not None and name == self.neighbors.knowledge.output
        answer = self.answers.get(name, DecisionRule("number" if is_vector else "class"))
        if answer.kind == "class":
            return int(value.argmax()) if value.ndim == 1 and len(value) > 1 else None
        return int(value.item() > answer.above) if answer.kind == "yes_or_no" and value.size == 1 else None


def predict_file(
    path: str | Path,
    data: Any,
    *,
    limit: int | None = None,
    tile: int | None = None,
    overlap: int | None = None,
    neighbors: int | None = None,
    score: float | None = None,
    top: int | None = None,
) -> Predictions:
    """Predict with an exported model.

    Args:
        path: The ONNX file.
        data: The data, as [`open_data`][nnspec.data.recipe.open_data] takes them, raw as before training; a
            DataFrame, or a dict of arrays by column; or texts.
        limit: The most rows to predict.
        tile: The size of the tiles that images are cut into; None to predict whole images.
        overlap: The overlap of two tiles; by default the least at which the result equals that of the whole image.
        neighbors: The number of neighbors; by default all that the file returns, if it has a knowledge base.
        score: The least score of the objects of a detector.
        top: The most objects of an image, best first.

    Raises:
        NnspecError: If the file is not a model, or the data do not match it.
    """
    predictor = Predictor(path)
    if neighbors is not None and predictor.knowledge is None:
        raise NnspecError(
            f"`{path}` has no knowledge base, in which it finds neighbors\n"
            "  = help: export the run with `--among READER`, or with a section `neighbors` in the spec"
        )
    require_limits_of_detector(predictor.detector, f"`{path}`", score, top)
    tiling = None if tile is None else Tiling(predictor, tile, overlap)
    image = None if predictor.detector is None else predictor.detector.image
    given = read_rows(data, predictor.recipe, input_types(predictor), limit, image=image)
    answer = predictor.predict if tiling is None else tiling.predict
    found = predictions_of(predictor, given.arrays, answer(given.arrays), tiling, given.series, given.frames)
    if found.detections is not None:
        return replace(found, detections=found.detections.limited(score, top))
    if neighbors is None or found.neighbors is None:
        return found
    return replace(found, neighbors=found.neighbors.first(neighbors))


def predictions_of(
    predictor: Predictor,
    inputs: Mapping[str, NDArray[Any]],
    outputs: Mapping[str, NDArray[Any]],
    tiling: Tiling | None = None,
    series: RowSeries | None = None,
    frames: ImageFrames | None = None,
) -> Predictions:
    """Convert the outputs of an exported model to the classes, texts and units of its data.

    Args:
        predictor: The model.
        inputs: Its inputs.
        outputs: Its outputs.
        tiling: How the images were tiled, if they were.
        series: The series of each row, if the units differ between series.
        frames: The places of the images as sent in those of a detector; None if it reads them unchanged.
    """
    neighbors = None
    if predictor.knowledge is not None:
        neighbors = predictor.knowledge.found(outputs)
        outputs = {name: values for name, values in outputs.items() if name not in (INDICES, SIMILARITY)}
    outputs = in_units(outputs, predictor.units, series)
    texts = texts_of(outputs, inputs, predictor.token_outputs)
    found = Predictions(outputs, predictor.classes, predictor.answers, tiling, texts, neighbors)
    if (detector := predictor.detector) is None:
        return found
    names = predictor.classes.get(detector.classes)
    return replace(found, detections=detector.found(inputs, outputs, names, frames), parts=detector.outputs)


def require_limits_of_detector(detector: Detector | None, name: str, score: float | None, top: int | None) -> None:
    """Require that limits of detections are given for a detector only.

    Raises:
        NnspecError: If they are given for another model.
    """
    if detector is None and (score is not None or top is not None):
        given = "score" if score is not None else "top"
        raise NnspecError(f"{name} is no detector, and `{given}` limits its objects\n  = help: omit it")


def input_types(predictor: Predictor) -> dict[str, TensorType]:
    """The types of an exported model's inputs, by name."""
    return {name: type_of(port) for name, port in predictor.inputs.items()}


@dataclass(frozen=True)
class GivenRows:
    """The inputs of rows of data.

    Attributes:
        arrays: The inputs, by name.
        series: The series of each row, if the units differ between series.
        frames: The places of the images as stored in those of the input, if they were asked for and are known.
    """

    arrays: Mapping[str, NDArray[Any]]
    series: RowSeries | None = None
    frames: ImageFrames | None = None

    def rows(self, some: slice) -> GivenRows:
        """Some of the rows."""
        return GivenRows(
            {name: array[some] for name, array in self.arrays.items()},
            None if self.series is None else self.series.rows(some),
            None if self.frames is None else self.frames.rows(some),
        )


def read_rows(
    data: str | Sequence[str],
    recipe: Mapping[str, Any],
    types: Mapping[str, TensorType],
    limit: int | None,
    *,
    image: str | None = None,
) -> GivenRows:
    """Read the inputs of rows of data.

    Args:
        data: The data, as [`open_data`][nnspec.data.recipe.open_data] accepts them, or a text for each row.
        recipe: How the inputs are made from raw data.
        types: The types of the inputs, by name.
        limit: The most rows to return.
        image: The input with the images whose places are wanted.
    """
    folder = Path()
    if is_table(data):
        table, name = frame_of(data, "data").table(), "data"
    elif isinstance(data, str):
        table, name = open_data(data, recipe, types)
        folder = Path(data).parent if reader_of(data) is not None and is_file(Path(data)) else folder
    else:
        table, name = _texts(data, recipe, types), "the texts"
    table = _with_image_files(table, recipe, types, folder)
    arrays = read_inputs(table, name, recipe, types)
    series = series_of_rows(table, series_columns(recipe))
    return GivenRows(arrays, series, frames_of(table, recipe, image)).rows(slice(limit))


def _with_image_files(table: Table, recipe: Mapping[str, Any], types: Mapping[str, TensorType], folder: Path) -> Table:
    """Decode the images of rows that have paths of files.

    Args:
        table: The rows.
        recipe: How the inputs are made from raw data.
        types: The types of the inputs, by name.
        folder: The folder that paths are relative to.

    Raises:
        NnspecError: If an image cannot be read.
    """

    def load(text: object) -> bytes:
        try:
            return (folder / str(text)).read_bytes()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise DataError(f"`{str(text)[:200]}` cannot be read: {reason}") from None

    columns = [name for name in image_columns(recipe) if name in table.columns and table.columns[name].is_text]
    if not columns:
        return table
    given = {name: table.read(name, slice(None)) for name in columns}
    try:
        return decoded_rows(table, given, recipe, columns_of(recipe, types), load, table.where, _MAX_PIXELS)
    except DataError as error:
        raise NnspecError(error.message + (f"\n  = help: {error.help}" if error.help else "")) from None


def _texts(texts: Sequence[str], recipe: Mapping[str, Any], types: Mapping[str, TensorType]) -> Texts:
    """A table of texts, for a model whose only input is a text.

    Raises:
        NnspecError: If it has another input.
    """
    feeds = [feed_of(name, recipe, "the texts")[0] for name in types]
    if len(feeds) != 1 or len(feeds[0].columns) != 1 or not any(step.takes_text for step in feeds[0].transforms):
        help = "name a file with its columns, `--data FILE`; in Python, pass a DataFrame or arrays"
        raise NnspecError(f"texts are given, and the model takes {listed(types)}\n  = help: {help}")
    return Texts(feeds[0].columns[0], texts)
