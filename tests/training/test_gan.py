"""Two small networks against each other: what is learned, drawn, kept, exported."""

from __future__ import annotations

import io
import json
import math
import os

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from nnspec.diagnostics import NnspecError
from nnspec.runtime.samples import Samples
from nnspec.runtime.sheets import sheet
from nnspec.spec import load
from nnspec.training import Run, evaluate, resume, train
from nnspec.training.loop.progress import Quiet
from nnspec.training.objectives.gan.diversity import log_warnings

from .pairs import CONDITIONAL, DATA, LABELLED, PAIR, trained

keras = pytest.importorskip("keras")


from benchmarks.resume import differences  # noqa: E402
from nnspec.cli import main  # noqa: E402
from nnspec.exporting.run_models import RunSampler  # noqa: E402
from nnspec.exporting.runs import export_run  # noqa: E402
from nnspec.training.loop.networks import Networks  # noqa: E402
from nnspec.training.objectives.gan.learner import (  # noqa: E402
    LOSSES,
    GanLearner,
    input_gradient,
)

from .test_resume import Listening  # noqa: E402

HEAD = "nnspec: 1\nname: net\n"


def picture(file) -> np.ndarray:
    with Image.open(file) as opened:
        return np.asarray(opened)


def written(folder, text: str):
    file = folder / "net.nnspec.yaml"
    file.write_text(HEAD + text, encoding="utf-8")
    return load(file)


def run_of(folder, text: str, **options) -> Run:
    return train(written(folder, text), out=folder / "run", progress=options.pop("progress", Quiet()), **options)


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """A conditional pair that has learned next to nothing."""
    folder = tmp_path_factory.mktemp("labelled")
    objective = "{gan: {condition: [label], steps: {discriminator: 2}}}"
    return run_of(folder, CONDITIONAL + LABELLED + trained(objective, ", ema: 0.9, input_noise: 0.1, label_noise: 0.1"))


# --- the losses -----------------------------------------------------------------------------------------------------------

SIGMOID = {
    "minimax": (lambda p: -math.log(p), lambda p: -math.log(1 - p), lambda p: math.log(1 - p)),
    "non_saturating": (lambda p: -math.log(p), lambda p: -math.log(1 - p), lambda p: -math.log(p)),
}


@pytest.mark.parametrize("name", SIGMOID)
@given(score=st.floats(-6, 6))
def test_losses_of_probabilities_are_those_of_the_paper(name, score):
    real, made, fool = (formula(1 / (1 + math.exp(-score))) for formula in SIGMOID[name])
    losses, scores = LOSSES[name], keras.ops.convert_to_tensor([score], "float32")
    found = [float(x[0]) for x in (losses.real(scores, 0.0), losses.generated(scores), losses.generator(scores))]
    np.testing.assert_allclose(found, [real, made, fool], rtol=1e-4, atol=1e-5)


def test_a_smoothed_label_is_a_cross_entropy_with_that_label():
    scores = keras.ops.convert_to_tensor([-1.0, 0.5, 3.0], "float32")
    wanted = keras.ops.binary_crossentropy(keras.ops.full((3,), 0.9), scores, from_logits=True)
    np.testing.assert_allclose(LOSSES["non_saturating"].real(scores, 0.1), wanted, rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "real", "made", "fool"),
    [
        ("least_squares", [2.0, 0.0], [0.5, 0.5], [2.0, 0.0]),
        ("hinge", [2.0, 0.0], [0.0, 2.0], [1.0, -1.0]),
        ("wasserstein", [1.0, -1.0], [-1.0, 1.0], [1.0, -1.0]),
    ],
)
def test_losses_of_scores_are_those_of_their_papers(name, real, made, fool):
    losses, scores = LOSSES[name], keras.ops.convert_to_tensor([-1.0, 1.0], "float32")
    found = [losses.real(scores, 0.0), losses.generated(scores), losses.generator(scores)]
    np.testing.assert_allclose([np.asarray(x) for x in found], [real, made, fool])


def test_the_gradient_of_an_input_is_what_it_is_by_hand():
    values = keras.ops.convert_to_tensor([[1.0, -2.0], [0.5, 3.0]], "float32")
    found = input_gradient(lambda x: keras.ops.sum(x**3, axis=1), values)
    np.testing.assert_allclose(found, 3 * np.asarray(values) ** 2)


LINEAR = PAIR.replace("      - Dense: {units: 12}\n      - LeakyReLU\n      - Dropout: {rate: 0.2}\n", "") + DATA


def learner_of(project, text: str, **options) -> tuple[GanLearner, Networks, dict]:
    plan, problems = project.plan(text)
    assert plan is not None, problems
    networks = Networks(plan.networks, 3)
    optimizers = {name: keras.optimizers.SGD(0.1) for name in networks.models}
    images = np.random.default_rng(0).uniform(size=(10, 8, 8, 1)).astype("float32")
    return GanLearner(plan.own, networks.models, optimizers, 3, **options), networks, {"image": images}


