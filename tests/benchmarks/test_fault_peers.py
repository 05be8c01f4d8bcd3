"""The mistakes given to peers are the mistakes of the specs, and are judged by what was reported."""

from __future__ import annotations

import difflib

import pytest
import yaml

from benchmarks.fault_peers.keras_mistakes import keras_mistakes
from benchmarks.fault_peers.keras_source import source
from benchmarks.fault_peers.ludwig_rules import CONFIGS, ludwig_mistakes
from benchmarks.fault_peers.mistakes import MEASURES, Answer, Mistake, judged
from benchmarks.spec_faults import faults
from nnspec.graph import compile
from nnspec.spec import load
from tests.conftest import CORPUS

MISTAKE = Mistake("k", "a\nb: 1", "a\nc: 1", 2, 1, ("c",), r"(?<!\w)b(?!\w)")
PEEPHOLES = {"forecaster"}  # Keras has none: its LSTM has fewer weights


@pytest.fixture(scope="module")
def injected():
    return [*faults()]


def _changed(good: str, text: str) -> set[int]:
    """The lines of a text that are not those of another."""
    matcher = difflib.SequenceMatcher(None, good.splitlines(), text.splitlines(), autojunk=False)
    return {line + 1 for tag, _, _, first, end in matcher.get_opcodes() if tag != "equal" for line in range(first, end)}


def test_a_fault_is_one_edit_at_its_line(injected):
    for fault in injected:
        assert _changed(fault.good, fault.text) <= {fault.line}
        assert fault.good != fault.text


def test_a_mistake_in_keras_is_one_edit_at_its_line_that_names_it(injected):
    reported = [mistake for _, mistake in keras_mistakes(injected)]
    assert len(reported) > len(injected) / 3  # not every spec of the gallery can be written in Keras
    for mistake in reported:
        assert _changed(mistake.good, mistake.text) == {mistake.line}, mistake
        line = mistake.text.splitlines()[mistake.line - 1]
        assert mistake.kind == "a needed argument left out" or mistake.tokens[0] in line, mistake


def test_a_mistake_in_ludwig_is_one_edit_at_its_line(injected):
    kinds = {fault.kind for fault in injected}
    for mistake in ludwig_mistakes():
        assert mistake.kind in kinds
        assert _changed(mistake.good, mistake.text) <= {mistake.line, mistake.line + 1}, mistake


@pytest.mark.parametrize("file", sorted(CONFIGS.glob("*.yaml")), ids=lambda file: file.stem)
def test_a_config_is_yaml(file):
    assert {"input_features", "output_features"} <= set(yaml.safe_load(file.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("answer", "marks"),
    [
        (Answer(None), ["all"]),
        (Answer("no such thing"), ["all", "found"]),
        (Answer("`c` is unknown", (2,)), ["all", "found", "line", "token"]),
        (Answer("cc, abc", (1,)), ["all", "found"]),
        (Answer("not that", (2,), ((2, 1, 2),)), ["all", "found", "line", "token"]),
        (Answer("not that", (1,), ((1, 1, 2),)), ["all", "found"]),
        (Answer("`c` is not one of `a`, `b`"), ["all", "found", "token", "fix"]),
    ],
)
def test_an_answer_is_judged_by_what_it_says(answer, marks):
    judgement = judged(MISTAKE, answer)
    assert tuple(judgement) == MEASURES
    assert [name for name, good in judgement.items() if good] == marks


@pytest.mark.parametrize("file", sorted(CORPUS.glob("*.yaml")), ids=lambda file: file.name.partition(".")[0])
def test_the_keras_source_is_the_net_of_the_spec(file):
    for graph in compile(load(file)).networks.values():
        code = source(graph)
        made: dict = {}
        exec("\n".join(code.lines), made)
        model = made["build"]()
        assert [tensor.name for tensor in model.inputs] == list(graph.inputs)
        assert len(model.outputs) == len(graph.outputs)
        if graph.name not in PEEPHOLES and file.name.partition(".")[0] not in PEEPHOLES:
            assert model.count_params() == graph.parameters
        assert all(name.rpartition("/")[2] in code.lines[line - 1].replace("_layer", "") for name, line in code.nodes.items())
