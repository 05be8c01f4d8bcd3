from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import nnspec
from nnspec.cli import main
from nnspec.diagnostics import NnspecError
from tests.conftest import CORPUS

RESNET = CORPUS / "resnet20.nnspec.yaml"
SPEC = """\
nnspec: 1
name: net
params: {width: 4, twice: "${2 * width}"}
blocks:
  unit:
    params: {units: int, act: relu, half: "${units // 2}"}
    layers:
      - Dense: {units: $units, activation: $act}
      - Dense: {units: $half}
networks:
  head:
    inputs: {y: [8]}
    layers:
      - Dense: {units: "${width + 1}", kernel_initializer: {HeNormal: {seed: 3}}}
inputs: {x: [4]}
layers:
  - unit: {units: $twice}
    name: first
  - Dense: {units: "${i + 1}"}
    repeat: 2
    as: i
    name: steps
  - Dense: {units: 8}
    name: d
  - share: d
    name: again
  - head
  - Parallel:
      branches: [[Flatten], [Flatten]]
      merge: {Concatenate: {axis: "${width - 3}"}}
data: {train: {builtin: digits}}
train: {epochs: 3, loss: MeanSquaredError, optimizer: {SGD: {learning_rate: "${width / 100}"}}}
"""


@pytest.fixture
def explain(write):
    file = write(SPEC)
    return lambda path, *overrides: nnspec.explain(file, path, overrides)


def reported(origin) -> list[tuple[str, int | None]]:
    return [(link.what, link.span.line if link.span else None) for link in origin.links]


def test_an_argument_is_followed_through_block_params_to_the_document(explain):
    [origin] = explain("first/dense.units")
    assert origin.value == 8
    assert reported(origin) == [
        ("computed from `$units`", 8),
        ("`units` = 8, given to `unit`: computed from `$twice`", 17),
        ("`twice` = 8, a param of the document: computed from `${2 * width}`", 3),
        ("`width` = 4, a param of the document: written here", 3),
    ]
    assert [(use.name, use.op, use.span.line) for use in origin.uses] == [("first", "unit", 17)]


def test_a_place_has_the_column_of_the_value(explain):
    [origin] = explain("first/dense.units")
    lines = SPEC.splitlines()
    places = [link.span for link in origin.links]
    assert [lines[s.line - 1][s.column - 1 : s.end_column - 1] for s in places] == ["$units", "$twice", '"${2 * width}"', "4"]


def test_an_override_is_named_with_what_it_took_the_place_of(explain):
    [origin] = explain("first/dense.units", "params.width=5")
    assert origin.value == 10
    assert reported(origin)[-2:] == [
        ("`width` = 5, a param of the document: set by `--set params.width=5`", None),
        ("replaces 4", 3),
    ]


def test_a_default_of_a_layer_is_one(explain):
    [origin] = explain("d.use_bias")
    assert (origin.value, reported(origin)) == (True, [("the default of `Dense`", None)])


def test_a_default_of_a_block_is_one_and_may_read_what_was_given(explain):
    [origin] = explain("first/dense.activation")
    assert reported(origin)[1] == ("`act` = relu, the default of the block `unit`: written here", 6)
    [half] = explain("first/dense_1.units")
    assert half.value == 4
    assert reported(half)[1:3] == [
        ("`half` = 4, the default of the block `unit`: computed from `${units // 2}`", 6),
        ("`units` = 8, given to `unit`: computed from `$twice`", 17),
    ]


def test_the_turns_of_a_repeat_show_their_counter(explain):
    first, second = explain("steps.units")
    assert (first.name, first.value, second.name, second.value) == ("steps/0.units", 1, "steps/1.units", 2)
    assert reported(second)[1] == ("`i` = 1, the counter of a `repeat`: written here", 21)


def test_turns_that_are_alike_are_shown_once():
    [origin] = nnspec.explain(RESNET, "unit.filters")
    assert (origin.name, origin.value) == ("unit/0.filters", 16)


def test_a_shared_layer_is_that_of_its_first_use(explain):
    [origin] = explain("again.units")
    assert (origin.name, origin.value) == ("d.units", 8)
    assert origin.uses[0].name == "again"


def test_a_layer_of_a_network_is_found_at_its_use_and_under_its_own_name(explain):
    [used], [own] = explain("head/dense.units"), explain("head/dense.units")
    assert used.value == own.value == 5


