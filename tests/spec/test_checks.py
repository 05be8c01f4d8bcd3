"""`check`: conditions on params and sizes, in documents and in blocks."""

from __future__ import annotations

import pytest

from nnspec import inspect, validate

HEAD = "nnspec: 1\nname: net\n"
PARAMS = "params: {width: 12, heads: 4}\n"
BODY = "inputs: {x: [T, 4]}\nlayers:\n  - Dense: {units: $width}\n    name: '${'y' * 1}'\n"
BODY = "inputs: {x: [T, 4]}\nlayers:\n  - Conv1D: {filters: $width, kernel_size: 3, strides: 2}\n    name: y\n"


def errors(problems):
    return [problem for problem in problems if problem.is_error]


def check(that, message="the message"):
    return f"check:\n  - that: {that}\n    message: {message}\n"


def test_a_check_of_params_that_is_met_changes_nothing(checked):
    assert not checked(HEAD + PARAMS + check("width % heads == 0") + BODY)[1]


def test_a_check_of_params_is_decided_at_its_expression_with_its_message_and_the_values(checked):
    _, problems = checked(HEAD + PARAMS + check("width % heads == 0", "'`heads` must divide `width`'") + BODY, "params.heads=5")
    [found] = errors(problems)
    assert (found.code, found.message, found.path) == ("NN124", "`heads` must divide `width`", "check[0].that")
    assert (found.span.line, found.span.column) == (5, 11)
    assert [note.message for note in found.notes] == ["`heads` is 5 and `width` is 12"]


def test_a_check_without_a_message_shows_its_expression(checked):
    _, problems = checked(HEAD + PARAMS + "check: [{that: width < heads}]\n" + BODY)
    assert [d.message for d in errors(problems)] == ["`width < heads` is false"]


@pytest.mark.parametrize(
    "that",
    [
        "width in [1]",
        "heads +",
        "width % headz == 0",
        "8 <= width <= 512",
        "width",
        "'[width]'",
        "3",
        "[width]",
        "y.shap[1] > 3",
    ],
)
def test_what_is_no_check_is_an_error_in_the_expression(write, that):
    found = errors(validate(write(HEAD + PARAMS + check(that) + BODY)))
    assert [d.path.startswith("check[0]") and d.span.line == 5 for d in found] == [True]
    assert found[0].code in ("NN120", "NN121", "NN125", "NN105")


def test_a_chained_comparison_is_an_error_that_shows_how_to_write_it(checked):
    [found] = errors(checked(HEAD + PARAMS + check("8 <= width <= 512") + BODY)[1])
    assert (found.message, found.help) == ("comparisons cannot be chained", "write `(8 <= width) and (width <= 512)`")
    assert (found.span.column, found.span.end_column) == (11, 28)


@pytest.mark.parametrize(
    ("keys", "code", "help"),
    [
        ("that: width > 1, mesage: m", "NN103", "did you mean `message`?"),
        ("message: m", "NN104", "write `check: [{that:"),
        ("that: width > 1, message: [m]", "NN105", "quote it"),
    ],
)
def test_wrong_keys_of_a_check_are_errors(checked, keys, code, help):
    [found] = errors(checked(HEAD + PARAMS + f"check: [{{{keys}}}]\n" + BODY)[1])
    assert found.code == code
    assert help in found.help


def test_a_param_that_only_a_check_reads_is_used(write):
    text = HEAD + PARAMS + check("width > heads") + BODY
    block = "blocks:\n  b:\n    params: {n: 3}\n    check: [{that: n > 2}]\n    layers:\n      - ReLU\n"
    assert not validate(write(text.replace("inputs:", block + "inputs:") + "  - b\n"))


def test_a_param_of_a_block_that_only_a_compute_step_reads_is_used(write):
    block = "blocks:\n  b:\n    params: {n: 3}\n    layers:\n      - Residual: {layers: [{Dense: 8}, {Compute: dense * n}]}\n"
    assert not validate(write(HEAD + block + "inputs: {x: [8]}\nlayers:\n  - b\n"))


def test_a_check_can_use_an_expression_and_a_list_comprehension(checked):
    text = (
        HEAD
        + PARAMS
        + "check:\n  - that: ${width > 3 * heads}\n  - that: len([i for i in range(width) if i > 3]) == 9\n"
        + BODY
    )
    assert [d.message for d in errors(checked(text)[1])] == [
        "`${width > 3 * heads}` is false",
        "`len([i for i in range(width) if i > 3]) == 9` is false",
    ]


