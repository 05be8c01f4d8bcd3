"""The metadata of an exported model about its outputs: classes, interpretation, units and vocabularies."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict

from nnspec.generation.vocabulary import tokenizer_among, tokenizer_of
from nnspec.runtime.metadata import ANSWERS, CLASSES, TOKEN_OUTPUTS, UNITS
from nnspec.runtime.token_output import TokenOutput
from nnspec.training import Run
from nnspec.training.evaluation.evaluate import answers_of, units_of_run


def output_metadata(run: Run, shown: Mapping[str, str], inputs: Mapping[str, str] | None = None) -> dict[str, str]:
    """Build the metadata of the outputs of a run.

    Args:
        run: The run.
        shown: The file's name of each output of the document that it has.
        inputs: The file's name of each input of the document that it has; None if it has all of them, unchanged.
    """
    classes = {shown[name]: [str(each) for each in classes] for name, classes in run.classes().items() if name in shown}
    answers = {shown[name]: asdict(answer) for name, answer in answers_of(run).items() if name in shown}
    metadata = {CLASSES: json.dumps(classes), ANSWERS: json.dumps(answers)}
    if units := {shown[name]: own.as_json() for name, own in units_of_run(run).items() if name in shown and own.labels}:
        metadata[UNITS] = json.dumps(units)
    tokens = {}
    for name, token_output in token_outputs_of_run(run).items():
        text = token_output.input if inputs is None else inputs.get(token_output.input)
        if name in shown and text is not None:
            tokens[shown[name]] = {**asdict(token_output), "input": text}
    if tokens:
        metadata[TOKEN_OUTPUTS] = json.dumps(tokens)
    return metadata


def token_outputs_of_run(run: Run) -> dict[str, TokenOutput]:
    """The outputs of tokens of a run's main network: scores of the tokens at each position of the one text that has them."""
    if "main" not in run.model.networks:
        return {}
    graph, recipe, targets = run.model.main, run.recipe(), run.targets()
    found = {}
    for name, type_ in graph.output_types.items():
        tokenizer = tokenizer_among(targets.get(name, []))
        texts = [
            input_
            for input_, given in graph.inputs.items()
            if given.is_integer and given.shape == type_.shape[:1] and tokenizer_of(recipe, input_) is not None
        ]
        if tokenizer is not None and type_.rank == 2 and len(texts) == 1:
            found[name] = TokenOutput(tokenizer[0].by, tokenizer[1]["vocabulary"], texts[0])
    return found
