"""Blocks, networks, repeats, shared layers and other files: what they stand for, and what is reported of mistakes in them."""

from __future__ import annotations

from pathlib import Path

import pytest

import nnspec
from nnspec.graph.model import Ref

CASES = Path(__file__).parent.parent / "cases"
HEAD = "nnspec: 1\nname: net\ninputs: {x: [8]}\n"
BLOCK = """blocks:
  unit:
    params: {units: int, activation: relu}
    layers:
      - Dense: {units: $units}
      - Activation: {activation: $activation}
"""


def nodes(model):
    return list(model.main.nodes)


def codes(problems):
    return [problem.code for problem in problems]


def test_a_block_stands_under_the_name_of_its_use(checked):
    model, problems = checked(
        HEAD + BLOCK + "layers:\n  - unit: {units: 4}\n  - unit: {units: 3, activation: tanh}\n    name: last\n"
    )
    assert not problems
    assert nodes(model) == ["unit/dense", "unit/activation", "last/dense", "last/activation"]
    assert [identity for identity, *_ in model.main.weights()] == [
        "unit/dense/kernel",
        "unit/dense/bias",
        "last/dense/kernel",
        "last/dense/bias",
    ]


def test_every_use_of_a_block_has_weights_of_its_own(checked):
    model, _ = checked(HEAD + BLOCK + "layers:\n  - unit: {units: 8}\n  - unit: {units: 8}\n")
    assert model.main.parameters == 2 * (8 * 8 + 8)


def test_a_block_sees_the_documents_params_and_not_the_counters_around_its_use(checked):
    text = HEAD + "params: {width: 5}\nblocks:\n  unit:\n    layers:\n      - Dense: {units: $i}\n"
    _, problems = checked(text + "layers:\n  - repeat: 2\n    as: i\n    layers:\n      - unit\n")
    assert codes([p for p in problems if p.is_error]) == ["NN121"]
    model, problems = checked(text.replace("$i", "$width") + "layers:\n  - unit\n")
    assert not problems
    assert model.main.nodes["unit/dense"].layer.units == 5


def test_a_block_of_several_inputs_is_fed_by_port(checked):
    text = (
        "nnspec: 1\nname: net\ninputs: {a: [4], b: [4]}\nblocks:\n  mix:\n    inputs: [left, right]\n    layers:\n"
        "      - Dense: {units: 4}\n        from: left\n      - Add:\n        from: [dense, right]\n"
        "layers:\n  - mix:\n    from: {left: a, right: b}\n"
    )
    model, problems = checked(text)
    assert not problems
    assert [str(ref) for ref in model.main.nodes["mix/add"].inputs.values()] == ["mix/dense", "b"]


def test_a_block_gives_its_outputs_alone(checked):
    text = HEAD + (
        "blocks:\n  two:\n    layers:\n      - Dense: {units: 2}\n        name: mean\n      - Dense: {units: 2}\n        from: x\n"
        "        name: spread\n    outputs: [mean, spread]\nlayers:\n  - two\n  - Dense: {units: 1}\n    from: two.mean\n    name: a\n"
    )
    model, problems = checked(text + "  - Dense: {units: 1}\n    from: two.spread\n    name: b\noutputs: [a, b]\n")
    assert not problems
    assert str(model.main.nodes["a"].inputs["x"]) == "two/mean"
    _, problems = checked(text + "  - Dense: {units: 1}\n    from: two\n    name: b\noutputs: [a, b]\n")
    assert codes(problems) == ["NN226"]
    assert problems[0].help == "its outputs are `two.mean`, `two.spread`"


@pytest.mark.parametrize(
    ("use", "code", "help"),
    [
        ("unit", "NN104", "write `unit: {units: …}`"),
        ("unit: {unit: 3}", "NN103", "did you mean `units`?"),
        ("unit: {units: 3.5}", "NN105", ""),
        ("unit: {units: 3, activation: tahn}", "NN105", "did you mean `tanh`?"),
        ("uint: {units: 3}", "NN204", "did you mean `unit`?"),
        ("unit: 3", "NN101", "write `unit: {units: …}`"),
    ],
)
def test_a_wrong_use_of_a_block_is_reported_with_a_fix(checked, use, code, help):
    _, problems = checked(HEAD + BLOCK + f"layers:\n  - {use}\n")
    errors = [problem for problem in problems if problem.is_error]
    assert [(problem.code, problem.help) for problem in errors] == [(code, help)]


