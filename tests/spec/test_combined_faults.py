"""Several faults in one document: each is reported with the code and at the place that it has alone, and nothing else is."""

from __future__ import annotations

import random

import pytest

from benchmarks.combined_faults import Validator, combined
from nnspec.api import validate
from nnspec.spec import read_text
from nnspec.spec.tree import MappingNode, SequenceNode
from tests.conftest import CORPUS

HEAD = "nnspec: 1\nname: net\n"


@pytest.fixture(scope="module")
def validator(tmp_path_factory):
    return Validator(tmp_path_factory.mktemp("combined"))


@pytest.mark.parametrize(("how", "least"), [("networks", 0.95), ("edits", 0.92), ("sections", 0.97)])
def test_nearly_every_fault_is_reported_beside_others_as_it_is_alone(validator, how, least):
    cases = [case for case in combined(validator, seed=11, most=60) if case.how == how]
    found = {case: validator.found(case.text, warnings=how == "networks") for case in cases}
    complete = sum(not case.missing(found[case]) for case in cases)
    assert complete >= least * len(cases)
    # What is reported beside them would only follow from one of them.
    assert [(case.names, case.unexpected(found[case])) for case in cases if case.unexpected(found[case])] == []


def _scalars(tree):
    if isinstance(tree, MappingNode):
        for _, value in tree.items():
            yield from _scalars(value)
    elif isinstance(tree, SequenceNode):
        for value in tree.items:
            yield from _scalars(value)
    else:
        yield tree


@pytest.mark.parametrize("file", sorted(CORPUS.glob("*.yaml")), ids=lambda file: file.name)
def test_one_value_that_is_unknown_makes_one_error_wherever_it_stands(write, file):
    text = file.read_text(encoding="utf-8")
    places = [
        scalar
        for scalar in _scalars(read_text(text, "net", []))
        if scalar.value is not None
        and scalar.span.line == scalar.span.end_line
        and scalar.path not in ("nnspec", "name", "description")
    ]
    for scalar in random.Random(5).sample(places, min(8, len(places))):
        lines = text.split("\n")
        line, span = lines[scalar.span.line - 1], scalar.span
        lines[span.line - 1] = f"{line[: span.column - 1]}$unknown{line[span.end_column - 1 :]}"
        found = [d for d in validate(write("\n".join(lines))) if d.is_error]
        # An operation's name is no expression.
        assert {d.code for d in found} in ({"NN121"}, {"NN204"}), (scalar.path, [d.message for d in found])


def reported(write, text):
    return [(d.code, d.span.line) for d in validate(write(text)) if d.is_error]


DIGITS = """params: {width: 8}
inputs: {image: [8, 8, 1]}
layers:
  - Conv2D: {filters: $width, kernel_size: 3, padding: same}
  - Flatten
  - Dense: {units: 10, activation: softmax}
    name: digit
data: {train: {builtin: digits}, validation: 0.1}
train: {epochs: 1, loss: SparseCategoricalCrossentropy}
export: {opset: 23}
budget: {parameters: 100_000}
"""


def test_a_misspelt_param_hides_neither_a_wrong_padding_nor_the_data_section(write):
    text = DIGITS.replace("$width", "$widht").replace("same", "smae").replace("validation", "validaton")
    assert reported(write, HEAD + text) == [("NN121", 6), ("NN105", 6), ("NN103", 10)]


def test_a_fault_in_each_section_is_reported(write):
    text = (
        DIGITS.replace("units: 10", "units: ten")
        .replace("builtin: digits", "builtin: digit")
        .replace("epochs: 1", "epochs: 1, optimizer: Adm, freeze: [digti]")
        .replace("opset: 23", "opset: 3")
        .replace("100_000", "-1")
    )
    assert reported(write, HEAD + text) == [
        ("NN105", 8),
        ("NN105", 10),
        ("NN109", 11),
        ("NN517", 11),
        ("NN105", 12),
        ("NN105", 13),
    ]


def test_faults_that_need_the_graph_are_reported_where_another_part_of_it_is_broken(write):
    text = DIGITS.replace("filters: $width", "filters: -2, kernel_initializer: HeNormall").replace(
        "validation: 0.1", "validation: 0.1, inputs: {image: pixels}, targets: {digits: target}"
    )
    text = text.replace("epochs: 1", "epochs: 1, metrics: [CategoricalAccuracy], early_stopping: {monitor: val_los}")
    found = reported(write, HEAD + text)
    assert ("NN105", 6) in found and ("NN109", 6) in found
    assert {code for code, line in found if line == 10} == {"NN404", "NN406"}
    assert {code for code, line in found if line == 11} == {"NN506", "NN508"}


def test_a_param_without_a_value_makes_no_second_error_where_it_is_used(write):
    text = "params: {width: '${2 +}', twice: '${2 * width}'}\ninputs: {x: [4]}\nlayers:\n  - Dense: {units: $twice, activation: rellu}\n"
    text += "    name: d${width}\n  - Dense: {units: 2}\n    from: d8\n"
    assert reported(write, HEAD + text) == [("NN120", 3), ("NN105", 6)]


def test_a_wrong_argument_of_a_block_is_unknown_in_the_block_and_its_other_faults_are_reported(write):
    text = (
        "blocks:\n  unit:\n    params: {units: int, rate: 0.5}\n    layers:\n      - Dense: {units: $units, activaton: relu}\n"
        "      - Dropout: {rate: $rate}\ninputs: {x: [4]}\nlayers:\n  - unit: {units: many, rate: 7}\n"
    )
    assert reported(write, HEAD + text) == [("NN103", 7), ("NN105", 8), ("NN105", 11)]


def test_the_arguments_of_a_misspelt_layer_are_checked_as_those_of_the_layer_that_was_meant(write):
    text = "inputs: {x: [8, 8, 1]}\nlayers:\n  - Conv2d: {filters: 4, kernel_size: 3, padding: smae}\n  - Conv2D: {filters: 2, kernel_size: 0}\n"
    assert reported(write, HEAD + text) == [("NN204", 5), ("NN105", 5), ("NN105", 6)]


def test_steps_below_a_misspelt_layer_find_it_by_its_name(write):
    text = "inputs: {x: [4]}\nlayers:\n  - Densee: {units: 4}\n  - Dense: {units: 4}\n    from: dense\n    name: second\n"
    assert reported(write, HEAD + text + "outputs: [second]\n") == [("NN204", 5)]


def test_what_reads_a_step_whose_name_is_unknown_is_not_an_error_of_its_own(write):
    text = (
        "inputs: {x: [4]}\nlayers:\n  - Dense: {units: 4}\n    name: 'first${numbr}'\n  - Dense: {units: 2}\n    from: first1\n"
    )
    assert reported(write, HEAD + text) == [("NN121", 6)]


def test_both_uses_of_a_broken_network_are_quiet_and_the_layers_around_are_not(write):
    text = (
        "networks:\n  tower: {inputs: {x: [4]}, layers: [{Dense: {units: -4}}]}\ninputs: {a: [4], b: [4]}\nlayers:\n"
        "  - tower:\n    name: one\n    from: a\n  - tower:\n    name: two\n    from: b\n  - Add:\n    from: [one, two]\n"
        "  - Dense: {units: 3, activation: rellu}\n    from: c\n"
    )
    assert reported(write, HEAD + text) == [("NN105", 4), ("NN105", 15), ("NN221", 16)]
