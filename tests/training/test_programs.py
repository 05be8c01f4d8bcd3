"""Training programs: what is computed, that a stopped training resumes bit for bit, and that a program which fails is refused."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import numpy as np
import pytest

from benchmarks.resume import differences
from nnspec.reports import to_page
from nnspec.spec import load
from nnspec.training import Run, evaluate, resume, train
from nnspec.training.loop.progress import Quiet

from .pairs import PAIR
from .test_resume import Listening

pytest.importorskip("keras")

HEAD = "nnspec: 1\nname: net\n"
DATA = "data: {train: {npz: a.npz}, validation: 0.25}\n"
IMAGE = "inputs: {image: [4, 4, 1]}\n"
PENALIZED = (
    """networks:
  generator:
    inputs: {noise: [5]}
    layers: [{Dense: {units: 16}}, BatchNormalization, ReLU, {Dense: {units: 16}}, {Reshape: {target_shape: [4, 4, 1]}}]
  critic:
    inputs: {image: [4, 4, 1]}
    layers: [Flatten, {Dense: {units: 16, activation: tanh}}, {Dropout: 0.3}, {Dense: {units: 1}}]
"""
    + IMAGE
    + DATA
    + """train:
  objective:
    program:
      draw: {noise: {normal: [5]}, share: {uniform: {shape: [1, 1, 1]}}}
      average: {smooth: {of: generator, decay: 0.9}}
      layers:
        - generator:
          from: noise
        - smooth:
          from: noise
        - critic:
          from: image
          name: real
        - critic:
          from: generator
          name: fake
        - Compute: share * image + (1 - share) * generator
          name: mixed
        - critic:
          from: mixed
          name: score
        - Compute:
            slope: gradient(score, mixed)
            penalty: square(sqrt(sum(square(slope), axis=[1, 2, 3]) + 1e-12) - 1)
            critic_loss: mean(fake) - mean(real) + 10 * mean(penalty)
            generator_loss: -fake
          name: losses
        - Compute: mean(abs(smooth - generator)) + cast(step, 'float32') / 100
          name: distance
      minimize:
        - {loss: losses.critic_loss, of: critic, times: 2}
        - {loss: losses.generator_loss, of: generator, optimizer: {Adam: {beta_1: 0.5}}}
      show: [real, fake, distance]
  epochs: 4
  batch_size: 10
  seed: 3
export: {network: generator}
"""
)
"""A gradient penalty, draws, an average, dropout, batch statistics, two optimizers and the step."""

NETWORK = "networks:\n  encoder:\n    inputs: {image: [4, 4, 1]}\n    layers: [Flatten, {Dense: {units: 3}}]\n" + IMAGE + DATA
STEPS = """train:
  objective:
    program:
      layers:
        - encoder:
          from: image
        - Compute: square(encoder - 1)
          name: error
      minimize: [{loss: error, of: encoder}]
  epochs: 2
  batch_size: 16
