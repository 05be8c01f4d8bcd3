"""``predict``: a run's or an exported model's answers to data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data.kinds import Answer
from nnspec.data.per_series import RowSeries, series_of_rows
from nnspec.data.recipe import open_data, read_inputs, series_columns
from nnspec.data.units import in_units
from nnspec.diagnostics import NnspecError
from nnspec.graph import Graph
from nnspec.runtime.ports import type_of
from nnspec.runtime.predictor import Predictor
from nnspec.runtime.spelling import texts_of
from nnspec.runtime.tiled import Tiling
from nnspec.types import TensorType

__all__ = ["Predictions", "input_types", "predict_file", "predict_run", "predictions_of"]


@dataclass(frozen=True)
class Predictions:
    """Answers to rows of data.

    Attributes:
        outputs: An array for each output, the rows first; numbers are in the units of the data.
        classes: The names of the classes of each output that has them.
        answers: How the values of each output are to be read, where that is known.
        tiling: How the pictures were cut into tiles; None where they were answered whole.
        texts: The texts of each output that spells them.
    """

    outputs: Mapping[str, NDArray[Any]]
    classes: Mapping[str, list[Any]]
    answers: Mapping[str, Answer] = field(default_factory=dict)
    tiling: Tiling | None = None
    texts: Mapping[str, list[str]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(next(iter(self.outputs.values()), ()))

    def rows(self, limit: int | None = None) -> Iterator[dict[str, Any]]:
        """Each row as plain values: the outputs and, of one that says a class, which; of one that spells a text, that."""
        for row in islice(range(len(self)), limit):
            answer: dict[str, Any] = {"row": row}
            for name, values in self.outputs.items():
                value = values[row]
                said = self._said(name, value)
                if said is not None:
                    names = self.classes.get(name)
                    answer[f"{name}_class"] = names[said] if names and said < len(names) else said
                if name in self.texts:
                    answer[f"{name}_text"] = self.texts[name][row]
                answer[name] = value.tolist()
            yield answer

    def _said(self, name: str, value: NDArray[Any]) -> int | None:
        """The number of the class that an output's values for a row say; None where they say none, or more than one."""
        answer = self.answers.get(name, Answer("class"))
        if answer.kind == "class":
            return int(value.argmax()) if value.ndim == 1 and len(value) > 1 else None
        return int(value.item() > answer.above) if answer.kind == "yes_or_no" and value.size == 1 else None


def predict_file(
    path: str | Path, data: str, *, limit: int | None = None, tile: int | None = None, overlap: int | None = None
) -> Predictions:
    """An exported model's answers, by ONNX Runtime alone.

    Args:
        path: The ONNX file.
        data: The data, as [`open_data`][nnspec.data.recipe.open_data] takes them; raw, as before training.
        limit: The most rows that are answered.
        tile: How large the tiles are that pictures are cut into; None: they are answered whole.
        overlap: How much two tiles share; by default as much as makes the answers those to the whole picture.

    Raises:
        NnspecError: Where the file is no model, or the data do not fit it.
    """
    predictor = Predictor(path)
    tiling = None if tile is None else Tiling(predictor, tile, overlap)
    arrays, series = _read(data, predictor.recipe, input_types(predictor), limit)
    answer = predictor.predict if tiling is None else tiling.predict
    return predictions_of(predictor, arrays, answer(arrays), tiling, series)


def predictions_of(
    predictor: Predictor,
    inputs: Mapping[str, NDArray[Any]],
    outputs: Mapping[str, NDArray[Any]],
    tiling: Tiling | None = None,
    series: RowSeries | None = None,
) -> Predictions:
    """What an exported model's outputs say, in the words and units of its data: what `predict` shows and the server answers.

    Args:
        predictor: The model.
        inputs: What it was given.
        outputs: What came out.
        tiling: How the images were cut, if they were.
        series: The series of each row, if the units differ between series.
    """
    outputs = in_units(outputs, predictor.units, series)
    texts = texts_of(outputs, inputs, predictor.spellings)
    return Predictions(outputs, predictor.classes, predictor.answers, tiling, texts)


def input_types(predictor: Predictor) -> dict[str, TensorType]:
    """What an exported model takes, by name."""
    return {name: type_of(port) for name, port in predictor.inputs.items()}


def predict_run(path: str | Path, data: str | None = None, *, limit: int | None = None) -> Predictions:
    """A run's answers, by Keras with its best weights.

    Args:
        path: The run folder.
        data: The data; by default the test data of the spec, or its validation part.
        limit: The most rows that are answered.

    Raises:
        NnspecError: Where the run is damaged, or the data do not fit it.
    """
    from nnspec.runtime.told_of_answers import spellings_of_run
    from nnspec.training import Run
    from nnspec.training.evaluation.evaluate import answers_of, examples_of, trained_model, units_of_run

    run = Run.open(path)
    graph = run.main
    if data is None:
        _, examples = examples_of(run)
        examples = examples.only(slice(0, limit))
        arrays, series = dict(examples.batch(slice(None)).inputs), examples.own_series
    else:
        arrays, series = _read(data, run.recipe(), graph.inputs, limit)
        _refuse_sizes(graph, arrays)
    answers = trained_model(run).predict(arrays, verbose=0)
    outputs = in_units({name: np.asarray(values) for name, values in answers.items()}, units_of_run(run), series)
    texts = texts_of(outputs, arrays, spellings_of_run(run))
    return Predictions(outputs, run.classes(), answers_of(run), texts=texts)


def _refuse_sizes(graph: Graph, arrays: Mapping[str, NDArray[Any]]) -> None:
    sizes = {
        str(size): found
        for name, type_ in graph.inputs.items()
        for size, found in zip(type_.shape, arrays[name].shape[1:], strict=True)
    }
    wrong = graph.conditions.refusal(sizes)
    if wrong:
        raise NnspecError(wrong)


def _read(
    data: str, recipe: Mapping[str, Any], types: Mapping[str, TensorType], limit: int | None
) -> tuple[dict[str, NDArray[Any]], RowSeries | None]:
    """The inputs of some rows of data, and the series of each."""
    table, name = open_data(data, recipe, types)
    arrays = read_inputs(table, name, recipe, types)
    series = series_of_rows(table, series_columns(recipe))
    if series is not None:
        series = RowSeries(series.numbers[:limit], series.labels)
    return {name: array[:limit] for name, array in arrays.items()}, series