def test_an_error_in_a_block_names_the_place_in_it_and_the_use_that_led_there(checked):
    text = "nnspec: 1\nname: net\ninputs: {x: [4, 4, 1]}\nblocks:\n  c:\n    layers:\n      - Conv2D: {filters: 1, kernel_size: 3}\n"
    _, problems = checked(text + "layers:\n  - c\n  - c\n  - c\n")
    assert codes(problems) == ["NN301"]
    assert problems[0].span.line == 7
    assert [(note.message, note.span.line) for note in problems[0].notes][-1] == ("in this use of `c`", 10)


def test_a_mistake_in_a_block_used_often_is_reported_once(checked):
    text = HEAD + "blocks:\n  u:\n    layers:\n      - Dense: {unit: 8}\nlayers:\n" + "  - u\n" * 5
    _, problems = checked(text)
    assert codes(problems) == ["NN103"]


def test_a_repeated_step_chains_its_parts_under_its_name(checked):
    model, problems = checked(HEAD + 'layers:\n  - Dense: {units: "${2 + i}"}\n    repeat: 3\n    as: i\n    name: d\n')
    assert not problems
    assert {name: node.layer.units for name, node in model.main.nodes.items()} == {"d/0": 2, "d/1": 3, "d/2": 4}
    assert str(model.main.nodes["d/2"].inputs["x"]) == "d/1"
    assert str(model.main.outputs["d"]) == "d/2"


def test_a_step_repeated_no_times_passes_its_input_through(checked):
    model, problems = checked(HEAD + "layers:\n  - Dense: {units: 4}\n    repeat: 0\n  - ReLU\n")
    assert not problems
    assert str(model.main.nodes["relu"].inputs["x"]) == "x"


def test_a_repeated_group_lies_in_the_list_around_it(checked):
    model, problems = checked(
        HEAD
        + "layers:\n  - repeat: 2\n    as: i\n    layers:\n      - Dense: {units: 4}\n      - ReLU:\n        name: act${i}\n"
        "  - Concatenate:\n    from: [act0, act1]\n"
    )
    assert not problems
    assert nodes(model) == ["dense", "act0", "dense_1", "act1", "concatenate"]


def test_a_named_group_has_its_parts_under_its_name(checked):
    model, problems = checked(HEAD + "layers:\n  - repeat: 2\n    name: g\n    layers:\n      - Dense: {units: 4}\n  - ReLU\n")
    assert not problems
    assert nodes(model) == ["g/0/dense", "g/1/dense", "relu"]


def test_from_takes_a_computed_list_of_names(checked):
    model, problems = checked((CASES / "layers" / "listfrom.nnspec.yaml").read_text())
    assert not problems
    assert [str(ref) for ref in model.main.nodes["out"].inputs.values()] == ["e0", "e1", "e2"]


def test_a_computed_list_inside_a_list_under_from_is_answered_with_one_list(checked):
    text = (CASES / "layers" / "listfrom.nnspec.yaml").read_text().replace('from: "${', 'from: [x, "${').replace(']}"', ']}"]')
    _, problems = checked(text)
    assert [(p.code, p.help) for p in problems if p.is_error] == [("NN225", "write a flat list: `from: \"${['a', 'b'] + …}\"`")]


def test_a_list_is_not_written_into_a_longer_text(checked):
    _, problems = checked(HEAD + 'layers:\n  - Dense: {units: 2}\n    name: "a${[1, 2]}"\n')
    assert codes(problems) == ["NN120"]