export: {network: encoder}
"""


@pytest.fixture
def written(tmp_path):
    np.savez(tmp_path / "a.npz", image=np.random.default_rng(0).uniform(size=(128, 4, 4, 1)).astype(np.float32))

    def write(text: str):
        file = tmp_path / "net.nnspec.yaml"
        file.write_text(HEAD + text, encoding="utf-8")
        return file

    return write


@pytest.fixture
def two_steps_a_call(monkeypatch):
    from nnspec.training.loop import loop

    monkeypatch.setattr(loop, "_INITIAL_STEPS_PER_CALL", 2)
    monkeypatch.setattr(loop, "_MOST_STEPS_PER_CALL", 2)


def test_a_stopped_program_with_averages_penalty_and_draws_resumes_to_the_same_bits(written, two_steps_a_call):
    file = written(PENALIZED)
    whole = train(load(file), out=file.parent / "whole", progress=Quiet())
    first = train(load(file), out=file.parent / "cut", progress=Listening(5))
    assert first.status == "interrupted"
    last = resume(file.parent / "cut", progress=Quiet())
    assert differences(whole.path, last.path) == []
    assert {k: v for k, v in last.weights().items() if (v != whole.weights()[k]).any()} == {}


def test_the_loss_of_a_program_is_the_mean_of_its_elements_and_the_gradient_that_of_the_mean(written):
    spec = STEPS.replace("epochs: 2", "steps: 1, optimizer: {SGD: {learning_rate: 0.5}}").replace("steps: 1, ", "steps: 1\n  ")
    file = written(NETWORK.replace(", validation: 0.25", "") + spec.replace("batch_size: 16", "batch_size: 128"))
    run = train(load(file), out=file.parent / "run", progress=Quiet())
    images = np.load(file.parent / "a.npz")["image"].reshape(128, 16)
    from nnspec.graph import compile
    from nnspec.keras_backend import to_keras, weight_arrays

    graph = compile(load(file)).networks["encoder"]
    first = weight_arrays(to_keras(graph, seed=0), graph)
    outputs = images @ first["encoder/dense/kernel"] + first["encoder/dense/bias"]
    gradient = 2 * (outputs - 1) / outputs.size
    np.testing.assert_allclose(
        run.weights()["encoder/dense/kernel"], first["encoder/dense/kernel"] - 0.5 * images.T @ gradient, atol=1e-6
    )
    assert run.metrics()[-1]["loss"] == pytest.approx(((outputs - 1) ** 2).mean(), rel=1e-5)


def test_an_average_follows_the_weights_and_statistics_of_its_network(written):
    text = PENALIZED.replace("epochs: 4", "steps: 1").replace("decay: 0.9", "decay: 0.75")
    file = written(text)
    run = train(load(file), out=file.parent / "run", progress=Quiet())
    from nnspec.graph import compile
    from nnspec.keras_backend import to_keras, weight_arrays

    graph = compile(load(file)).networks["generator"]
    first = weight_arrays(to_keras(graph, seed=3), graph)
    last = run.weights()
    for name, before in first.items():
        expected = 0.75 * before + 0.25 * last[name]
        np.testing.assert_allclose(last[name.replace("generator/", "smooth/")], expected, atol=1e-6, err_msg=name)


def test_validation_draws_the_same_values_each_time(written):
    file = written(STEPS_OF_DRAW)
    run = train(load(file), out=file.parent / "run", progress=Quiet())
    assert len({each["val_drawn"] for each in run.metrics()}) == 1
    assert len({each["drawn"] for each in run.metrics()}) == len(run.metrics())


STEPS_OF_DRAW = NETWORK + STEPS.replace("      layers:\n", "      draw: {noise: {normal: image}}\n      layers:\n", 1).replace(
    "      minimize", "        - Compute: noise\n          name: drawn\n      show: [drawn]\n      minimize"
)

_CONTRAST = """        - Compute: concatenate([first, second], axis=0)
          name: both
        - encoder:
          from: both
        - Compute:
            z: normalize(encoder, axis=1)
            similar: z @ transpose(z) / 0.5
            itself: expand_dims(arange(2 * B), 0) == expand_dims(arange(2 * B), 1)
            logits: where(itself, -1e9, similar)
            partner: (arange(2 * B) + B) % (2 * B)
            loss: logsumexp(logits, axis=1) - squeeze(take_along_axis(logits, expand_dims(partner, 1), axis=1), 1)
            hit: argmax(logits, axis=1) == partner
          name: contrast
      minimize: [{loss: contrast.loss, of: encoder}]
      show: {accuracy: contrast.hit}
