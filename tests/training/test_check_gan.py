"""The objective gan against its networks, without a framework."""

from __future__ import annotations

import pytest

from nnspec.training.plan import Monitor

from .pairs import CONDITIONAL, DATA, DISCRIMINATOR, GENERATOR, LABELLED, PAIR, trained


def planned(project, text: str):
    plan, problems = project.plan(text)
    assert problems == [] and plan is not None
    return plan


def reported(project, text: str, *, require_data: bool = True) -> list[tuple[str, str]]:
    return [(x.code, x.message) for x in project.plan(text, require_data=require_data)[1]]


def test_a_pair_is_found_without_a_word_more_than_gan(project):
    plan = planned(project, PAIR + DATA + trained()).own
    assert (plan.noise, plan.generator_output, plan.example_input, plan.conditions, plan.score_output) == (
        "noise",
        "image",
        "image",
        (),
        "logit",
    )


def test_both_networks_are_counted_and_their_last_weights_kept(project):
    plan = planned(project, PAIR + DATA + trained())
    assert plan.graph.parameters == sum(graph.parameters for graph in plan.networks.values())
    assert plan.monitor == Monitor("epoch", "max")


def test_data_feed_the_discriminator_alone(project):
    assert list(planned(project, PAIR + DATA + trained()).data.feeds) == ["inputs.image"]


def test_a_label_conditions_both(project):
    plan = planned(project, CONDITIONAL + LABELLED + trained("{gan: {condition: [label]}}"))
    assert plan.own.conditions == ("label",)
    assert plan.data.tables == {"label": 10}


def test_a_pair_that_is_built_only_need_not_say_how_long_it_trains(project):
    text = PAIR + DATA + "train: {objective: gan}\n"
    assert reported(project, text, require_data=False) == []
    assert [code for code, _ in reported(project, text)] == ["NN514"]


@pytest.mark.parametrize(
    ("objective", "code", "part"),
    [
        ("{gan: {generator: generatr}}", "NN560", "no network `generatr`"),
        ("{gan: {generator: discriminator}}", "NN561", "they are the same network"),
        ("{gan: {noise: z}}", "NN561", "no noise input `z`"),
        ("{gan: {condition: [label]}}", "NN561", "`generator` has no input `label`"),
        ("{gan: {losss: hinge}}", "NN103", "losss"),
        ("{gan: {loss: hinge, label_smoothing: 0.1}}", "NN105", "`hinge` has none"),
        ("{gan: {gradient_penalty: 10, weight_clip: 0.01}}", "NN105", "remove one of the two"),
        ("{gan: {loss: wasserstein}}", "NN566", "nothing bounds"),
        ("{gan: {steps: {critic: 5}}}", "NN103", "critic"),
        ("gans", "NN109", "gans"),
    ],
)
def test_an_argument_that_does_not_fit_is_named(project, objective, code, part):
    found = reported(project, PAIR + DATA + trained(objective))
    assert any(part in message and given == code for given, message in found), found


@pytest.mark.parametrize(
    ("networks", "code", "part"),
    [
        (PAIR.replace("units: 1}", "units: 1, activation: sigmoid}"), "NN562", "ends in `sigmoid`"),
        (PAIR.replace("units: 1}", "units: 2}"), "NN562", "ends in (2,)"),
        (PAIR.replace("[8, 8, 1]}\n        name", "[8, 4, 2]}\n        name"), "NN561", "returns (8, 4, 2)"),
        ("networks:\n" + GENERATOR, "NN560", "`discriminator`"),
        (CONDITIONAL, "NN530", "is the noise input"),
    ],
)
def test_networks_that_make_no_pair_are_refused(project, networks, code, part):
    found = reported(project, networks + DATA + trained(), require_data=False)
    assert any(part in message and given == code for given, message in found), found


def test_a_condition_of_two_types_is_refused(project):
    other = CONDITIONAL.replace(
        "label: {shape: [], dtype: int32}}\n    layers:\n      - Flatten", "label: [10]}\n    layers:\n      - Flatten"
    )
    other = other.replace("      - Embedding: {input_dim: 10, output_dim: 8}\n        name: which\n        from: label\n", "")
    other = other.replace("from: [flatten, which]", "from: [flatten, label]")
    found = reported(project, other + LABELLED + trained("{gan: {condition: [label]}}"), require_data=False)
    assert [code for code, _ in found] == ["NN561"]


def test_least_squares_may_end_in_a_sigmoid(project):
    assert (
        reported(
            project,
            PAIR.replace("units: 1}", "units: 1, activation: sigmoid}") + DATA + trained("{gan: {loss: least_squares}}"),
        )
        == []
    )


def test_batch_normalization_under_a_penalty_is_warned_of(project):
    networks = "networks:\n" + GENERATOR + DISCRIMINATOR.replace("- LeakyReLU", "- LeakyReLU\n      - BatchNormalization")
    found = reported(project, networks + DATA + trained("{gan: {loss: wasserstein, gradient_penalty: 10}}"))
    assert [code for code, _ in found] == ["NN565"]


@pytest.mark.parametrize(
    "key", ["loss: mse", "metrics: [Accuracy]", "class_weight: balanced", "reduce_on_plateau: {}", "loss_weights: {logit: 2}"]
)
def test_what_has_no_meaning_for_a_pair_is_refused(project, key):
    assert "NN563" in {code for code, _ in reported(project, PAIR + DATA + trained(more=f", {key}"))}


@pytest.mark.parametrize(
    "optimizer",
    ["{generator: Adam}", "{generator: Adam, discriminatr: Adam}", "{generator: Adam, discriminator: Adam, main: SGD}"],
)
def test_optimizers_are_those_of_the_networks(project, optimizer):
    assert "NN564" in {code for code, _ in reported(project, PAIR + DATA + trained(more=f", optimizer: {optimizer}"))}


def test_one_network_has_one_optimizer(project):
    text = (
        "inputs: {image: [8, 8, 1]}\nlayers:\n  - Flatten\n  - Dense: {units: 10, activation: softmax}\n    name: target\n"
        + DATA
    )
    found = reported(project, text + "train: {epochs: 1, loss: SparseCategoricalCrossentropy, optimizer: {main: Adam}}\n")
    assert [code for code, _ in found] == ["NN564"]


def test_what_is_watched_must_say_which_way_is_better(project):
    stopping = ", early_stopping: {monitor: diversity, patience: 2}"
    assert [code for code, _ in reported(project, PAIR + DATA + trained(more=stopping))] == ["NN510"]
    stopping = ", early_stopping: {monitor: diversity, mode: max, patience: 2}"
    assert planned(project, PAIR + DATA + trained(more=stopping)).monitor == Monitor("diversity", "max")


def test_noise_on_what_is_judged_is_that_of_one_input(project):
    assert [code for code, _ in reported(project, PAIR + DATA + trained(more=", input_noise: {picture: 0.1}"))] == ["NN519"]
    assert [code for code, _ in reported(project, PAIR + DATA + trained(more=", label_noise: {logit: 0.1}"))] == ["NN519"]
    planned(project, PAIR + DATA + trained(more=", input_noise: {image: 0.1}, label_noise: 0.05"))


def test_a_loss_is_still_asked_of_the_other_objectives(project):
    text = "inputs: {x: [4]}\nlayers:\n  - Dense: {units: 1}\n"
    assert [code for code, _ in reported(project, text + "train: {epochs: 1}\n", require_data=False)] == ["NN104"]