# --- sizes ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("that", "condition"),
    [
        ("x.shape[1] <= 512", "T must be from 3 to 512"),
        ("x.shape[1] < 512", "T must be from 3 to 511"),
        ("512 >= x.shape[1]", "T must be from 3 to 512"),
        ("x.shape[1] >= 20", "T must be at least 20"),
        ("x.shape[1] > 20", "T must be at least 21"),
        ("x.shape[1] % 32 == 0", "T must be a multiple of 32"),
        ("x.shape[1] % 32 == 5", "T must be 5 more than a multiple of 32"),
        ("x.shape[1] % 32 == 0 and x.shape[1] <= 100", "T must be 32, 64 or 96"),
        ("(x.shape[1] - 1) // 2 <= 4", "T must be from 3 to 10"),
        ("y.shape[1] <= heads", "T must be from 3 to 10"),
        ("output.shape[1] <= 4", "T must be from 3 to 10"),
        ("x.shape[-2] >= 20", "T must be at least 20"),
        ("x.shape[1] == 9", "T is 9"),
        ("heads > 3 and x.shape[1] >= 20", "T must be at least 20"),
        ("heads > 30 or x.shape[1] >= 20", "T must be at least 20"),
        ("x.shape[1] >= 20 if heads > 3 else x.shape[1] >= 30", "T must be at least 20"),
        ("x.shape[1] >= 4.0", "T must be at least 4"),
    ],
)
def test_a_check_of_a_free_size_is_a_condition(write, that, condition):
    from nnspec.graph import compile
    from nnspec.graph.describe import stated_sizes
    from nnspec.spec import load

    file = write(HEAD + PARAMS + check(that) + BODY)
    assert condition in stated_sizes(compile(load(file)).main)
    assert inspect(file)["networks"]["main"].keys() & {"conditions", "bound"}


@pytest.mark.parametrize(
    "that",
    [
        "y.shape[2] == width",
        "x.shape[2] == 4",
        "x.shape[1] + 0 == x.shape[1]",
        "len(x.shape) == 3",
        "x.shape[1] + 1 > x.shape[1]",
    ],
)
def test_a_check_that_is_always_met_is_no_condition(checked, that):
    model, problems = checked(HEAD + PARAMS + check(that) + BODY)
    assert not errors(problems)
    assert model.main.conditions.texts() == ["T must be at least 3"]


def test_a_check_of_known_sizes_is_decided_and_shows_them(checked):
    [found] = errors(checked(HEAD + PARAMS + check("y.shape[2] + x.shape[2] <= 2 * heads") + BODY)[1])
    assert (found.code, found.message) == ("NN124", "the message")
    assert [note.message for note in found.notes] == ["`heads` is 4 and `y.shape[2]` is 12 and `x.shape[2]` is 4"]


@pytest.mark.parametrize(
    ("that", "message", "start"),
    [
        ("x.shape[0] == 1", "axis 0 is the batch, whose size is not part of the model", 0),
        ("x.shape[-3] == 1", "axis 0 is the batch, whose size is not part of the model", 0),
        ("x.shape[3] == 1", "index 3 is out of range: the axes are 0, the batch, to 2", 8),
        ("z.shape[1] == 1", "`z` is not an input or output", 0),
        ("x.shape[1] != 1", "`!=` of a free size cannot be checked", 0),
        ("not x.shape[1] > 1", "`not` is not possible for a condition on free sizes", 4),
        ("x.shape[1] > 9 or x.shape[1] < 4", "`or` is not possible between two conditions on free sizes", 0),
        ("max(x.shape[1], 3) > 9", "`max` of a free size cannot be checked", 0),
        ("x.shape[1] / 2 > 9", "`/` of a free size cannot be checked here", 0),
        ("x.shape[1] % heads % x.shape[1] > 9", "`%` of a free size cannot be checked here", 0),
        ("x.shape[1] >= 4.5", "a free size is compared with an integer or another size only", 0),
        ("x.shape[1]", "a check must be true or false, not a number or a size", 0),
        ("x.dtype == 1", "a check reads only the shapes of inputs and outputs", 0),
        ("(x.shape[1] > 1) & (y.shape[1] > 1)", "this is not possible in a check", 1),
        ("x.shape > 1", "a free size is compared with an integer or another size only", 0),
        ("x.shape[1] > headz", "undefined param `headz`", 13),
    ],
)
def test_a_check_of_sizes_that_cannot_be_one_is_an_error_in_the_expression(checked, that, message, start):
    [found] = errors(checked(HEAD + PARAMS + check(that) + BODY)[1])
    assert found.message == message
    assert found.span.column == 11 + start, found


def test_checks_that_no_size_meets_are_an_error_with_the_message(checked):
    text = HEAD + PARAMS + "check:\n  - that: x.shape[1] >= 20\n  - {that: 'x.shape[1] <= 10', message: too long}\n" + BODY
    [found] = errors(checked(text)[1])
    assert (found.code, found.help, found.path) == ("NN311", "too long", "check[1].that")
    assert [note.message for note in found.notes] == ["`check` requires this: `T` must be at least `20`"]


