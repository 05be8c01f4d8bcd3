"""Declared params: types, bounds and help, checked wherever a value is given."""

from __future__ import annotations

import json

import pytest

import nnspec
from nnspec.spec import load
from nnspec.spec.overrides import find

HEAD = "nnspec: 1\nname: net\ninputs: {x: [8]}\n"
LAYERS = "layers:\n  - Dense: {units: $width}\n"
WIDTH = "params:\n  width: {default: 64, type: int, at_least: 8, at_most: 512, multiple_of: 8, help: channels}\n"


def errors(problems):
    return [problem for problem in problems if problem.is_error]


def test_a_declared_param_is_used_as_its_default(checked):
    model, problems = checked(HEAD + WIDTH + LAYERS)
    assert not problems
    assert model.main.nodes["dense"].layer.units == 64


def test_an_override_of_a_declared_param_replaces_its_default(checked):
    model, problems = checked(HEAD + WIDTH + LAYERS, "params.width=128")
    assert not problems
    assert model.main.nodes["dense"].layer.units == 128


@pytest.mark.parametrize(
    ("value", "reason", "help"),
    [
        ("4", "`width` must be at least 8, not 4", ""),
        ("1024", "`width` must be at most 512, not 1024", ""),
        ("12", "`width` must be a multiple of 8, not 12", "the nearest are 8 and 16"),
        ("x", "`width` must be an integer, not the string 'x'", ""),
        ("64.0", "`width` must be an integer, not 64.0", "write `64`"),
        (".nan", "`width` must be an integer, not nan", ""),
        ("{a: 1}", "`width` must be an integer, not a mapping", ""),
    ],
)
def test_a_value_out_of_bounds_is_an_error_at_the_value(checked, value, reason, help):
    _, problems = checked(HEAD + WIDTH.replace("64", value) + LAYERS)
    [found] = errors(problems)
    assert (found.code, found.message, found.path, found.help) == ("NN105", reason, "params.width.default", help)
    assert (found.span.line, found.span.column) == (5, 20)


def test_a_value_set_on_the_command_line_is_checked_and_the_error_shows_the_declaration(checked):
    _, problems = checked(HEAD + WIDTH + LAYERS, "params.width=1024")
    [found] = errors(problems)
    assert (found.message, found.span.file) == ("`width` must be at most 512, not 1024", "--set params.width=1024")
    assert (found.span.column, found.span.end_column) == (14, 18)  # in `params.width=1024`
    assert [(note.message, note.span.line) for note in found.notes] == [("`width` is declared here", 5)]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (["params.sizes[1]=4"], [3, 4]),
        (["params.sizes=[5, 6]"], [5, 6]),
        (["params.sizes={default: [1, 2]}"], [1, 2]),
        (["params.sizes.default=[7, 8]"], [7, 8]),
        (["params.sizes.at_most=20", "params.sizes[0]=20"], [20, 9]),
    ],
)
def test_an_override_reaches_into_a_declaration_or_its_default(write, settings, expected):
    params = "params: {sizes: {default: [3, 9], type: [int, int], at_most: 10}}\n"
    spec = load(write(HEAD + params + "layers:\n  - Dense: {units: '${sizes[0]}'}\n"), settings)
    assert spec.params["sizes"].default.plain() == expected


def test_a_param_without_a_default_is_required(checked):
    text = HEAD + "params: {width: {type: int, at_least: 3, help: units}}\n" + LAYERS
    _, problems = checked(text)
    [found] = errors(problems)
    assert (found.code, found.message) == ("NN123", "the param `width` has no value")
    assert found.help == "write `--set params.width=3`, or give it a `default`"
    model, problems = checked(text, "params.width=5")
    assert not problems
    assert model.main.nodes["dense"].layer.units == 5


def test_a_param_can_be_one_of_several_values(checked):
    text = HEAD + "params: {act: {default: relu, one_of: [relu, tanh]}}\nlayers:\n  - Activation: {activation: $act}\n"
    assert not checked(text)[1]
    [found] = errors(checked(text, "params.act=tanhh")[1])
    assert found.message == "`act` must be one of `relu`, `tanh`, not the string 'tanhh'"
    assert found.help == "did you mean `tanh`?"