def test_counters_nest(checked):
    model, problems = checked(
        HEAD + "layers:\n  - repeat: 2\n    as: i\n    layers:\n      - repeat: 2\n        as: j\n        layers:\n"
        '          - Dense: {units: "${1 + i * 2 + j}"}\n            name: d${i}${j}\n'
    )
    assert not problems
    assert {name: node.layer.units for name, node in model.main.nodes.items()} == {"d00": 1, "d01": 2, "d10": 3, "d11": 4}


@pytest.mark.parametrize("count", ["-1", "two", "1.5", "true", "[1]"])
def test_a_repeat_that_is_no_number_of_times_is_reported(checked, count):
    _, problems = checked(HEAD + f"layers:\n  - ReLU:\n    repeat: {count}\n")
    assert codes(problems) == ["NN105"]


def test_a_repeat_beyond_the_limit_is_refused_at_once(checked):
    _, problems = checked(HEAD + "layers:\n  - ReLU:\n    repeat: 1_000_000_000\n")
    assert codes(problems) == ["NN005"]
    _, problems = checked(
        HEAD + "layers:\n  - repeat: 1000\n    layers:\n      - repeat: 1000\n        layers:\n          - ReLU\n"
    )
    assert codes(problems) == ["NN005"]


def test_blocks_that_multiply_stay_within_the_limit(checked):
    blocks = "blocks:\n  b0:\n    layers:\n      - ReLU\n" + "".join(
        f"  b{i}:\n    layers:\n" + f"      - b{i - 1}\n" * 10 for i in range(1, 12)
    )
    _, problems = checked(HEAD + blocks + "layers:\n  - b11\n")
    assert "NN005" in codes(problems)


def test_a_residual_adds_its_input_or_its_shortcut(checked):
    model, problems = checked(
        HEAD + "layers:\n  - Residual: {layers: [{Dense: {units: 8}}]}\n"
        "  - Residual: {layers: [{Dense: {units: 4}}], shortcut: [{Dense: {units: 4}}]}\n"
    )
    assert not problems
    assert nodes(model) == ["residual/dense", "residual/add", "residual_1/dense", "residual_1/shortcut/dense", "residual_1/add"]
    assert [str(ref) for ref in model.main.nodes["residual/add"].inputs.values()] == ["residual/dense", "x"]


def test_a_nested_list_sees_the_lists_around_it(checked):
    model, problems = checked(
        HEAD + "layers:\n  - Dense: {units: 8}\n    name: early\n  - Dense: {units: 8}\n"
        "  - Residual:\n      layers:\n        - Dense: {units: 8}\n        - Add:\n          from: [dense, early]\n"
    )
    assert not problems
    assert [str(ref) for ref in model.main.nodes["residual/add_1"].inputs.values()] == ["residual/dense", "early"]


def test_parallel_branches_read_one_input_and_merge(checked):
    model, problems = checked(
        HEAD
        + "layers:\n  - Parallel:\n      branches:\n        wide: [{Dense: {units: 6}}]\n        narrow: [{Dense: {units: 2}}]\n"
        "        none: []\n      merge: Concatenate\n"
    )
    assert not problems
    assert nodes(model) == ["parallel/wide/dense", "parallel/narrow/dense", "parallel/concatenate"]
    assert model.main.nodes["parallel/concatenate"].output.shape == (16,)


def test_a_shared_layer_has_the_weights_of_the_first(checked):
    model, problems = checked(
        "nnspec: 1\nname: net\ninputs: {a: [4], b: [4]}\nlayers:\n  - Dense: {units: 3}\n    from: a\n    name: d\n"
        "  - share: d\n    from: b\n    name: e\n  - Add:\n    from: [d, e]\n"
    )
    assert not problems
    assert model.main.parameters == 15
    assert model.main.nodes["e"].weights_at == "d"


def test_a_shared_layer_must_fit_what_it_is_applied_to(checked):
    _, problems = checked(
        "nnspec: 1\nname: net\ninputs: {a: [4], b: [5]}\nlayers:\n  - Dense: {units: 3}\n    from: a\n    name: d\n"
        "  - share: d\n    from: b\n    name: e\n  - Add:\n    from: [d, e]\n"
    )
    assert codes(problems) == ["NN301"]
    assert problems[0].message == "`d` has weights for (4,), but is applied to (5,)"