def test_the_penalty_of_a_linear_critic_is_how_far_its_weights_are_from_length_1(project):
    learner, networks, inputs = learner_of(project, LINEAR + trained("{gan: {loss: wasserstein, gradient_penalty: 10}}"))
    learner.validate((inputs, {}, {}))
    length = np.linalg.norm(networks.weights()["discriminator/logit/kernel"])
    assert learner.results()["gradient_penalty"] == pytest.approx((length - 1) ** 2, rel=1e-4)


def test_a_step_has_as_many_turns_as_the_objective_says_each_on_examples_of_its_own(project):
    learner, _, inputs = learner_of(project, PAIR + DATA + trained("{gan: {steps: {discriminator: 3, generator: 2}}}"))
    updates = learner.updates((inputs, {}, {}))
    assert learner.batches == 3
    assert [update.group.network for update in updates] == ["discriminator"] * 3 + ["generator"] * 2
    np.testing.assert_array_equal(np.concatenate([update.batch[0]["image"] for update in updates[:3]]), inputs["image"])


def test_what_is_watched_is_watched_with_the_same_noise_each_time(project):
    learner, _, inputs = learner_of(project, PAIR + DATA + trained(), input_noise=0.5, label_noise=0.5)
    found = []
    for _ in range(2):
        learner.reset()
        learner.validate((inputs, {}, {}))
        found.append(learner.results())
    assert found[0] == found[1]


# --- a run ----------------------------------------------------------------------------------------------------------------


def test_a_run_keeps_both_networks_and_a_sheet_of_each_epoch(labelled):
    assert {name.partition("/")[0] for name in labelled.weights()} == {"generator", "discriminator"}
    assert [file.name for file in sorted((labelled.path / "samples").iterdir())] == ["epoch-0001.png", "epoch-0002.png"]
    assert picture(labelled.path / "samples/epoch-0002.png").shape == ((10 * 8 - 2) * 7, (10 * 10 - 2) * 7)
    last = labelled.metrics()[-1]
    assert {"discriminator_loss", "generator_loss", "real_accuracy", "diversity", "distinctness"} <= set(last)


def test_a_generator_is_exported_and_makes_the_same_of_the_same_noise(labelled, tmp_path):
    parity = export_run(labelled.path, tmp_path / "made.onnx")
    assert parity.agrees
    from_run, from_file = (RunSampler(path).sample(20, seed=5) for path in (labelled.path, tmp_path / "made.onnx"))
    assert set(from_file) == {"image", "noise", "label"}
    np.testing.assert_allclose(from_file["image"], from_run["image"], atol=1e-6)
    assert from_file["label"].tolist() == [*range(10)] * 2
    np.testing.assert_array_equal(RunSampler(labelled.path).sample(3, conditions={"label": "7"})["label"], [7, 7, 7])


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (["--condition", "label=12"], "`label` is one of 0, 1"),
        (["--condition", "lable=1"], "did you mean `label`?"),
        (["--condition", "label"], "NAME=VALUE"),
        (["--beam", "3"], "--beam does not apply"),
        (["text"], "TEXT does not apply"),
        (["-o", "a.jpg"], "use `.png`"),
    ],
)
def test_what_is_asked_of_a_generator_wrongly_is_answered(labelled, options, part):
    result = CliRunner().invoke(main, ["generate", str(labelled.path), *options])
    assert result.exit_code != 0
    assert part in result.output


@pytest.mark.parametrize(
    ("key", "value"), [("shape", [10**12]), ("shape", "64"), ("low", "dark"), ("choices", [{"label": 1}, {}]), ("names", 3)]
)
def test_what_a_file_says_of_its_sampling_is_not_taken_on_trust(labelled, key, value):
    reported = {**labelled.info["samples"], key: value}
    with pytest.raises(NnspecError, match="not valid"):
        Samples.from_json(reported, "a file")


def test_generate_writes_a_sheet_or_arrays(labelled, tmp_path):
    for name in ("a.png", "a.npz"):
        wanted = ["generate", str(labelled.path), "--number", "12", "-o", str(tmp_path / name), "--format", "json"]
        result = CliRunner().invoke(main, wanted)
        assert json.loads(result.stdout)["number"] == 12
    with np.load(tmp_path / "a.npz") as arrays:
        assert arrays["image"].shape == (12, 8, 8, 1)
    assert picture(tmp_path / "a.png").shape == ((2 * 10 - 2) * 7, (10 * 10 - 2) * 7)


def test_a_pair_has_no_figures_of_a_test_set(labelled):
    with pytest.raises(NnspecError, match="nnspec generate"):
        evaluate(labelled)