@pytest.mark.parametrize(
    ("value", "bound"),
    [("1e308", "multiple_of: 1e-10"), (f"1{'0' * 400}", "multiple_of: 0.5"), (f"1{'0' * 400}", f"at_most: 1{'0' * 399}")],
)
def test_numbers_of_any_size_are_compared(checked, value, bound):
    text = HEAD + f"params: {{width: {{default: {value}, {bound}}}}}\n" + LAYERS
    assert errors(checked(text)[1])[0].message.startswith("`width` must be ")


def test_a_value_of_type_float_may_be_a_fraction_of_its_unit(checked):
    text = HEAD + "params: {rate: {default: 0.3, type: float, multiple_of: 0.1, at_most: 0.5}}\nlayers:\n  - Dropout: $rate\n"
    assert not errors(checked(text)[1])
    assert [d.message for d in errors(checked(text, "params.rate=0.25")[1])] == ["`rate` must be a multiple of 0.1, not 0.25"]


def test_bounds_without_a_type_need_a_number(checked):
    text = HEAD + "params: {width: {default: x, at_least: 3}}\n" + LAYERS
    assert [d.message for d in errors(checked(text)[1])] == ["`width` must be a number, not the string 'x'"]


def test_bounds_of_a_list_apply_to_each_item(checked):
    params = "params: {sizes: {default: [3, 9], type: [int, int], at_most: 7}}\n"
    text = HEAD + params + "layers:\n  - Dense: {units: '${sizes[0]}'}\n"
    [found] = errors(checked(text)[1])
    assert (found.message, found.path) == ("`sizes` must be at most 7, not 9", "params.sizes.default[1]")


def test_a_declaration_may_use_earlier_params(checked):
    params = 'params: {most: 16, width: {default: "${2 * most}", at_most: $most}}\n'
    [found] = errors(checked(HEAD + params + LAYERS)[1])
    assert found.message == "`width` must be at most 16, not 32"


@pytest.mark.parametrize(
    "value",
    ["{units: 3}", "{units: 3, default: 1}", "{activation: relu, units: 3}", "{value: 3, min: 1}", "{at_least: 3}"],
)
def test_any_other_mapping_is_a_value(write, value):
    spec = load(write(HEAD + f"params: {{settings: {value}}}\nlayers:\n  - Dense: {{units: 3}}\n"))
    assert spec.document.get("params").plain() == {"settings": spec.params["settings"].default.plain()}
    assert not spec.params["settings"].is_declared


@pytest.mark.parametrize(
    ("declaration", "message", "help"),
    [
        ("{type: integer, default: 8}", "`integer` is not a param type", "write `type: int`"),
        ("{type: Dense, default: 8}", "`Dense` is not a param type", "the types are `int`"),
        ("{type: [int, string], default: [8, a]}", "`string` is not a param type", "write `type: str`"),
        ("{type: list, default: [8]}", "`list` is not a param type", "lists of them: `[int, int]`"),
        ("{type: network, default: 8}", "the type `network` is for params of objectives", "the types are"),
        ("{type: field, default: 8}", "the type `field` is for params of objectives", "the types are"),
        ("{default: 8, minimum: 1}", "unknown key `minimum` in the declaration of the param `width`", "write `at_least`"),
        ("{default: 8, at_last: 1}", "unknown key `at_last` in the declaration of the param `width`", "write `at_least`"),
        ("{default: 8, choices: [8]}", "unknown key `choices` in the declaration of the param `width`", "write `one_of`"),
        ("{default: 8, description: a}", "unknown key `description` in the declaration of the param `width`", "write `help`"),
        ("{value: 8, at_least: 1}", "unknown key `value` in the declaration of the param `width`", "write `default`"),
        ("{default: 8, at_least: a}", "`at_least` must be a number, not the string 'a'", "write `at_least: 8`"),
        ("{default: 8, multiple_of: 0}", "`multiple_of` must be greater than 0, not 0", "write `multiple_of: 8`"),
        ("{default: 8, one_of: 8}", "`one_of` must be a list of values, not 8", "write `one_of: [gru, lstm]`"),
        ("{default: 8, type: int, one_of: [8, a]}", "`a` under `one_of` is not of the type of `width`", "write `one_of"),
        ("{default: 8, help: 3}", "`help` must be a string, not 3", "write `help"),
        ("{default: 8, at_least: 9, at_most: 7}", "no value of `width` is both at least 9 and at most 7", "exchange them"),
        (
            "{default: a, type: str, at_least: 1}",
            "`at_least` is for numbers, and `width` is of the type `str`",
            "remove `at_least`",
        ),
        ("{type: [int, int], default: [8]}", "`width` must be a list of 2, not a list of 1", ""),
    ],
)
@pytest.mark.parametrize("place", ["document", "block"])
def test_a_wrong_declaration_is_an_error_with_the_fix(checked, declaration, message, help, place):
    text = HEAD + f"params: {{width: {declaration}}}\nlayers:\n  - Reshape: [8]\n    name: a${{width}}\n"
    if place == "block":
        text = HEAD + f"blocks:\n  b:\n    params: {{width: {declaration}}}\n    layers:\n      - Reshape: [8]\n"
        text += "        name: a${width}\nlayers:\n  - b\n"
    found = errors(checked(text)[1])[0]
    assert found.message == message
    assert help in found.help