TIED = (
    "nnspec: 1\nname: net\ninputs: {tokens: {shape: [T], dtype: int32}}\nlayers:\n"
    "  - ReversibleEmbedding: {input_dim: 9, output_dim: 4}\n    name: embedding\n"
    "  - Dense: {units: 4}\n"
)


def test_a_shared_layer_may_be_called_with_other_arguments(checked):
    model, problems = checked(TIED + "  - share: {layer: embedding, reverse: true}\n    name: logits\n")
    assert not problems
    logits = model.main.nodes["logits"]
    assert str(logits.output) == "(T, 9)"
    assert logits.weights_at == "embedding"
    assert model.main.parameters == 9 * 4 + 4 * 4 + 4


def test_a_shared_layer_without_a_name_is_called_after_the_first(checked):
    model, problems = checked(TIED + "  - share: {layer: embedding, reverse: true}\n")
    assert not problems
    assert nodes(model) == ["embedding", "dense", "embedding_1"]


@pytest.mark.parametrize(
    ("arguments", "message", "help"),
    [
        ("revers: true", "unknown key `revers` in a call of `embedding`", "did you mean `reverse`?"),
        (
            "output_dim: 3",
            "unknown key `output_dim` in a call of `embedding`",
            "a call of `ReversibleEmbedding` takes `reverse`",
        ),
        ("reverse: 3", "`reverse` must be true or false, not 3", ""),
    ],
)
def test_a_shared_layer_is_called_with_what_keras_takes_at_a_call(checked, arguments, message, help):
    _, problems = checked(TIED + f"  - share: {{layer: embedding, {arguments}}}\n    name: logits\n")
    assert [problem.message for problem in problems] == [message]
    assert problems[0].help == help


def test_a_table_that_is_not_read_in_reverse_names_the_one_that_is(checked):
    _, problems = checked(TIED.replace("ReversibleEmbedding", "Embedding") + "  - share: {layer: embedding, reverse: true}\n")
    assert [problem.help for problem in problems] == ["only `ReversibleEmbedding` has it: write that instead of `Embedding`"]


def test_a_parameter_counts_the_examples_of_the_first_input_and_reads_no_step(checked):
    model, problems = checked(
        "nnspec: 1\nname: net\ninputs: {image: [8, 8, 3], other: [4]}\nlayers:\n"
        "  - Conv2D: {filters: 6, kernel_size: 4, strides: 4}\n    from: image\n"
        "  - Reshape: [4, 6]\n    name: patches\n"
        "  - Parameter: [1, 6]\n    name: token\n"
        "  - Concatenate: {axis: 1}\n    from: [token, patches]\n"
        "  - Flatten\n  - Concatenate:\n    from: [flatten, other]\n"
    )
    assert not problems
    token = model.main.nodes["token"]
    assert token.inputs == {"x": Ref("image")}
    assert token.output.shape == (1, 6)
    assert model.main.nodes["concatenate"].output.shape == (5, 6)


def test_a_parameter_may_stand_first_where_there_are_several_inputs(checked):
    _, problems = checked(
        "nnspec: 1\nname: net\ninputs: {a: [4], b: [4]}\nlayers:\n  - Parameter: [4]\n  - Add:\n    from: [a, b, parameter]\n"
    )
    assert not problems


def test_an_input_that_only_a_parameter_counts_is_unused(checked):
    _, problems = checked(
        "nnspec: 1\nname: net\ninputs: {a: [4], b: [4]}\nlayers:\n  - Parameter: [4]\n  - Add:\n    from: [b, parameter]\n"
    )
    assert codes(problems) == ["NN232"]


def test_the_step_before_a_parameter_is_not_used_by_it(checked):
    _, problems = checked(HEAD + "layers:\n  - Dense: {units: 4}\n  - Parameter: [3]\n")
    assert set(codes(problems)) == {"NN231", "NN232"}


TOWER = """networks:
  tower:
    inputs: {image: [8]}
    layers:
      - Dense: {units: 3}
"""


