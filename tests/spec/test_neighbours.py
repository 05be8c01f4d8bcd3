"""What is wrong with one argument hides nothing that is wrong with those beside it."""

from __future__ import annotations

import pytest

from nnspec.api import validate

HEAD = "nnspec: 1\nname: net\n"
NET = HEAD + "inputs: {x: [4]}\nlayers:\n  - Dense: {units: 8}\n  - Dense: {units: 3, activation: softmax}\n    name: y\n"
LOSS = "loss: SparseCategoricalCrossentropy"


@pytest.fixture
def paths(write):
    """The paths of the errors."""
    return lambda text: {d.path for d in validate(write(text)) if d.is_error}


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (NET.replace("units: 8", "unit: 3, units: 0"), {"layers[0].Dense.unit", "layers[0].Dense.units"}),
        (NET + f"train: {{epochs: 1, {LOSS}, batchsize: 32, batch_size: 0}}\n", {"train.batchsize", "train.batch_size"}),
        (
            NET + f"train: {{epochs: 1, {LOSS}, optimizer: {{Adam: {{learning_rate: -1, learningrate: 1}}}}}}\n",
            {"train.optimizer.Adam.learning_rate", "train.optimizer.Adam.learningrate"},
        ),
    ],
)
def test_a_misspelt_key_beside_the_right_one_does_not_hide_what_is_wrong_with_that(paths, text, wrong):
    assert paths(text) == wrong


@pytest.mark.parametrize(
    ("train", "wrong"),
    [
        (
            f"epochs: 1, {LOSS}, early_stopping: {{monitor: zz, patience: -3}}",
            {"early_stopping.monitor", "early_stopping.patience"},
        ),
        (
            f"epochs: 1, {LOSS}, reduce_on_plateau: {{monitor: zz, factor: 3}}",
            {"reduce_on_plateau.monitor", "reduce_on_plateau.factor"},
        ),
        (
            f"epochs: 1, {LOSS}, early_stopping: {{monitr: val_loss, patience: -3}}",
            {"early_stopping.monitr", "early_stopping.patience"},
        ),
        (f"{LOSS}, phases: [{{freeze: [dense9], epochs: 0}}]", {"phases[0].freeze[0]", "phases[0].epochs"}),
        (
            f"{LOSS}, phases: [{{epochs: 1, lr: 3}}, {{epochs: 1, loss_weights: {{z: 1}}}}]",
            {"phases[0].lr", "phases[1].loss_weights.z"},
        ),
        (f"{LOSS}, lr: 3", {"", "lr"}),
        (
            f"{LOSS}, optimizer: {{Adam: {{learning_rate: -3}}}}, batch_size: 0",
            {"", "optimizer.Adam.learning_rate", "batch_size"},
        ),
        (f"{LOSS}, freeze: [dense9], early_stopping: {{monitor: zz}}", {"", "freeze[0]", "early_stopping.monitor"}),
    ],
)
def test_errors_beside_each_other_in_train_are_all_reported(paths, train, wrong):
    text = NET + f"data: {{train: {{csv: no.csv}}, validation: 0.1}}\ntrain: {{{train}}}\n"
    assert paths(text) == {f"train.{path}".rstrip(".") for path in wrong}


@pytest.mark.parametrize("train", ["epochs: 0", "epoch: 3", "epochs: $none", "phases: [{epochs: 0}]", "objective: gna"])
def test_a_rule_over_several_arguments_is_silent_where_one_of_them_is_wrong(write, train):
    found = [d for d in validate(write(NET + f"train: {{{LOSS}, {train}, batch_size: 0}}\n")) if d.is_error]
    assert [d.path for d in found if "how long" in d.message] == []


def test_unknown_outputs_are_reported_beside_a_wrong_opset(paths):
    assert paths(NET + "export: {outputs: [z], opset: 3}\n") == {"export.outputs[0]", "export.opset"}