def test_the_report_shows_the_sheets(labelled):
    from nnspec.reports.page import to_page

    page = to_page(labelled)
    assert 'id="samples"' in page
    assert "generated examples after epoch 2" in page


# --- what is done to it ---------------------------------------------------------------------------------------------------


def test_weights_are_clipped_after_every_change(tmp_path):
    run = run_of(tmp_path, PAIR + DATA + trained("{gan: {loss: wasserstein, weight_clip: 0.01}}"))
    largest = {name: np.abs(array).max() for name, array in run.weights().items() if name.startswith("discriminator")}
    assert max(largest.values()) == pytest.approx(0.01)
    assert "score_gap" in run.metrics()[-1]


def test_a_generator_that_makes_one_thing_of_all_noise_is_reported_of_once_and_one_that_is_frozen_stays(tmp_path):
    deaf = PAIR.replace("      - Dense: {units: 16, use_bias: false}\n      - BatchNormalization\n", "      - Rescaling: 0\n")
    text = deaf + DATA + trained(more=", freeze: [generator]").replace("steps: 6", "epochs: 7")
    heard = Listening()
    run = run_of(tmp_path, text, progress=heard)
    warnings = [line for line in heard.lines if "mode collapse" in line]
    assert len(warnings) == 1
    assert warnings[0].startswith("epoch 5: warning: mode collapse")
    first = Networks(run.model.networks, 3).weights()
    moved = {name.partition("/")[0] for name, array in run.weights().items() if (array != first[name]).any()}
    assert moved == {"discriminator"}


HARD = (
    CONDITIONAL
    + LABELLED.replace("builtin: digits}", "builtin: digits}, validation: 0.1")
    + trained(
        "{gan: {condition: [label], loss: wasserstein, gradient_penalty: 10, steps: {discriminator: 2}}}",
        ", ema: 0.9, input_noise: 0.1, optimizer: {generator: {Adam: {beta_1: 0.5}}, discriminator: RMSprop}",
    )
)


full = [pytest.mark.full, pytest.mark.skipif(not os.environ.get("NNSPEC_FULL"), reason="NNSPEC_FULL=1 runs it")]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(HARD, id="wasserstein"),
        pytest.param(PAIR + DATA + trained(more=", label_noise: 0.1, ema: 0.9"), marks=full, id="plain"),
    ],
)
def test_a_training_that_was_stopped_comes_to_the_bits_of_one_that_was_not(tmp_path, monkeypatch, text):
    from nnspec.training.loop import loop

    monkeypatch.setattr(loop, "_INITIAL_STEPS_PER_CALL", 1)
    monkeypatch.setattr(loop, "_MOST_STEPS_PER_CALL", 1)
    spec = written(tmp_path, text)
    whole = train(spec, out=tmp_path / "whole", progress=Quiet())
    cut = train(spec, out=tmp_path / "cut", progress=Listening(2))
    assert cut.status == "interrupted"
    last = resume(tmp_path / "cut", progress=Quiet())
    assert differences(whole.path, last.path) == []
    sheets = [{file.name: file.read_bytes() for file in (run.path / "samples").iterdir()} for run in (whole, last)]
    assert sheets[0] == sheets[1]


# --- figures and pictures -------------------------------------------------------------------------------------------------


def record(diversity: float, distinctness: float = 1.0, real: float = 0.8, made: float = 0.8) -> dict:
    return {"diversity": diversity, "distinctness": distinctness, "real_accuracy": real, "generated_accuracy": made}


def test_a_generator_that_makes_less_than_it_did_collapses():
    assert log_warnings([record(0.9), record(0.9)]) == []
    assert "mode collapse" in log_warnings([record(0.9), record(0.3)])[0]
    assert "mode collapse" in log_warnings([record(0.9), record(0.9, 0.1)])[0]
    assert "mode collapse" in log_warnings([record(0.9), record(float("nan"))])[0]


def test_a_generator_that_has_yet_to_learn_is_waited_for():
    assert log_warnings([record(0.1)] * 3) == []
    assert "mode collapse" in log_warnings([record(0.1)] * 5)[0]


def test_a_discriminator_that_wins_or_is_lost_is_reported_of():
    assert "too strong" in log_warnings([record(1.0, real=1.0, made=1.0)])[0]
    assert "the discriminator fails" in log_warnings([record(1.0, real=0.0, made=0.0)])[0]


def test_a_sheet_has_its_pictures_row_by_row_in_the_range_of_the_data():
    pictures = np.stack([np.full((60, 60, 1), value) for value in (-1.0, 0.0, 1.0, 3.0)])
    found = picture(io.BytesIO(sheet(pictures, -1, 1, columns=3)))
    assert found.shape == (122, 184)
    assert [int(found[0, x]) for x in (0, 62, 124)] == [0, 128, 255]
    assert int(found[62, 0]) == 255