def test_a_condition_of_a_check_is_enforced_where_data_come_in(checked):
    model, _ = checked(HEAD + PARAMS + check("x.shape[1] <= 512") + BODY)
    assert model.main.conditions.refusal({"T": 600}) == "`T` must be from 3 to 512, not 600"


BLOCK = """blocks:
  unit:
    params: {width: 6, heads: 3}
    check:
      - that: width % heads == 0
        message: heads must divide width
      - that: x.shape[2] == width
        message: the input must have the width
      - that: output.shape[1] <= 9
    layers:
      - Conv1D: {filters: $width, kernel_size: 1}
"""
USE = "inputs: {x: [T, 6]}\nlayers:\n  - unit: {width: 6}\n"


def test_a_block_checks_its_params_and_its_own_inputs_and_outputs_at_each_use(checked):
    model, problems = checked(HEAD + BLOCK + USE)
    assert not problems
    assert model.main.conditions.texts() == ["T must be at most 9"]
    _, problems = checked(HEAD + BLOCK + USE.replace("{width: 6}", "{width: 8}"))
    assert [d.message for d in errors(problems)] == ["heads must divide width", "the input must have the width"]
    assert [note.message for d in errors(problems) for note in d.notes if note.span] == ["in this use of `unit`"] * 2


def test_a_check_of_sizes_in_a_document_of_networks_alone_is_an_error(checked):
    networks = "networks:\n  a:\n    inputs: {x: [4]}\n    layers:\n      - Dense: 3\n"
    [found] = errors(checked(HEAD + check("x.shape[1] == 4") + networks)[1])
    assert (found.code, found.span.line) == ("NN125", 4)


def test_a_name_of_an_input_and_an_output_is_read_where_their_sizes_are_equal(checked):
    block = "blocks:\n  b:\n    check:\n      - that: x.shape[1] <= 9\n    layers:\n      - Dense: 3\n    outputs: {x: dense}\n"
    model, problems = checked(HEAD + block + USE.replace("unit: {width: 6}", "b\noutputs: [b.x]"))
    assert not problems
    assert model.main.conditions.texts() == ["T must be at most 9"]
    _, problems = checked(HEAD + block.replace("[1]", "[2]") + USE.replace("unit: {width: 6}", "b\noutputs: [b.x]"))
    assert [d.message for d in errors(problems)] == ["`x` is an input, which is 6 here, and an output, which is 3"]


def test_a_document_that_is_used_as_a_network_keeps_its_checks(tmp_path):
    inner = HEAD + check("x.shape[1] <= 9") + "inputs: {x: [T, 6]}\nlayers:\n  - Dense: {units: 6}\n"
    (tmp_path / "inner.nnspec.yaml").write_text(inner)
    file = tmp_path / "net.nnspec.yaml"
    file.write_text("nnspec: 1\nname: outer\nuse: {core: {spec: inner.nnspec.yaml}}\ninputs: {z: [S, 6]}\nlayers:\n  - core\n")
    assert inspect(file)["networks"]["main"]["conditions"] == {"S": {"at_most": 9}}


def test_formatting_puts_a_check_after_the_params(write):
    from nnspec.formatting import formatted

    text = HEAD + "check:\n  - message: m\n    that: width > 1\n" + PARAMS + BODY
    assert PARAMS + "check:\n  - that: width > 1\n    message: m\n" in formatted(write(text))[1]


@pytest.mark.parametrize(
    ("line", "quoted"),
    [
        ("  - that: [1, 2] == 3", "[1, 2] == 3"),
        ("  - that: x.shape[1] == 8 if 1 > 0: 2 # why", "x.shape[1] == 8 if 1 > 0: 2"),
        ("  - {that: x.shape[1] == 8}", "x.shape[1] == 8"),
        ("  - {that: x.shape[1] == 8, message: m}", "x.shape[1] == 8"),
        ("  - {message: m, that: x.shape[1] == 8}", "x.shape[1] == 8"),
    ],
)
def test_an_expression_that_yaml_misreads_is_to_be_quoted(write, line, quoted):
    found = validate(write(HEAD + f"check:\n{line}\ninputs: {{x: [8]}}\nlayers:\n  - Dense: 3\n"))
    assert (found[0].code, found[0].help, found[0].span.line) == ("NN022", f'write `"{quoted}"`', 4)


def test_an_expression_of_a_compute_step_that_yaml_misreads_is_to_be_quoted(write):
    found = validate(write(HEAD + "inputs: {x: [8]}\nlayers:\n  - Compute: x[:, 1: 2]\n"))
    assert (found[0].code, found[0].help) == ("NN022", 'write `"x[:, 1: 2]"`')