def test_names_under_on_are_reported_whatever_else_is_wrong_with_the_changes(paths):
    change = "{RandomFlip: {mode: sideways}, on: [imag]}, {RandomRotaton: {factor: 1}, on: [zz]}"
    text = HEAD + "inputs: {image: [8, 8, 1]}\nlayers:\n  - Flatten\n  - Dense: {units: 3, activation: softmax}\n    name: y\n"
    text += f"data: {{train: {{builtin: digits}}, augment: [{change}]}}\ntrain: {{epochs: 1, {LOSS}}}\n"
    assert paths(text) == {
        "data.augment[0].RandomFlip.mode", "data.augment[0].on[0]", "data.augment[1]", "data.augment[1].on[0]",
    }  # fmt: skip


def test_a_wrong_transform_of_an_input_hides_no_wrong_column(paths, tmp_path):
    (tmp_path / "d.csv").write_text("a,b,c,d,y\n1,2,3,4,0\n5,6,7,8,1\n")
    data = "train: {csv: d.csv}, inputs: {x: {columns: [a, b, c, dd], transform: [{scale: 2}]}}, targets: {y: q}"
    assert paths(NET + f"data: {{{data}}}\ntrain: {{epochs: 1, {LOSS}}}\n") == {
        "data.inputs.x.transform[0]", "data.inputs.x.columns[3]", "data.targets.y",
    }  # fmt: skip


def test_an_item_of_a_list_is_called_by_its_path(write):
    found = validate(write(NET + f"train: {{{LOSS}, phases: [{{epochs: 1, zzz: 1}}]}}\n"))
    assert [d.message for d in found if d.is_error] == ["unknown key `zzz` in `train.phases[0]`"]
    assert found[0].help.startswith("`train.phases[0]` takes `freeze`, `epochs`")


def test_both_unknown_inputs_of_a_step_are_reported(paths):
    text = HEAD + "inputs: {x: [5, 4], s: [4]}\nlayers:\n  - GRU: {units: 4}\n    from: {sequence: x, first: s}\n"
    assert paths(text) == {"layers[0].from.sequence", "layers[0].from.first"}


@pytest.mark.parametrize("layer", ["LSTM", "GRU", "SimpleRNN"])
@pytest.mark.parametrize("word", ["initial_state", "state", "hidden"])
@pytest.mark.parametrize(
    "place", ["- {layer}: {{units: 4, {word}: s}}\n    from: x", "- {layer}: {{units: 4}}\n    from: x\n    {word}: s"]
)
def test_a_first_state_is_reported_as_an_input(write, layer, word, place):
    text = HEAD + f"inputs: {{x: [5, 4], s: [4]}}\nlayers:\n  {place.format(layer=layer, word=word)}\n"
    [found] = [d for d in validate(write(text)) if d.is_error]
    ports = "state_h: …, state_c: …" if layer == "LSTM" else "state: …"
    assert found.help == f"it is an input: write `from: {{x: …, {ports}}}` next to `{layer}`"
    fed = found.help.split("`")[1].replace("x: …", "x: x").replace("…", "s")
    assert validate(write(HEAD + f"inputs: {{x: [5, 4], s: [4]}}\nlayers:\n  - {layer}: {{units: 4}}\n    {fed}\n")) == []


def test_a_state_of_two_parts_names_each(write):
    text = HEAD + "inputs: {x: [5, 4], s: [4]}\nlayers:\n  - LSTM: {units: 4}\n    from: {x: x, state: s}\n"
    assert [d.help for d in validate(write(text))] == ["use `state_h` and `state_c`"]


def test_values_of_a_target_are_checked_where_an_input_holds_text(write, tmp_path):
    (tmp_path / "d.csv").write_text("a,b,c,t,y\n" + "1,2,3,word,7\n" * 4)
    data = "train: {csv: d.csv}, inputs: {x: {columns: [a, b, c, t]}}, targets: {y: y}"
    found = validate(write(NET + f"data: {{{data}}}\ntrain: {{epochs: 1, {LOSS}}}\n"), data=True)
    assert {(d.code, d.path) for d in found if d.is_error} == {("NN421", "data.inputs.x"), ("NN425", "data.targets.y")}
