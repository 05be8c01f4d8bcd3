"""`Compute` in specs: with blocks, networks, repeats, nested layers, shared layers, params."""

from __future__ import annotations

import pytest

from nnspec.types import size_text
from tests.functions.specs import SPECS

HEAD = "nnspec: 1\nname: net\n"


def _shown(type_) -> str:
    return f"({', '.join(map(size_text, type_.shape))}) {type_.dtype}"


@pytest.mark.parametrize("name", SPECS)
def test_a_spec_with_expressions_has_outputs_of_these_types(checked, name):
    text, outputs = SPECS[name]
    model, problems = checked(HEAD + text)
    assert [problem.message for problem in problems if problem.code not in ("NN122", "NN232")] == []
    assert {name: _shown(type_) for name, type_ in model.networks["main"].output_types.items()} == outputs


def test_a_param_that_only_an_expression_of_a_block_uses_is_used(checked):
    block = "blocks:\n  unit:\n    params: {beta: 1.0}\n    layers:\n      - Compute: x * beta\n"
    _, problems = checked(f"{HEAD}{block}inputs: {{x: [4]}}\nlayers:\n  - unit: {{beta: 2}}\n")
    assert problems == []


@pytest.mark.parametrize(("condition", "size"), [("kind == 'mean'", 1), ("kind != 'mean'", 8), ("other == null", 1)])
def test_string_params_can_be_compared(checked, condition, size):
    step = f"  - Compute: mean(x, axis=2, keepdims=true) if {condition} else x\n"
    model, problems = checked(f"{HEAD}params: {{kind: mean, other: null}}\ninputs: {{x: [T, 8]}}\nlayers:\n{step}")
    assert not any(problem.is_error for problem in problems)
    assert model.networks["main"].nodes["compute"].output.shape[1] == size


def test_compute_as_an_argument_of_a_layer_is_an_error_that_says_where_it_belongs(checked):
    _, problems = checked(HEAD + "inputs: {x: [T, 8]}\nlayers:\n  - TimeDistributed: {layer: {Compute: x + 1}}\n")
    [found] = [problem for problem in problems if problem.is_error]
    assert (found.code, found.span.column) == ("NN105", 31)
    assert "as a step of its own" in found.help


def test_a_repeated_compute_reads_the_step_before(checked):
    step = "  - Compute: x * 0.5 ** i\n    repeat: 3\n    as: i\n"
    model, problems = checked(f"{HEAD}inputs: {{y: [8]}}\nlayers:\n{step}")
    assert problems == []
    read = [str(ref) for node in model.networks["main"].nodes.values() for ref in node.inputs.values()]
    assert read == ["y", "compute/0", "compute/1"]
    [found] = checked(f"{HEAD}inputs: {{x: [8]}}\nlayers:\n{step}")[1]
    assert found.help == "rename the input `x`: in a repeated step, `x` is the repetition before"


@pytest.mark.parametrize("text", ["x / (x.shape[1] - 1)", "x * (7 // (x.shape[1] - 1))", "x * (7 % (x.shape[1] // 2))"])
def test_a_size_that_divides_is_at_least_1(checked, text):
    model, problems = checked(f"{HEAD}inputs: {{x: [T]}}\nlayers:\n  - Compute: {text}\n")
    assert problems == []
    assert model.networks["main"].conditions.texts() == ["T must be at least 2"]


@pytest.mark.parametrize(
    ("inputs", "text", "conditions"),
    [
        ("[T]", "x * x.shape[1] ** 9", ["T must be at most 10"]),
        ("[T]", "x / (x.shape[1] ** 2)", ["T must be at most 46340"]),
        ("[T]", "x * (x.shape[1] * 1000 - 5)", ["T must be at most 2147483"]),
        ("[T, S]", "x / (x.shape[1] * x.shape[2])", []),
        ("[T]", "x / (100 * x.shape[1])", []),
        ("[T]", "x * cast(x.shape[1], 'float32') ** 9", []),
        ("[300]", "x * x.shape[1] ** 5", []),
    ],
)
def test_a_size_that_can_exceed_32_bits_is_a_condition(checked, inputs, text, conditions):
    model, problems = checked(f"{HEAD}inputs: {{x: {inputs}}}\nlayers:\n  - Compute: {text}\n")
    assert problems == []
    assert model.networks["main"].conditions.texts() == conditions


def test_the_help_for_a_name_with_two_meanings_names_all_tensors_and_is_valid(checked):
    text = f"{HEAD}inputs: {{x: [4], q: [4]}}\nlayers:\n  - Dense: 4\n    from: x\n  - Compute: x * q\n"
    [found] = [problem for problem in checked(text)[1] if problem.is_error]
    step, both = "from: {x: dense, q: q}", "from: {x: x, q: q}"
    assert found.help == f"write `{step}` below `Compute` for the step before, `dense`, or `{both}` for the input `x`"
    for fix in (step, both):
        assert not any(problem.is_error for problem in checked(f"{text}    {fix}\n")[1])
