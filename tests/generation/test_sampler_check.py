"""The check of samplers: what is wrong, where, and what to write instead."""

from __future__ import annotations

import pytest

import nnspec
from nnspec.generation.sampler_check import sampling_of
from nnspec.spec import load
from tests.generation.samplers import (
    ANCESTRAL,
    CONDITIONED,
    DDIM,
    DENOISER,
    DENOISER_OF_ALL_STEPS,
    DRAWN,
    DRAWN_AT_EVERY_STEP,
    FLOW,
    TRAINED,
)

GOOD = DENOISER + DDIM + TRAINED + DRAWN


@pytest.fixture
def found(tmp_path):
    def problems(text):
        file = tmp_path / "net.nnspec.yaml"
        file.write_text(text)
        return nnspec.validate(file)

    return problems


@pytest.mark.parametrize(
    "text",
    [GOOD, DENOISER_OF_ALL_STEPS + ANCESTRAL + TRAINED + DRAWN_AT_EVERY_STEP, CONDITIONED, FLOW],
    ids=["drawn", "drawn at every step", "conditioned", "flow"],
)
def test_a_right_sampler_has_no_problems(found, text):
    assert not found(text)


@pytest.mark.parametrize(
    ("before", "after", "code", "message", "help"),
    [
        ("network: ddim", "network: dim", "NN701", "no network `dim`", "did you mean `ddim`?"),
        ("count: i", "count: j", "NN701", "`ddim` has no input `j`", "`image`, `i`"),
        ("begin: {image:", "begin: {imag:", "NN701", "`ddim` has no input `imag`", "did you mean `image`?"),
        ("result: image", "result: img", "NN701", "`ddim` has no output `img`", "did you mean `image`?"),
        ("begin:", "condition: [lable], begin:", "NN701", "`ddim` has no input `lable`", "`image`, `i`"),
        ("count: i, ", "", "NN714", "nothing feeds `i` of `ddim`", "write `count: i`"),
        ("begin:", "condition: [image], begin:", "NN714", "fed twice, by `begin` and by `condition`", "remove one"),
        ("begin:", "draw:", "NN714", "fed twice, by `draw` at every step and by the output `image`", "move `image` to `begin`"),
        ("count: i", "count: image", "NN714", "the index of a step is an integer", "{shape: [], dtype: int32}"),
        ("{normal: image}", "{normal: [8, 8]}", "NN715", "is (8, 8), and `image` of `ddim` is (8, 8, 1)", "`[8, 8, 1]`"),
        ("{normal: image}", "{normal: imag}", "NN715", "names `imag`, which is not a field", "did you mean `image`?"),
        ("{normal: image}", "{integers: {shape: image, below: 3}}", "NN715", "is int32", "normal"),
        ("{normal: image}", "permutation", "NN", "permutation", ""),
        ("{normal: image}", "{gaussian: image}", "NN", "gaussian", "normal"),
        ("steps: $jumps", "steps: 0", "NN", "steps", ""),
        ("count: i", "counter: i", "NN103", "counter", "count"),
        ("count: i", "seed: 1, count: i", "NN103", "seed", "--seed 3"),
        ("result: image", "output: image", "NN103", "output", "result"),
        ("network: ddim, ", "", "NN", "network", ""),
    ],
)
def test_a_wrong_sampler_is_reported_with_what_to_write(found, before, after, code, message, help):
    assert before in DRAWN
    problems = found(GOOD.replace(DRAWN, DRAWN.replace(before, after)))
    [wanted] = [problem for problem in problems if problem.code.startswith(code) and message in problem.message]
    assert wanted.is_error
    assert help in (wanted.help or "")
    assert "generate:" in GOOD.splitlines()[wanted.span.line - 1]


def test_an_output_of_another_shape_cannot_be_fed_back_and_is_reported_at_its_step(found):
    text = GOOD.replace("outputs: {image: s.next}", "outputs: {image: flat}").replace(
        "        name: s\n", "        name: s\n      - Flatten:\n        from: s.next\n        name: flat\n"
    )
    [problem] = [problem for problem in found(text) if problem.code == "NN716"]
    assert "Flatten" in text.splitlines()[problem.span.line - 1]
    assert "(64,) (float32)" in problem.message


