"""The metadata of an exported model about its outputs: classes, interpretation, units and vocabularies."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from nnspec.data.readers.base import Table
from nnspec.data.recipe import Recipe
from nnspec.generation.vocabulary import tokenizer_among, tokenizer_of
from nnspec.graph import Graph
from nnspec.graph.detections import detections_of
from nnspec.runtime.detections import Detector
from nnspec.runtime.metadata import ANSWERS, CLASSES, DETECTIONS, TOKEN_OUTPUTS, UNITS
from nnspec.runtime.token_output import TokenOutput
from nnspec.training import Run
from nnspec.training.evaluation.evaluate import annotated_classes, answers_of, target_kinds_of, units_of_run

_IMAGE_AXES = 3


def output_metadata(
    run: Run, graph: Graph, shown: Mapping[str, str], inputs: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Build the metadata of the outputs of a run.

    Args:
        run: The run.
        graph: The exported network.
        shown: The file's name of each output of the document that it has.
        inputs: The file's name of each input of the document that it has; None if it has all of them, unchanged.
    """
    names = class_names_of_run(run, graph)
    classes = {shown[name]: [str(each) for each in classes] for name, classes in names.items() if name in shown}
    answers = {shown[name]: asdict(answer) for name, answer in answers_of(run).items() if name in shown}
    metadata = {CLASSES: json.dumps(classes), ANSWERS: json.dumps(answers)}
    if units := {shown[name]: own.as_json() for name, own in units_of_run(run).items() if name in shown and own.labels}:
        metadata[UNITS] = json.dumps(units)
    tokens = {}
    for name, token_output in token_outputs_of_run(run).items():
        if name not in shown:
            continue
        text = token_output.input
        if text is not None and inputs is not None:
            text = inputs.get(text)
        if text is not None or token_output.input is None:
            tokens[shown[name]] = {**asdict(token_output), "input": text}
    if tokens:
        metadata[TOKEN_OUTPUTS] = json.dumps(tokens)
    if (detector := detector_of(graph)) is not None:
        metadata[DETECTIONS] = json.dumps(detector.as_json())
    return metadata


def detector_of(graph: Graph) -> Detector | None:
    """The outputs of a network that are detections; None if it is no detector."""
    found = detections_of(graph)
    if found is None:
        return None
    images = [name for name, type_ in graph.inputs.items() if type_.rank == _IMAGE_AXES]
    return Detector(found.boxes, found.scores, found.classes, images[0] if len(images) == 1 else None, found.more)


def class_names_of_run(run: Run, graph: Graph) -> dict[str, list[Any]]:
    """The class names of each output of a run's network that has them: of detections, those of the annotated boxes.

    Args:
        run: The run.
        graph: The network.
    """
    names = run.classes()
    found = detections_of(graph)
    if found is None or found.classes in names:
        return names
    own = annotated_classes(run)
    return names if own is None else {**names, found.classes: own}


def token_outputs_of_run(run: Run) -> dict[str, TokenOutput]:
    """The outputs of tokens of a run's main network, by their scores.

    They are scores at each position of the one text that has them, or of label sequences without alignment.
    """
    if "main" not in run.model.networks:
        return {}
    graph, recipe, targets = run.model.main, run.recipe(), run.targets()
    kinds = target_kinds_of(run)
    found = {}
    for name, type_ in graph.output_types.items():
        tokenizer = tokenizer_among(targets.get(name, []))
        texts = [
            input_
            for input_, given in graph.inputs.items()
            if given.is_integer and given.shape == type_.shape[:1] and tokenizer_of(recipe, input_) is not None
        ]
        if tokenizer is None or type_.rank != 2:
            continue
        if kinds.get(name) == "sequence":
            found[name] = TokenOutput(tokenizer[0].by, tokenizer[1]["vocabulary"], None, tokenizer[1].get("tokenizer"))
        elif len(texts) == 1:
            found[name] = TokenOutput(tokenizer[0].by, tokenizer[1]["vocabulary"], texts[0], tokenizer[1].get("tokenizer"))
    return found


def with_white_levels(recipe: Recipe, table: Table) -> Recipe:
    """Add the white level of image inputs to a recipe, under ``white``: 255, or 1 if pixels are fractions.

    Args:
        recipe: The recipe of a run's inputs.
        table: Some rows of its data.
    """
    inputs = {}
    for name, entry in recipe.get("inputs", {}).items():
        white = _white(table, entry)
        inputs[name] = entry if white is None else {**entry, "white": white}
    return {**recipe, "inputs": inputs} if inputs else recipe


def _white(table: Table, entry: Mapping[str, Any]) -> int | None:
    if len(entry["columns"]) != 1 or entry["columns"][0] not in table.columns:
        return None
    column = table.columns[entry["columns"][0]]
    if (
        column.is_text
        or column.ragged
        or len(column.shape) not in (2, 3)
        or (len(column.shape) == 3 and column.shape[-1] not in (1, 3, 4))
    ):
        return None
    if column.dtype == "uint8":
        return 255
    values = table.read(entry["columns"][0], slice(None))
    low, high = (float(values.min()), float(values.max())) if np.size(values) else (0.0, 0.0)
    # Other values are not an image, or one whose white level is unknown.
    return None if low < 0 or high > 255 else 1 if high <= 1 else 255