"""
CONTRAST = (
    NETWORK
    + "train:\n  objective:\n    program:\n      draw:\n        first: {view: image, layers: [{GaussianNoise: 0.1}]}\n"
    + "        second: {view: image, layers: [{GaussianNoise: 0.1}]}\n      layers:\n"
    + _CONTRAST
    + "  epochs: 3\n  batch_size: 40\nexport: {network: encoder}\n"
)


def test_where_examples_meet_a_smaller_last_batch_is_left_out_of_the_training_only(written):
    file = written(CONTRAST)
    run = train(load(file), out=file.parent / "run", progress=Quiet())
    assert [each["step"] for each in run.metrics()] == [2, 4, 6]  # 96 examples in batches of 40
    assert evaluate(run, part="train")["rows"] == 96


def test_a_batch_that_is_smaller_than_the_batch_size_is_used_if_it_is_the_only_one(written):
    file = written(CONTRAST.replace("batch_size: 40", "batch_size: 1000"))
    run = train(load(file), out=file.parent / "run", progress=Quiet())
    assert [each["step"] for each in run.metrics()] == [1, 2, 3]


def test_a_run_of_a_program_has_a_report_and_exports_the_network_that_is_named(written):
    file = written(PENALIZED.replace("epochs: 4", "epochs: 1"))
    run = train(load(file), out=file.parent / "run", progress=Quiet())
    assert "critic_loss" in to_page(run)
    assert run.info["program"]["network"] == "generator"


def test_a_copy_of_a_network_that_uses_another_has_its_own_copy_of_both(written):
    text = (
        "networks:\n  inner:\n    inputs: {x: [16]}\n    layers: [{Dense: {units: 4}}]\n"
        "  outer:\n    inputs: {image: [4, 4, 1]}\n    layers: [Flatten, inner, {Dense: {units: 2}}]\n"
        + IMAGE
        + DATA
        + STEPS.replace("encoder", "outer")
        .replace("      layers:\n", "      average: {slow: {of: outer}}\n      layers:\n", 1)
        .replace(
            "        - Compute: square(outer - 1)",
            "        - slow:\n          from: image\n        - Compute: square(outer - slow - 1)",
        )
    )
    file = written(text)
    run = train(load(file), out=file.parent / "run", progress=Quiet())
    names = set(run.weights())
    assert {"inner/dense/kernel", "slow_inner/dense/kernel", "outer/dense/kernel", "slow/dense/kernel"} <= names
    assert not np.array_equal(run.weights()["inner/dense/kernel"], run.weights()["slow_inner/dense/kernel"])


def test_networks_that_share_a_network_train_one_copy_of_it(written):
    text = (
        "networks:\n  shared:\n    inputs: {x: [16]}\n    layers: [{Dense: {units: 4}}]\n"
        "  one:\n    inputs: {image: [4, 4, 1]}\n    layers: [Flatten, shared, {Dense: {units: 2}}]\n"
        "  two:\n    inputs: {image: [4, 4, 1]}\n    layers: [Flatten, shared, {Dense: {units: 3}}]\n"
        + IMAGE
        + DATA
        + "train:\n  objective:\n    program:\n      layers:\n        - one:\n          from: image\n        - two:\n          from: image\n"
        "        - Compute: {a: square(one - 1), b: square(two - 1)}\n          name: losses\n"
        "      minimize: [{loss: losses.a, of: one}, {loss: losses.b, of: two}]\n  epochs: 1\nexport: {network: one}\n"
    )
    file = written(text)
    run = train(load(file), out=file.parent / "run", progress=Quiet())
    assert sum(name.startswith("shared/") for name in run.weights()) == 2


# Each backend draws other numbers, so these programs draw none, and both backends start from the same weights. A weight that a loss
# does not depend on has a gradient of rounding alone, of which Adam makes whole steps: these programs have no such weight. Two
# networks that train against each other do not avoid it, so SGD trains them; and a ReLU near 0 is on in one of the backends only, so
# the activations are smooth.
PENALIZED_WITHOUT_DRAWS = (
    PENALIZED.replace("  epochs: 4", "  optimizer: {SGD: {learning_rate: 0.05}}\n  epochs: 2")
    .replace("{Adam: {beta_1: 0.5}}", "{SGD: {learning_rate: 0.05, momentum: 0.5}}")
    .replace("BatchNormalization, ReLU", "BatchNormalization, {Activation: tanh}")
    .replace(", {Dropout: 0.3}", "")
    .replace("{Dense: {units: 16}}, BatchNormalization", "{Dense: {units: 16, use_bias: false}}, BatchNormalization")
    .replace("{Dense: {units: 1}}", "{Dense: {units: 1, use_bias: false}}")
    .replace("      draw: {noise: {normal: [5]}, share: {uniform: {shape: [1, 1, 1]}}}\n", "")
    .replace("inputs: {noise: [5]}\n    layers: [", "inputs: {blurred: [4, 4, 1]}\n    layers: [Flatten, ")
    .replace("from: noise", "from: image")
    .replace("share * image + (1 - share)", "0.3 * image + 0.7")
)
CONTRAST_WITHOUT_DRAWS = CONTRAST.replace("{GaussianNoise: 0.1}", "{Rescaling: 0.9}", 1).replace(
    "GaussianNoise: 0.1", "Rescaling: 1.1"
)
TRIPLET = (
    NETWORK.replace("units: 3}", "units: 3, use_bias: false}").replace(
        "[4, 4, 1]}\n" + DATA, "[4, 4, 1], digit: {shape: [], dtype: int32}}\n" + DATA
    )
    + "train:\n  objective: {triplet: {network: encoder, input: image, label: digit}}\n"
    + "  epochs: 3\n  batch_size: 16\n"
    + "export: {network: encoder}\n"
)


@pytest.mark.parametrize(
    "text",
    [
        NETWORK + STEPS,
        pytest.param(
            PENALIZED_WITHOUT_DRAWS,
            marks=pytest.mark.xfail(
                reason="about one run in four differs by 0.3 %, others by 2e-7: the cause is not known yet"
            ),
        ),
        CONTRAST_WITHOUT_DRAWS,
        TRIPLET,
    ],
    ids=["one network", "gradient penalty, average, two optimizers", "contrast within a batch", "triplets"],
)
def test_jax_and_tensorflow_train_a_program_alike(written, text):
    pytest.importorskip("jax")
    file = written(text)
    labels = np.random.default_rng(1).integers(0, 4, 128).astype(np.int32)
    np.savez(file.parent / "a.npz", image=np.load(file.parent / "a.npz")["image"], digit=labels)

    def trained(name: str, backend: str) -> Run:
        command = [sys.executable, "-m", "nnspec", "train", str(file), "--out", str(file.parent / name), "--backend", backend]
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"})
        return Run.open(file.parent / name)

    start = trained("start", "tensorflow").weights()
    file.write_text(
        re.sub(r"(?m)^  (\w+):\n    inputs: .*$", r"\g<0>\n    weights: {file: start, prefix: \1}", file.read_text())
    )
    ours, theirs = trained("ours", "tensorflow"), trained("theirs", "jax")
    for name, array in ours.weights().items():
        np.testing.assert_allclose(theirs.weights()[name], array, atol=3e-4, rtol=1e-3, err_msg=name)
    assert any((array != start[name]).any() for name, array in ours.weights().items())
    for mine, other in zip(ours.metrics(), theirs.metrics(), strict=True):
        for name in mine.keys() - {"seconds", "examples_per_second"}:
            assert other[name] == pytest.approx(mine[name], rel=1e-3, abs=1e-4), name


def test_a_step_of_a_program_freezes_its_network_and_names_its_initial_weights(written):
    file = written(NETWORK + STEPS)
    first = train(load(file), out=file.parent / "first", progress=Quiet())
    text = (NETWORK + STEPS).replace(
        "  encoder:\n", "  other:\n    inputs: {code: [3]}\n    layers: [{Dense: {units: 3}}]\n  encoder:\n", 1
    )
    text = (
        text.replace(
            "          from: image\n",
            "          from: image\n          freeze: true\n          weights: {file: first}\n        - other\n",
            1,
        )
        .replace("square(encoder - 1)", "square(other - 1)")
        .replace("of: encoder", "of: other")
    )
    second = train(load(written(text)), out=file.parent / "second", progress=Quiet())
    before, after = first.weights(), second.weights()
    assert {name: (after[name] != before[name]).any() for name in before} == dict.fromkeys(before, False)


def test_a_network_starts_from_the_own_layers_of_a_run(written):
    own = IMAGE + "layers: [Flatten, {Dense: {units: 3}}]\n" + DATA.replace("npz: a.npz}", "npz: a.npz}, targets: {dense: y}")
    images = np.random.default_rng(0).uniform(size=(128, 4, 4, 1)).astype(np.float32)
    file = written(own + "train: {epochs: 1, loss: MeanSquaredError}\n")
    np.savez(file.parent / "a.npz", image=images, y=images[:, 0, :3, 0])
    first = train(load(file), out=file.parent / "first", progress=Quiet())
    text = (NETWORK + STEPS).replace("    layers: [Flatten", "    weights: {file: first}\n    layers: [Flatten", 1)
    second = train(
        load(written(text.replace("epochs: 2", "steps: 1\n  freeze: []"))), out=file.parent / "second", progress=Quiet()
    )
    moved = np.abs(second.weights()["encoder/dense/kernel"] - first.weights()["dense/kernel"])
    assert moved.max() < 0.002  # one step of Adam


# --- what is refused --------------------------------------------------------------------------------------------------------


def found(project, text: str) -> list[tuple[str, str]]:
    return [(problem.code, problem.path.split(" ")[0]) for problem in project.plan(text, require_data=False)[1]]


_AT = "train.objective.program"
CRITIC = "  critic:\n    inputs: {image: [4, 4, 1]}\n    layers: [Flatten, {Dense: {units: 1}}]\n"


@pytest.mark.parametrize(
    ("old", "new", "code", "path"),
    [
        ("square(encoder - 1)", "square(stop_gradient(encoder) - 1)", "NN570", f"{_AT}.minimize[0].loss"),
        ("square(encoder - 1)", "cast(encoder > 1, 'float32')", "NN570", f"{_AT}.minimize[0].loss"),
        ("square(encoder - 1)", "square(encoder - 1) > 2", "NN569", f"{_AT}.minimize[0].loss"),
        ("square(encoder - 1)", "encoder @ encoder", "NN105", _AT),
        ("of: encoder", "of: encodr", "NN569", f"{_AT}.minimize[0].of"),
        ("loss: error", "loss: eror", "NN569", f"{_AT}.minimize[0].loss"),
        ("square(encoder - 1)", "square(encoder - image)", "NN304", f"{_AT}.layers[1].Compute"),
        ("  epochs: 2", "  epochs: 2\n  loss: MeanSquaredError", "NN563", "train.loss"),
        ("  epochs: 2", "  epochs: 2\n  metrics: [Accuracy]", "NN563", "train.metrics"),
        ("        - Compute", "        - Dense: {units: 3}\n        - Compute", "NN567", f"{_AT}.layers[1]"),
        ("      layers:\n", "      draw: {noise: {normal: [0]}}\n      layers:\n", "NN105", f"{_AT}.draw.noise.normal[0]"),
        ("      layers:\n", "      draw: {noise: {normal: imag}}\n      layers:\n", "NN568", f"{_AT}.draw.noise"),
        ("      layers:\n", "      draw: {encoder: {normal: [3]}}\n      layers:\n", "NN568", f"{_AT}.draw.encoder"),
        ("      layers:\n", "      draw: {noise: {norml: [3]}}\n      layers:\n", "NN109", f"{_AT}.draw.noise"),
        ("      layers:\n", "      average: {slow: {of: encodr}}\n      layers:\n", "NN571", f"{_AT}.average.slow.of"),
        (
            "      layers:\n        - encoder",
            "      average: {slow: {of: slow}}\n      layers:\n        - slow",
            "NN571",
            f"{_AT}.average.slow.of",
        ),
        ("      layers:\n", "      average: {encoder: {of: other}}\n      layers:\n", "NN571", f"{_AT}.average.encoder.of"),
        ("      layers:\n", "      average: {critic: {of: encoder}}\n      layers:\n", "NN571", f"{_AT}.average.critic"),
        ("      minimize", "      show: [error]\n      minimize", "NN572", f"{_AT}.show[0]"),
        ("      minimize", "      shw: [error]\n      minimize", "NN103", f"{_AT}.shw"),
        ("        - encoder:\n", "        - encoder:\n          training: 3\n", "NN105", f"{_AT}.layers[0].training"),
    ],
)
def test_a_wrong_program_is_reported_at_its_place(project, old, new, code, path):
    text = NETWORK.replace("networks:\n", f"networks:\n{CRITIC}") + STEPS if "critic" in new else NETWORK + STEPS
    assert old in text
    problems = found(project, text.replace(old, new, 1))
    assert (code, path) in problems, problems


def test_networks_that_use_each_other_are_reported_once_and_not_followed(project):
    pair = "networks:\n  encoder: {inputs: {image: [4, 4, 1]}, layers: [other]}\n  other: {inputs: {image: [4, 4, 1]}, layers: [encoder]}\n"
    assert [code for code, _ in found(project, pair + IMAGE + DATA + STEPS)].count("NN229") == 1


def test_a_good_program_has_no_problems(project):
    assert [problem for problem in found(project, NETWORK + STEPS) if problem[0] not in ("NN402", "NN401")] == []


@pytest.mark.parametrize("objective", ["distillation", "mean_teacher", "triplet"])
def test_a_field_may_have_the_name_of_the_param_of_an_objective_that_names_it(project, objective):
    document = (
        "nnspec: 1\nname: net\ninputs: {input: [4], label: {shape: [], dtype: int32}}\n"
        "networks: {teacher: {inputs: {input: [4]}, layers: [{Dense: {units: 3}}]}}\n"
        "layers:\n  - Dense: {units: 3}\n    from: input\n" + DATA + "train:\n  epochs: 1\n  objective:\n"
    )
    teacher = "teacher: teacher, " if objective == "distillation" else ""
    problems = found(project, f"{document}    {objective}: {{{teacher}input: input, label: label}}\n")
    assert not [code for code, _ in problems if code in ("NN238", "NN304", "NN221")], problems


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("minimize: [{loss: error, of: encoder}]", "minimize: error", "write `minimize: [{loss: …, of: …}]`"),
        ("minimize: [{loss: error, of: encoder}]", "minimize: []", "write `minimize: [{loss: …, of: …}]`"),
        ("      layers:\n", "      average: {slow: {of: encoder, decay: 1.5}}\n      layers:\n", "`decay` must be at most 1"),
        ("      layers:\n", "      average: {slow: {of: encoder, decay: -1}}\n      layers:\n", "`decay` must be at least 0"),
    ],
)
def test_an_error_in_a_program_says_what_may_be_written(project, old, new, words):
    problems = project.plan((NETWORK + STEPS).replace(old, new), require_data=False)[1]
    assert any(words in f"{problem.message} {problem.help}" for problem in problems), problems


# --- networks, losses and gradients that would silently do nothing -----------------------------------------------------------

_OTHER = "  other:\n    inputs: {image: [4, 4, 1]}\n    layers: [Flatten, {Dense: {units: 3}}]\n"
_BOTH = (
    (NETWORK + STEPS)
    .replace("networks:\n", f"networks:\n{_OTHER}")
    .replace(
        "        - Compute: square(encoder - 1)",
        "        - other:\n          from: image\n        - Compute: square(encoder - other)",
    )
)


@pytest.mark.parametrize(
    ("old", "new", "code", "path"),
    [
        ("square(encoder - other)", "square(gradient(encoder, other))", "NN575", f"{_AT}.layers[2]"),
        ("square(encoder - other)", "square(gradient(floor(other), image) + other[0, 0])", "NN575", f"{_AT}.layers[2]"),
        ("  epochs: 2", "  epochs: 2\n  freeze: [encoder]", "NN576", f"{_AT}.minimize[0].of"),
        ("of: encoder}", "of: encoder}, {loss: error, of: other}", None, ""),
        (
            "from: image\n        - other",
            "from: image\n          freeze: true\n        - other",
            "NN570",
            f"{_AT}.minimize[0].loss",
        ),
        ("square(encoder - other)", "square(encoder - other)", "NN578", f"{_AT}.layers[1]"),
        ("        - other:\n", "        - other:\n          freeze: true\n", None, ""),
        ("      layers:\n", "      average: {slow: {of: encoder}}\n      layers:\n", "NN577", f"{_AT}.average.slow"),
        ("square(encoder - other)", "square(encoder - image[:, 0, :3, 0])", "NN579", "export"),
        ("validation: 0.25", "validation: 0.25, targets: {digit: digit}", "NN581", "data.targets.digit"),
    ],
)
def test_a_program_that_would_train_nothing_or_the_wrong_network_is_reported(project, old, new, code, path):
    assert old in _BOTH
    text = _BOTH.replace(old, new, 1)
    text = text.replace("network: encoder", "network: other") if code == "NN579" else text
    problems = [each for each in found(project, text) if each[0] == "NN570" or each[0] >= "NN575"]
    assert ((code, path) in problems) if code else not problems, problems


_TWO_ENTRIES = _BOTH.replace("of: encoder}", "of: encoder}, {loss: far, of: other}").replace(
    "          name: error\n", "          name: error\n        - Compute: square(other - 2)\n          name: far\n"
)


def test_an_entry_that_no_phase_trains_is_reported(project):
    phases = "  phases: [{epochs: 1, freeze: [other]}, {epochs: 1, freeze: [other]}]"
    problems = found(project, _TWO_ENTRIES.replace("  epochs: 2", phases))
    assert ("NN576", f"{_AT}.minimize[1].of") in problems, problems


def test_a_phase_that_monitors_an_entry_that_it_leaves_out_is_reported(project):
    phases = "  early_stopping: {monitor: far, mode: min}\n  phases: [{epochs: 1, freeze: [other]}, {epochs: 1}]"
    problems = found(project, _TWO_ENTRIES.replace(", validation: 0.25", "").replace("  epochs: 2", phases))
    assert ("NN583", "train.phases[0]") in problems, problems


def test_the_loss_of_an_entry_that_a_phase_leaves_out_is_logged_in_validation_only(written):
    file = written(_TWO_ENTRIES.replace("  epochs: 2", "  phases: [{epochs: 1, freeze: [other]}, {epochs: 1}]"))
    run = train(load(file), out=file.parent / "run", progress=Quiet())
    first, second = run.metrics()
    assert "far" not in first
    assert first["val_far"] > 0
    assert second["far"] > 0


@pytest.mark.parametrize("name", ["noise", "moment", "first", "signal", "noisy", "predicted", "loss"])
def test_a_field_may_have_any_name_that_an_objective_of_the_package_uses_for_itself(project, name):
    text = (
        "networks:\n  denoiser:\n    inputs: {image: [4, 4, 1], t: {shape: [], dtype: int32}}\n    layers:\n"
        "      - Embedding: {input_dim: 10, output_dim: 16}\n        from: t\n      - Reshape: {target_shape: [4, 4, 1]}\n"
        "      - Add:\n        from: [image, reshape]\n      - Conv2D: {filters: 1, kernel_size: 3, padding: same}\n"
        f"inputs: {{{name}: [4, 4, 1]}}\n{DATA}"
        f"train: {{objective: {{diffusion: {{network: denoiser, input: {name}, steps: 10}}}}, epochs: 1}}\n"
    )
    plan, problems = project.plan(text, require_data=False)
    assert [problem for problem in problems if problem.is_error] == []
    assert set(plan.graph.inputs) == {name}


def test_a_run_predicts_with_the_network_of_a_program_that_is_exported(written):
    from nnspec.exporting.run_predictions import predict_run

    file = written(NETWORK + STEPS)
    run = train(load(file), out=file.parent / "run", progress=Quiet())
    images = np.load(file.parent / "a.npz")["image"].reshape(128, 16)
    expected = images @ run.weights()["encoder/dense/kernel"] + run.weights()["encoder/dense/bias"]
    predictions = predict_run(run.path, f"npz: {file.parent / 'a.npz'}")
    assert list(next(predictions.rows())) == ["row", "dense"]  # a vector is no class
    [outputs] = predictions.outputs.values()
    np.testing.assert_allclose(outputs, expected, atol=1e-5)


# --- a GAN as a program -----------------------------------------------------------------------------------------------------

AS_PROGRAM = """train:
  objective:
    program:
      draw: {noise: {normal: [6]}}
      layers:
        - generator:
          from: noise
        - discriminator:
          from: image
          name: real
        - discriminator:
          from: generator
          name: fake
        - Compute: mean(softplus(real) - real) + mean(softplus(fake))
          name: discriminator_loss
        - Compute: softplus(-fake)
          name: generator_loss
      minimize:
        - {loss: discriminator_loss, of: discriminator}
        - {loss: generator_loss, of: generator}