BLOCK = """blocks:
  unit:
    params:
      units: {type: int, at_least: 2, help: width of the layer}
      act: {default: relu, one_of: [relu, tanh]}
    layers:
      - Dense: {units: $units, activation: $act}
"""


def test_an_argument_of_a_block_is_checked_at_the_argument(checked):
    _, problems = checked(HEAD + BLOCK + "layers:\n  - unit: {units: 1, act: tan}\n")
    assert [(d.message, d.path) for d in errors(problems)] == [
        ("`units` must be at least 2, not 1", "layers[0].unit.units"),
        ("`act` must be one of `relu`, `tanh`, not the string 'tan'", "layers[0].unit.act"),
    ]


def test_a_declared_param_of_a_block_without_a_default_is_required(checked):
    _, problems = checked(HEAD + BLOCK + "layers:\n  - unit\n")
    assert [d.code for d in errors(problems)] == ["NN104"]
    assert not checked(HEAD + BLOCK + "layers:\n  - unit: {units: 3}\n")[1]


def test_a_block_of_another_file_checks_its_arguments(tmp_path):
    (tmp_path / "common.nnspec.yaml").write_text("nnspec: 1\nname: common\n" + BLOCK)
    file = tmp_path / "net.nnspec.yaml"
    file.write_text("nnspec: 1\nname: net\nuse: [common.nnspec.yaml]\ninputs: {x: [8]}\nlayers:\n  - unit: {units: 1}\n")
    from nnspec import validate

    [found] = errors(validate(file))
    assert (found.message, found.path) == ("`units` must be at least 2, not 1", "layers[0].unit.units")
    assert found.notes[0].span.file.endswith("common.nnspec.yaml")


def test_a_default_that_an_override_gives_a_block_is_checked(checked):
    _, problems = checked(HEAD + BLOCK + "layers:\n  - unit: {units: 3}\n", "blocks.unit.params.act=tan")
    assert [d.span.file for d in errors(problems)] == ["--set blocks.unit.params.act=tan"]


def test_the_resolved_document_keeps_the_declarations_and_reads_as_the_same_spec(write, tmp_path):
    spec = load(write(HEAD + WIDTH + LAYERS), ["params.width=16"])
    assert find(spec.document, "params.width").plain()["default"] == 16
    again = tmp_path / "again.nnspec.yaml"
    again.write_text(spec.resolved())
    assert load(again).hash == spec.hash
    assert load(again).params["width"].bounds() == {"at_least": 8, "at_most": 512, "multiple_of": 8}


def test_a_params_facts_are_plain_data(write):
    spec = load(write(HEAD + WIDTH + LAYERS))
    facts = spec.params["width"].as_json()
    assert json.loads(json.dumps(facts)) == {
        "value": 64, "type": "int", "at_least": 8, "at_most": 512, "multiple_of": 8, "help": "channels",
    }  # fmt: skip