def test_every_use_of_a_network_has_the_same_weights_under_the_networks_name(checked):
    model, problems = checked(
        "nnspec: 1\nname: net\n"
        + TOWER
        + "inputs: {a: [8], b: [8]}\nlayers:\n  - tower:\n    from: a\n  - tower:\n    from: b\n"
        "  - Add:\n    from: [tower, tower_1]\n"
    )
    assert not problems
    assert nodes(model) == ["tower/dense", "tower_1/dense", "add"]
    assert [identity for identity, *_ in model.main.weights()] == ["tower/dense/kernel", "tower/dense/bias"]
    assert [identity for identity, *_ in model.networks["tower"].weights()] == ["tower/dense/kernel", "tower/dense/bias"]
    assert list(model.networks["tower"].nodes) == ["dense"]


def test_a_document_may_have_networks_alone(checked):
    model, problems = checked("nnspec: 1\nname: net\n" + TOWER)
    assert not problems
    assert list(model.networks) == ["tower"]


def test_a_network_that_is_fed_a_mask_has_a_mask_port_on_its_own(checked):
    model, problems = checked(
        "nnspec: 1\nname: net\nnetworks:\n  decoder:\n    inputs: {memory: [S, 4]}\n    layers:\n      - GRU: {units: 2}\n"
        "inputs: {tokens: {shape: [T], dtype: int32}}\nlayers:\n  - Embedding: {input_dim: 5, output_dim: 4, mask_zero: true}\n"
        "  - decoder\n"
    )
    assert not problems
    assert [str(size) for size in model.networks["decoder"].inputs["memory"].mask] == ["S"]


def test_a_mask_that_another_way_brings_back_is_not_warned_of_as_dropped(checked):
    _, problems = checked(
        "nnspec: 1\nname: net\ninputs: {tokens: {shape: [T], dtype: int32}}\nlayers:\n"
        "  - Embedding: {input_dim: 5, output_dim: 4, mask_zero: true}\n"
        "  - Conv1D: {filters: 4, kernel_size: 3, padding: same}\n"
        "  - Concatenate:\n    from: [embedding, conv1d]\n"
        "  - GRU: {units: 2}\n"
    )
    assert not problems


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ("{a: [7]}", "the network `tower` expects (8,) as `image`, got (7,): 7 is not 8"),
        ("{a: [8, 8]}", "the network `tower` expects (8,) as `image`, got (8, 8)"),
        ("{a: {shape: [8], dtype: int32}}", "the network `tower` expects (8,) as `image` of float32, got (8,) of int32"),
    ],
)
def test_what_a_network_is_given_must_fit_what_it_declares(checked, inputs, reason):
    _, problems = checked("nnspec: 1\nname: net\n" + TOWER + f"inputs: {inputs}\nlayers:\n  - tower\n")
    assert [problem.message for problem in problems] == [reason]


def test_the_symbols_of_a_network_are_bound_anew_at_each_use(checked):
    model, problems = checked(
        "nnspec: 1\nname: net\nnetworks:\n  n:\n    inputs: {x: [T, 2]}\n    layers:\n      - Dense: {units: 3}\n"
        "inputs: {a: [5, 2], b: [S, 2]}\nlayers:\n  - n:\n    from: a\n    name: p\n  - n:\n    from: b\n    name: q\noutputs: [p, q]\n"
    )
    assert [problem.code for problem in problems] == []
    assert {name: str(type_) for name, type_ in model.main.output_types.items()} == {"p": "(5, 3)", "q": "(S, 3)"}


def test_blocks_and_networks_of_another_file_are_taken_by_use(checked, write):
    write(
        "nnspec: 1\nname: common\nparams: {n: 3}\nblocks:\n  u:\n    layers:\n      - Dense: {units: $n}\n" + TOWER,
        "common.yaml",
    )
    model, problems = checked(
        HEAD + "use: [common.yaml]\nlayers:\n  - u\n  - tower:\n    from: x\n  - Add:\n    from: [u, tower]\n"
    )
    assert not problems
    assert nodes(model) == ["u/dense", "tower/dense", "add"]