"""


def test_a_gan_written_as_a_program_has_the_same_weights_as_the_objective_gan(tmp_path, monkeypatch):
    from nnspec.keras_backend.seeds import Seeds

    # The objective and the program draw from generators of different names.
    known = Seeds.of
    monkeypatch.setattr(Seeds, "of", lambda self, what: 5 if what in ("training", "watching") else known(self, what))
    rest = "  epochs: 2\n  batch_size: 50\n  seed: 3\nexport: {network: generator}\n"
    data = "inputs: {image: [8, 8, 1]}\ndata: {train: {npz: a.npz}}\n"
    np.savez(tmp_path / "a.npz", image=np.random.default_rng(0).uniform(size=(200, 8, 8, 1)).astype(np.float32))
    texts = {
        "gan": data.partition("\n")[2] + "train:\n  objective: {gan: {loss: non_saturating}}\n" + rest,
        "program": data + AS_PROGRAM + rest,
    }
    runs = {}
    for name, text in texts.items():
        (tmp_path / f"{name}.nnspec.yaml").write_text(HEAD + PAIR + text, encoding="utf-8")
        runs[name] = train(load(tmp_path / f"{name}.nnspec.yaml"), out=tmp_path / name, progress=Quiet()).weights()
    assert {name: (runs["program"][name] != array).sum() for name, array in runs["gan"].items()} == dict.fromkeys(
        runs["gan"], 0
    )
