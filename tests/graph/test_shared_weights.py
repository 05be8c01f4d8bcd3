"""Weights that several steps use: `freeze` and `weights` of one use hold for all, or contradict each other aloud."""

from __future__ import annotations

import pytest

TOWER = "  tower: {inputs: {x: [4]}, layers: [{Dense: {units: 4}}]}\n"
HEAD = f"nnspec: 1\nname: net\nnetworks:\n{TOWER}inputs: {{a: [4], b: [4]}}\nlayers:\n"
OUTER = HEAD.replace(
    "inputs: {a", "  outer: {inputs: {x: [4]}, layers: [{tower: null, name: inner}, {Dense: {units: 4}}]}\ninputs: {a"
)
END = "  - Add:\n    from: [one, two]\n  - Dense: {units: 1}\n    name: out\n"


def use(name, source, op="tower", *more):
    return f"  - {op}:\n    name: {name}\n    from: {source}\n" + "".join(f"    {line}\n" for line in more)


FROZEN = "freeze: true"
DOCUMENTS = {
    "the first use": (HEAD + use("one", "a", "tower", FROZEN) + use("two", "b") + END, 5, "two"),
    "the last use": (HEAD + use("one", "a") + use("two", "b", "tower", FROZEN) + END, 5, "one"),
    "both uses": (HEAD + use("one", "a", "tower", FROZEN) + use("two", "b", "tower", FROZEN) + END, 5, None),
    "the use of a network around it": (OUTER + use("one", "a", "outer", FROZEN) + use("two", "b") + END, 5, "two"),
    "the use inside another network": (
        OUTER.replace("name: inner", "name: inner, freeze: true") + use("one", "a", "outer") + use("two", "b") + END,
        25,
        "two",
    ),
    "a layer of the network": (
        HEAD.replace("{Dense: {units: 4}}", "{Dense: {units: 4}, freeze: true}") + use("one", "a") + use("two", "b") + END,
        5,
        None,
    ),
    "a group around the use": (
        HEAD + "  - repeat: 1\n    name: one\n    from: a\n    freeze: true\n    layers: [tower]\n" + use("two", "b") + END,
        5,
        "two",
    ),
    "a second use by share": (
        HEAD
        + "  - Dense: {units: 4}\n    name: one\n    from: a\n  - share: one\n    name: two\n    from: b\n    freeze: true\n"
        + END,
        5,
        "one",
    ),
    "the layer that is shared": (
        HEAD
        + "  - Dense: {units: 4}\n    name: one\n    from: a\n    freeze: true\n  - share: one\n    name: two\n    from: b\n"
        + END,
        5,
        "two",
    ),
    "a residual around the use": (
        HEAD + "  - Residual: {layers: [tower]}\n    name: one\n    from: a\n    freeze: true\n" + use("two", "b") + END,
        5,
        "two",
    ),
}


@pytest.mark.parametrize("case", DOCUMENTS)
def test_what_one_use_freezes_is_frozen_in_all_and_the_others_are_reported(checked, case):
    text, trainable, reported = DOCUMENTS[case]
    model, problems = checked(text)
    assert not any(p.is_error for p in problems)
    assert model.main.trainable_parameters == trainable
    assert [p.message.split("`")[1] for p in problems if p.code == "NN251"] == ([reported] if reported else [])


@pytest.mark.parametrize("case", DOCUMENTS)
def test_keras_trains_as_many_parameters_as_inspect_says(checked, case):
    from nnspec.api import to_keras

    model, _ = checked(DOCUMENTS[case][0])
    trained = sum(variable.shape.num_elements() for variable in to_keras(model.main).trainable_variables)
    assert trained == model.main.trainable_parameters


def test_two_files_for_one_copy_of_weights_are_an_error_at_the_second(checked):
    text = HEAD + use("one", "a", "tower", "weights: a.safetensors") + use("two", "b", "tower", "weights: b.safetensors") + END
    _, problems = checked(text)
    assert [(p.code, p.span.line) for p in problems if p.code == "NN252"] == [("NN252", 14)]


@pytest.mark.parametrize("first", [True, False])
def test_a_file_named_at_one_use_is_the_start_of_all(checked, first):
    given = "weights: {file: a.safetensors, prefix: old}"
    one, two = ((given,), ()) if first else ((), (given,))
    model, _ = checked(HEAD + use("one", "a", "tower", *one) + use("two", "b", "tower", *two) + END)
    [(identity, _, node)] = [found for found in model.main.weights() if found[0] == "tower/dense/kernel"]
    assert node.start.name_there(identity) == "old/dense/kernel"


@pytest.mark.parametrize(
    ("prefix", "name"), [('""', "dense/kernel"), ("body", "body/dense/kernel"), ("null", "tower/dense/kernel")]
)
def test_the_prefix_of_a_named_use_stands_for_the_networks_name(checked, prefix, name):
    text = HEAD + use("one", "a", "tower", f"weights: {{file: a.safetensors, prefix: {prefix}}}") + use("two", "b") + END
    model, _ = checked(text)
    assert model.main.nodes["one/dense"].start.name_there("tower/dense/kernel") == name


def test_a_layer_that_is_shared_starts_from_the_file_that_a_later_use_names(checked):
    text = (
        HEAD
        + (
            "  - Dense: {units: 4}\n    name: one\n    from: a\n  - share: one\n    name: two\n    from: b\n"
            "    weights: {file: a.safetensors, prefix: old}\n"
        )
        + END
    )
    model, _ = checked(text)
    assert model.main.nodes["one"].start.name_there("one/kernel") == "old/kernel"


def test_the_weights_of_a_network_inside_a_block_keep_their_name_in_the_file(checked):
    text = (
        HEAD.replace("inputs: {a", "blocks: {unit: {layers: [tower, {Dense: {units: 4}}]}}\ninputs: {a")
        + use("one", "a", "unit", "weights: {file: a.safetensors, prefix: old}")
        + use("two", "b")
        + END
    )
    model, _ = checked(text)
    assert model.main.nodes["one/tower/dense"].start.name_there("tower/dense/kernel") == "tower/dense/kernel"
    assert model.main.nodes["one/dense"].start.name_there("one/dense/kernel") == "old/dense/kernel"