def test_another_documents_layers_are_taken_as_a_network(checked, write):
    write(HEAD + "layers:\n  - Dense: {units: 6}\n    name: features\n  - Dense: {units: 2}\n", "backbone.yaml")
    model, problems = checked(
        HEAD + "use: {backbone: {spec: backbone.yaml, outputs: [features]}}\nlayers:\n  - backbone\n  - Dense: {units: 1}\n"
    )
    assert not problems
    assert nodes(model) == ["backbone/features", "dense"]
    assert model.main.nodes["dense"].input_types["x"].shape == (6,)


@pytest.mark.parametrize(
    ("use", "code"),
    [
        ("[../outside.yaml]", "NN140"),
        ("[none.yaml]", "NN142"),
        ("[net.nnspec.yaml]", "NN141"),
        ("{b: {file: a.yaml}}", "NN103"),
        ("common.yaml", "NN102"),
    ],
)
def test_a_file_that_cannot_be_used_is_reported_at_its_name(checked, use, code):
    _, problems = checked(HEAD + f"use: {use}\nlayers:\n  - ReLU\n")
    assert problems[0].code == code
    assert problems[0].span.line == 4


def test_a_symlink_does_not_lead_out_of_the_project(checked, tmp_path, write):
    outside = tmp_path.parent / "outside.yaml"
    outside.write_text("nnspec: 1\nname: out\nblocks: {}\n")
    (tmp_path / "inside.yaml").symlink_to(outside)
    _, problems = checked(HEAD + "use: [inside.yaml]\nlayers:\n  - ReLU\n")
    assert codes(problems) == ["NN140"]


def test_overrides_are_applied_before_anything_is_read(checked):
    text = 'nnspec: 1\nname: net\nparams: {width: 2, twice: "${2 * width}"}\ninputs: {x: [4]}\nlayers:\n  - Dense: {units: $twice}\n'
    model, problems = checked(text, "params.width=5", "layers[0].name=d")
    assert not problems
    assert model.main.nodes["d"].layer.units == 10


@pytest.mark.parametrize(
    ("setting", "code"),
    [
        ("params.width", "NN130"),
        ("layers[7].name=d", "NN130"),
        ("params.width=[1", "NN010"),
        ("parms.width=1", "NN103"),
        ("name.x=1", "NN130"),
    ],
)
def test_an_override_that_fits_nowhere_is_reported(checked, setting, code):
    _, problems = checked(HEAD + "params: {width: 2}\nlayers:\n  - Dense: {units: $width}\n", setting)
    assert code in codes(problems)


def test_a_blocks_param_that_nothing_reads_is_a_warning_and_a_misspelt_reading_is_the_only_error(tmp_path):
    text = """nnspec: 1
name: net
blocks:
  b:
    params: {units: int, twice: "${2 * units}", idle: 3}
    layers:
      - Dense: {units: $twice}
inputs: {x: [4]}
layers:
  - b: {units: 3}
"""
    file = tmp_path / "net.nnspec.yaml"
    file.write_text(text)
    assert [(d.code, d.message) for d in nnspec.validate(file)] == [("NN122", "unused param `idle`")]
    file.write_text(text.replace("$twice", "$twic").replace(", idle: 3", ""))
    assert [d.code for d in nnspec.validate(file)] == ["NN121"]


@pytest.mark.parametrize(
    ("argument", "help"),
    [
        ('size: "8"', "write it without quotes: `8`"),
        ("size:8", "missing space after the colon: write `size: 8`"),
        ("size: 8, bias: no", "write `false`: in YAML 1.2 `no` is a string"),
    ],
)
def test_a_slip_in_an_argument_of_a_block_is_reported_as_that_of_a_layer(checked, argument, help):
    block = "blocks:\n  b:\n    params: {size: int, bias: bool}\n    layers:\n      - Dense: {units: $size, use_bias: $bias}\n"
    given = argument if "bias" in argument else f"{argument}, bias: true"
    _, problems = checked(HEAD + block + f"layers:\n  - b: {{{given}}}\n")
    assert [problem.help for problem in problems] == [help]
