"""What an exported file says of its answers, for whoever has the file alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict

from nnspec.onnx_backend.metadata import ANSWERS, CLASSES, SPELLINGS, UNITS
from nnspec.runtime.spelling import Spelling, spellings_of
from nnspec.training import Run
from nnspec.training.evaluation.evaluate import answers_of, units_of_run

__all__ = ["spellings_of_run", "told_of_answers"]


def told_of_answers(run: Run, shown: Mapping[str, str], inputs: Mapping[str, str] | None = None) -> dict[str, str]:
    """The metadata that name the classes of some outputs of a run, and say how those are to be read.

    Args:
        run: The run.
        shown: What the file calls each of these outputs.
        inputs: What the file calls each input of the document that it has; None: as the document does.
    """
    classes = {shown[name]: [str(each) for each in classes] for name, classes in run.classes().items() if name in shown}
    answers = {shown[name]: asdict(answer) for name, answer in answers_of(run).items() if name in shown}
    told = {CLASSES: json.dumps(classes), ANSWERS: json.dumps(answers)}
    units = {shown[name]: own.as_json() for name, own in units_of_run(run).items() if name in shown and own.labels}
    told |= {UNITS: json.dumps(units)} if units else {}
    spelled = {}
    for name, spelling in spellings_of_run(run).items():
        text = spelling.input if inputs is None else inputs.get(spelling.input)
        if name in shown and text is not None:
            spelled[shown[name]] = {**asdict(spelling), "input": text}
    return {**told, SPELLINGS: json.dumps(spelled)} if spelled else told


def spellings_of_run(run: Run) -> dict[str, Spelling]:
    """What the tokens mean that outputs of a run's main network say at each position of an input."""
    if "main" not in run.model.networks:
        return {}
    return spellings_of(run.model.main, run.recipe(), run.targets())