def test_what_stands_deeper_in_an_argument_is_found_or_is_a_default(explain):
    [seed] = explain("head/dense.kernel_initializer.HeNormal.seed")
    assert (seed.value, seed.links[0].span.line) == (3, 14)
    [bias] = explain("head/dense.bias_initializer")
    assert (bias.value, reported(bias)) == ("Zeros", [("the default of `Dense`", None)])


def test_the_merge_of_parallel_branches_has_its_place(explain):
    [axis] = explain("parallel/concatenate.axis")
    assert (axis.value, axis.links[0].span.line) == (1, 30)


def test_a_layer_alone_is_all_its_arguments(explain):
    found = explain("d")
    assert found[0].name == "d.units"
    assert len(found) > 5


def test_a_path_of_the_document_leads_to_every_use_of_its_line():
    found = nnspec.explain(RESNET, "blocks.conv_bn.layers[0].Conv2D.strides")
    assert len(found) == 21
    assert sorted(origin.value for origin in found) == [1] * 17 + [2] * 4
    assert {origin.links[0].span.line for origin in found} == {9}


def test_a_section_has_written_values_and_defaults(explain):
    assert [o.value for o in explain("train.epochs")] == [3]
    [size] = explain("train.batch_size")
    assert (size.value, reported(size)) == (32, [("the default of `train`", None)])
    [rate] = explain("train.optimizer.SGD.learning_rate")
    assert rate.value == 0.04
    assert reported(rate)[1] == ("`width` = 4, a param of the document: written here", 3)
    [momentum] = explain("train.optimizer.momentum")
    assert reported(momentum) == [("the default of `SGD`", None)]


def test_a_layer_by_its_place_in_the_document_has_defaults_too(explain):
    [origin] = explain("layers[2].Dense.activation")
    assert origin.name == "d.activation"
    assert reported(origin) == [("the default of `Dense`", None)]


@pytest.mark.parametrize(
    ("path", "reported"),
    [
        ("frist/dense.units", "unknown step `frist`; did you mean `first`?"),
        ("first/dens.units", "unknown step `dens` in `first`; did you mean `dense`?"),
        ("d.unit", "`Dense` has no argument `unit`; did you mean `units`?"),
        ("d.units[", "is not a valid path"),
        ("first", "`first` is a use of `unit`, not a layer; its parts are dense, dense_1"),
        ("train.batchsize", "`train` has no argument `batchsize`; did you mean `batch_size`?"),
        ("layers[9].Dense.units", "has no `layers[9]`"),
        ("param.width", "unknown step `param`"),
        ("export.opset", "has no `export`"),
        ("d.units.x", "`d` has no `units.x`"),
        ("", "expected a step; the steps are first, steps"),
        ("head/", "expected a step in `head`; the steps are dense"),
    ],
)
def test_what_is_not_there_is_an_error_with_a_suggestion(explain, path, reported):
    with pytest.raises(NnspecError) as error:
        explain(path)
    assert reported in str(error.value)


_PIECES = [
    "first",
    "steps",
    "d",
    "head",
    "dense",
    "units",
    "train",
    "optimizer",
    "layers",
    "[0]",
    "[99]",
    ".",
    "/",
    "Dense",
    "params",
    "",
]


@given(st.lists(st.sampled_from(_PIECES), max_size=7).map("".join) | st.text(max_size=12))
def test_any_path_is_answered_or_refused(path):
    with TemporaryDirectory() as folder:
        file = Path(folder) / "net.nnspec.yaml"
        file.write_text(SPEC, encoding="utf-8")
        try:
            for origin in nnspec.explain(file, path):
                assert origin.links
                assert origin.text()
                json.dumps(origin.as_json())
        except NnspecError as error:
            assert str(error)


def test_the_command_prints_text_and_json():
    path = "unit/0/residual/conv_bn/conv2d.filters"
    text = CliRunner().invoke(main, ["explain", str(RESNET), path]).stdout
    assert text.splitlines()[0] == f"{path} = 16"
    assert f"{RESNET}:4:30 " in text
    [told_as_json] = json.loads(CliRunner().invoke(main, ["explain", str(RESNET), path, "--format", "json"]).stdout)
    assert told_as_json["value"] == 16
    assert [link["line"] for link in told_as_json["origin"]] == [9, 16, 36, 4]
    assert [use["op"] for use in told_as_json["uses"]] == ["unit", "Residual", "conv_bn"]
