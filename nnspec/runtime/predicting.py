"""``predict``: a run's or an exported model's answers to data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data.recipe import open_data, read_inputs
from nnspec.runtime.predictor import Predictor
from nnspec.types import TensorType, symbol, unknown

__all__ = ["Predictions", "predict_file", "predict_run"]


@dataclass(frozen=True)
class Predictions:
    """Answers to rows of data.

    Attributes:
        outputs: An array for each output, the rows first.
        classes: The names of the classes of each output that has them.
    """

    outputs: Mapping[str, NDArray[Any]]
    classes: Mapping[str, list[Any]]

    def __len__(self) -> int:
        return len(next(iter(self.outputs.values()), ()))

    def rows(self, limit: int | None = None) -> Iterator[dict[str, Any]]:
        """Each row as plain values: the outputs and, for class probabilities or logits, the class and how sure."""
        for row in islice(range(len(self)), limit):
            answer: dict[str, Any] = {"row": row}
            for name, values in self.outputs.items():
                value = values[row]
                if value.ndim == 1 and len(value) > 1:
                    best = int(value.argmax())
                    names = self.classes.get(name)
                    answer[f"{name}_class"] = names[best] if names and best < len(names) else best
                answer[name] = value.tolist()
            yield answer


def predict_file(path: str | Path, data: str, *, limit: int | None = None) -> Predictions:
    """An exported model's answers, by ONNX Runtime alone.

    Args:
        path: The ONNX file.
        data: The data, as [`open_data`][nnspec.data.recipe.open_data] takes them; raw, as before training.
        limit: The most rows that are answered.

    Raises:
        NnspecError: Where the file is no model, or the data do not fit it.
    """
    predictor = Predictor(path)
    types = {
        name: TensorType(tuple(_size(size) for size in port.shape[1:]), port.dtype) for name, port in predictor.inputs.items()
    }
    arrays = _limited(_read(data, predictor.recipe, types), limit)
    return Predictions(predictor.predict(arrays), predictor.classes)


def predict_run(path: str | Path, data: str | None = None, *, limit: int | None = None) -> Predictions:
    """A run's answers, by Keras with its best weights.

    Args:
        path: The run folder.
        data: The data; by default the test data of the spec, or its validation part.
        limit: The most rows that are answered.

    Raises:
        NnspecError: Where the run is damaged, or the data do not fit it.
    """
    from nnspec.training import Run
    from nnspec.training.evaluation import examples_of, trained_model

    run = Run.open(path)
    graph = run.model.main
    if data is None:
        _, examples = examples_of(run)
        arrays = dict(examples.batch(slice(0, limit)).inputs)
    else:
        arrays = _limited(_read(data, run.recipe(), graph.inputs), limit)
    answers = trained_model(run).predict(arrays, verbose=0)
    return Predictions({name: np.asarray(values) for name, values in answers.items()}, run.classes())


def _read(data: str, recipe: Mapping[str, Any], types: Mapping[str, TensorType]) -> dict[str, NDArray[Any]]:
    table, name = open_data(data)
    return read_inputs(table, name, recipe, types)


def _limited(arrays: Mapping[str, NDArray[Any]], limit: int | None) -> dict[str, NDArray[Any]]:
    return {name: array[:limit] for name, array in arrays.items()}


def _size(size: int | str | None) -> Any:
    if isinstance(size, int):
        return size
    return symbol(size) if size and size.isidentifier() else unknown()