def test_inspect_shows_params_with_their_values_bounds_and_help(write):
    from click.testing import CliRunner

    from nnspec.cli import main

    file = str(write(HEAD + WIDTH + LAYERS))
    text = CliRunner().invoke(main, ["inspect", file, "--set", "params.width=16"]).stdout
    row = next(line for line in text.splitlines() if line.startswith("width"))
    assert row.split("  ")[1].strip() == "16"
    assert "int, at least 8, at most 512, a multiple of 8" in row
    assert row.endswith("channels")
    described = json.loads(CliRunner().invoke(main, ["inspect", file, "--format", "json"]).stdout)
    assert described["params"]["width"]["at_most"] == 512


def test_explain_shows_the_value_of_a_declared_param(write):
    from nnspec import explain

    [origin] = explain(write(HEAD + WIDTH + LAYERS), "params.width", ["params.width=16"])
    assert (origin.value, [link.what for link in origin.links]) == (16, ["set by `--set params.width=16`", "replaces 64"])


def test_a_model_card_lists_the_params(write):
    from types import SimpleNamespace

    from nnspec.graph import compile
    from nnspec.packaging.card import params_section

    model = compile(load(write(HEAD + WIDTH + LAYERS)))
    text = params_section(SimpleNamespace(model=model))["Params"]
    assert "| width | 64 | int, at least 8, at most 512, a multiple of 8 | channels |" in text
    assert params_section(None) == {}


def test_a_sweep_keeps_to_the_bounds_of_a_param(write):
    from nnspec import validate

    sweep = "sweep: {over: {params.width: {int: [8, 1024]}}}\n"
    found = [d for d in validate(write(HEAD + WIDTH + LAYERS + sweep)) if d.code == "NN802"]
    assert "`width` must be at most 512, not 1024" in found[0].message


@pytest.mark.parametrize(("range_", "valid"), [("{int: [8, 64], step: 8}", True), ("{int: [8, 64]}", False)])
def test_a_sweep_keeps_to_the_multiples_of_a_param(write, range_, valid):
    from nnspec import validate

    text = HEAD + WIDTH + LAYERS + f"sweep: {{over: {{params.width: {range_}}}}}\n"
    found = [d for d in validate(write(text)) if d.code == "NN802"]
    assert not found if valid else "`width` must be a multiple of 8, not 9" in found[0].message


def test_formatting_puts_the_keys_of_a_declaration_in_order(write):
    from nnspec.formatting import formatted

    file = write(HEAD + "params:\n  width:\n    help: channels\n    type: int\n    default: 64\n" + LAYERS)
    assert "  width:\n    default: 64\n    type: int\n    help: channels\n" in formatted(file)[1]


def test_a_condition_shows_the_remainder_of_a_division(checked):
    check = "check:\n  - that: x.shape[1] % 11 == x.shape[2] % 3\n    message: wrong\n"
    model, _ = checked("nnspec: 1\nname: net\ninputs: {x: [T, S, 4]}\nlayers: [ReLU]\n" + check)
    assert model.networks["main"].conditions.texts() == ["S % 3 must equal T % 11"]


@pytest.mark.parametrize(("value", "code"), [("{a: 1, b: [2]}", "NN304"), ("[]", "NN304"), ("[[1, 2], [3, 4]]", None)])
def test_a_param_of_any_kind_in_an_expression_is_used_or_refused(write, value, code):
    text = f"nnspec: 1\nname: net\nparams: {{table: {value}}}\ninputs: {{x: [2, 2]}}\nlayers:\n  - Compute: x * table\n"
    assert [problem.code for problem in nnspec.validate(write(text))] == ([] if code is None else [code])


def test_a_step_with_the_name_of_the_step_that_it_reads_is_reported(write):
    step = "  - Compute: {a: x + 1, b: x - 1}\n    name: split\n"
    text = "nnspec: 1\nname: net\ninputs: {x: [2]}\nlayers:\n" + step + "  - Compute: split.a * 2\n    name: split\n"
    assert [problem.code for problem in nnspec.validate(write(text)) if problem.is_error] == ["NN206"]
