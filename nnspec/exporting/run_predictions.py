"""Predictions of a run on data, by Keras with its best weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data.reader_arguments import of_one_member
from nnspec.data.recipe import Recipe
from nnspec.data.units import in_units
from nnspec.diagnostics import NnspecError
from nnspec.exporting.connections import IOMapping
from nnspec.exporting.neighbors import index_of_run
from nnspec.exporting.output_metadata import class_names_of_run, detector_of, token_outputs_of_run
from nnspec.exporting.runs import exported_network
from nnspec.graph import Graph
from nnspec.runtime.detections import frames_of
from nnspec.runtime.predicting import GivenRows, Predictions, read_rows, require_limits_of_detector
from nnspec.runtime.token_output import texts_of
from nnspec.training import Run
from nnspec.training.evaluation.evaluate import answers_of, examples_of, raw_rows, trained_model, units_of_run
from nnspec.types import listed


def predict_run(
    path: Run | str | Path,
    data: Any = None,
    *,
    limit: int | None = None,
    neighbors: int | None = None,
    among: str | None = None,
    score: float | None = None,
    top: int | None = None,
) -> Predictions:
    """Predict with a run.

    Args:
        path: The run, or its folder.
        data: The data as for ``--data``; a DataFrame, or a dict of arrays by column; or texts; by default the test
            split of the spec's data, or its validation split.
        limit: The most rows to predict.
        neighbors: The number of neighbors to find with the exported network; None for none.
        among: The data in which they are found; by default those of the section ``neighbors``, else the training data.
        score: The least score of the objects of a detector.
        top: The most objects of an image, best first.

    Raises:
        NnspecError: If the run is damaged, or the data do not match it.
    """
    run = Run.of(path)
    graph, mapping, index = run.main if run.spec.program is None else None, None, None
    if graph is None or neighbors is not None:
        graph, mapping, section = exported_network(run)
        index = None if neighbors is None else index_of_run(run, section, among=among, count=neighbors)
    recipe = run.recipe() if mapping is None else mapping.recipe(run.recipe())
    detector = detector_of(graph)
    require_limits_of_detector(detector, f"{run.path}", score, top)
    image = None if detector is None else detector.image
    if data is None:
        given = _own_rows(run, recipe, limit, image)
        if mapping is not None:
            given = replace(given, arrays=_of_network(run, graph, mapping, given.arrays))
    else:
        given = read_rows(data, of_one_member(recipe), graph.inputs, limit, image=image)
        _check_sizes(graph, given.arrays)
    arrays, series = dict(given.arrays), given.series
    answers = trained_model(run, graph).predict(arrays, verbose=0)
    outputs = in_units({name: np.asarray(values) for name, values in answers.items()}, units_of_run(run), series)
    texts = texts_of(outputs, arrays, token_outputs_of_run(run))
    found = None if index is None else index.nearest(outputs[index.search.output])
    classes = class_names_of_run(run, graph)
    predictions = Predictions(outputs, classes, answers_of(run), texts=texts, neighbors=found)
    if detector is None:
        return predictions
    objects = detector.found(arrays, outputs, classes.get(detector.classes), given.frames).limited(score, top)
    return replace(predictions, detections=objects, parts=detector.outputs)


def _own_rows(run: Run, recipe: Recipe, limit: int | None, image: str | None) -> GivenRows:
    """Rows of the data of a run, and the places of their images as stored."""
    if image is None:
        _, examples = examples_of(run)
        examples = examples.only(slice(0, limit))
        return GivenRows(dict(examples.batch(slice(None)).inputs), examples.own_series)
    table, arrays = raw_rows(run, limit=limit)
    return GivenRows(arrays, None, frames_of(table, recipe, image))


def _of_network(run: Run, graph: Graph, mapping: IOMapping, fields: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The inputs of a network of a program.

    Raises:
        NnspecError: If the fields of the data do not feed all of them.
    """
    [arrays] = mapping.golden(fields) or [{}]
    if not arrays:
        missing = [name for name in graph.inputs if name not in mapping.fields or name in mapping.adapted]
        help = f"pass `--data` with the columns of {listed(graph.inputs)}"
        raise NnspecError(
            f"the data of {run.path} have no values for {listed(missing)} of the network `{graph.name}`\n  = help: {help}"
        )
    return arrays


def _check_sizes(graph: Graph, arrays: Mapping[str, NDArray[Any]]) -> None:
    sizes = {
        str(size): found
        for name, type_ in graph.inputs.items()
        for size, found in zip(type_.shape, arrays[name].shape[1:], strict=True)
    }
    wrong = graph.conditions.refusal(sizes)
    if wrong:
        raise NnspecError(wrong)