def test_several_steps_without_feedback_are_an_error(found):
    text = GOOD.replace("outputs: {image: s.next}", "outputs: {sample: s.next}").replace("result: image", "result: sample")
    [problem] = [problem for problem in found(text) if problem.code == "NN717"]
    assert "the inputs are `image`, `i`, and the outputs `sample`" in problem.help


def test_a_sampler_that_draws_nothing_is_an_error(found):
    text = GOOD.replace(", begin: {image: {normal: image}}", "")
    assert any("nothing is drawn or given" in problem.message for problem in found(text))


def test_a_condition_must_fit_the_field_whose_values_it_takes(found):
    text = (
        CONDITIONED.replace(
            "inputs: {label: {shape: [], dtype: int32}, code: [4]}", "inputs: {label: {shape: [1], dtype: int32}, code: [4]}"
        )
        .replace(
            "        from: label\n      - Con", "        from: label\n      - Flatten\n        name: embedded\n      - Con"
        )
        .replace("[embedding, code]", "[embedded, code]")
    )
    assert any("whose values it takes" in problem.message for problem in found(text))


def test_weights_that_nothing_trains_are_an_error(found):
    other = (
        "  other:\n    inputs: {image: [8, 8, 1]}\n    layers:\n      - Conv2D: {filters: 1, kernel_size: 3, padding: same}\n"
    )
    text = DENOISER + other + "    outputs: {image: conv2d}\n" + TRAINED
    text += "export: {network: denoiser}\n"
    text += "generate: {network: other, steps: 3, begin: {image: {normal: image}}, result: image}\n"
    [problem] = [problem for problem in found(text) if problem.code == "NN718"]
    assert "`other/conv2d/kernel`" in problem.message
    assert "`denoiser`" in problem.help


def test_free_sizes_take_those_of_what_is_drawn(tmp_path):
    text = (
        "nnspec: 1\nname: net\nnetworks:\n  step:\n    inputs: {image: [H, W, 1]}\n    layers:\n"
        "      - Conv2D: {filters: 1, kernel_size: 3, padding: same}\n    outputs: {image: conv2d}\n"
        "generate: {network: step, steps: 3, begin: {image: {normal: [6, 4, 1]}}, result: image}\n"
    )
    file = tmp_path / "net.nnspec.yaml"
    file.write_text(text)
    spec = load(file)
    sampling = sampling_of(spec, nnspec.compile(spec))
    assert sampling.type.shape == (6, 4, 1)
    assert nnspec.validate(file) == []


def test_sizes_that_the_network_does_not_accept_are_an_error(found):
    text = (
        "nnspec: 1\nname: net\nnetworks:\n  step:\n    inputs: {image: [H, W, 1]}\n    layers:\n"
        "      - MaxPooling2D\n      - UpSampling2D:\n        name: up\n      - Add:\n        from: [image, up]\n"
        "    outputs: {image: add}\n"
        "generate: {network: step, steps: 3, begin: {image: {normal: [6, 5, 1]}}, result: image}\n"
    )
    [problem] = found(text)
    assert problem.code == "NN715"
    assert "`W` must be" in problem.message


def test_a_state_without_a_beginning_is_zeros(tmp_path):
    text = (
        "nnspec: 1\nname: net\nnetworks:\n  step:\n    inputs: {x: [3], total: [3]}\n    layers:\n"
        "      - Compute: {total: total + x}\n        name: s\n    outputs: {total: s}\n"
        "generate: {network: step, steps: 3, begin: {x: {uniform: {shape: [3]}}}, result: total}\n"
    )
    file = tmp_path / "net.nnspec.yaml"
    file.write_text(text)
    spec = load(file)
    sampling = sampling_of(spec, nnspec.compile(spec))
    assert sampling.zeros == ("total",)
    assert list(sampling.inputs) == ["x"]
