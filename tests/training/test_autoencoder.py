"""Trainings whose targets are their inputs: what is compared with what, and what is corrupted when."""

from __future__ import annotations

import numpy as np
import pytest

from nnspec.data.plan import TargetSource
from nnspec.spec import load
from nnspec.training import evaluate, train
from nnspec.training.evaluation.evaluate import examples_of, trained_model
from nnspec.training.loop.progress import Quiet

NET = """inputs: {x: [4]}
layers:
  - Dense: {units: 3, activation: tanh}
    name: code
  - Dense: {units: 4}
    name: back
"""
DATA = "data: {train: {npz: a.npz}, validation: 0.25}\n"


def training(objective: str = "autoencoder", loss: str = "MeanSquaredError", more: str = "epochs: 3") -> str:
    return f"train: {{objective: {objective}, {more}, seed: 5, loss: {loss}}}\n"


def codes(project, text: str) -> list[tuple[str, str]]:
    return sorted((problem.code, problem.path) for problem in project.plan(text, require_data=False)[1])


def table(folder, rows: int = 120) -> None:
    np.savez(folder / "a.npz", x=np.random.default_rng(0).normal(size=(rows, 4)).astype(np.float32))


def run_of(folder, *overrides: str, text: str = NET + DATA + training(), out: str = "run"):
    if not (folder / "a.npz").exists():
        table(folder)
    file = folder / "net.nnspec.yaml"
    file.write_text("nnspec: 1\nname: net\n" + text, encoding="utf-8")
    return train(load(file, overrides), out=folder / out, progress=Quiet())


# --- what is compared with what -------------------------------------------------------------------------------------------


def test_the_only_output_gives_back_the_only_input_and_the_data_need_no_target(project):
    table(project.folder)
    plan, problems = project.plan(NET + DATA + training())
    assert problems == []
    assert plan.target_sources == {"back": TargetSource("x")}
    assert list(plan.data.feeds) == ["inputs.x"]


def test_reconstructs_is_another_name_of_restores(project):
    table(project.folder)
    named, problems = project.plan(NET + DATA + training("{autoencoder: {reconstructs: {back: x}}}"), require_data=False)
    assert problems == []
    assert named.section.objective.restores == {"back": "x"}
    _, both = project.plan(
        NET + DATA + training("{autoencoder: {reconstructs: {back: x}, restores: {back: x}}}"), require_data=False
    )
    assert [problem.code for problem in both] == ["NN103"]


def test_of_several_outputs_the_one_whose_loss_takes_a_target_gives_back_the_input(project):
    text = NET + "    from: code\noutputs: {back: back, penalty: code}\n" + training(loss="{back: mse, penalty: Value}")
    plan, problems = project.plan(text, require_data=False)
    assert problems == []
    assert plan.target_sources == {"back": TargetSource("x")}


def test_an_output_that_gives_back_nothing_has_its_target_from_the_data(project):
    text = NET + "outputs: [back, code]\n" + DATA[:-2] + ", targets: {code: code}}\n"
    np.savez(project.folder / "a.npz", x=np.zeros((8, 4), np.float32), code=np.ones((8, 3), np.float32))
    prepared = project.prepare(text + training("{autoencoder: {restores: {back: x}}}", "{back: mse, code: mse}"))
    assert prepared.train.targets["back"] is prepared.train.inputs["x"]
    assert prepared.train.targets["code"].tolist() == [[1, 1, 1]] * 8


def test_a_target_is_the_input_itself_and_takes_no_memory_of_its_own(project):
    table(project.folder)
    train_part = project.prepare(NET + DATA + training()).train
    assert train_part.targets["back"] is train_part.inputs["x"]
    assert train_part.bytes == train_part.inputs["x"].nbytes
    batch = train_part.batch(slice(0, 2))
    assert batch.targets["back"] is batch.inputs["x"]


@pytest.mark.parametrize(
    ("text", "code", "path"),
    [
        (NET.replace("units: 4", "units: 5") + training(), "NN531", "train.objective"),
        (NET.replace("units: 4", "units: 1") + training(), "NN531", "train.objective"),
        (NET + training(loss="Circle"), "NN531", "train.objective"),
        (NET + training(loss="Value"), "NN531", "train.objective"),
        (NET + "outputs: [back, code]\n" + training(loss="{back: mse, code: mse}"), "NN530", "train.objective"),
        (NET + training("{autoencoder: {restores: {bak: x}}}"), "NN501", "train.objective.autoencoder.restores.bak"),
        (NET + training("{autoencoder: {restores: {back: y}}}"), "NN406", "train.objective.autoencoder.restores.back"),
        (NET + training("{autoencoder: {corupt: []}}"), "NN103", "train.objective.autoencoder.corupt"),
        (NET + training("autoencodr"), "NN109", "train.objective"),
        (NET + training("{autoencoder: {corrupt: [GausianNoise: 0.1]}}"), "NN109", "train.objective.autoencoder.corrupt[0]"),
        (NET + training("{autoencoder: {corrupt: [Dense: {units: 4}]}}"), "NN109", "train.objective.autoencoder.corrupt[0]"),
        (NET + training("{autoencoder: {corrupt: [RandomHue: 0.1]}}"), "NN531", "train.objective.autoencoder.corrupt[0]"),
        (NET + training("{autoencoder: {corrupt: {y: [Dropout: 0.1]}}}"), "NN406", "train.objective.autoencoder.corrupt.y"),
    ],
)  # fmt: skip
def test_what_an_autoencoder_cannot_be_is_reported_at_its_place(project, text, code, path):
    assert (code, path) in codes(project, text)


def test_a_target_that_the_data_name_for_what_is_given_back_is_refused(project):
    table(project.folder)
    text = NET + DATA[:-2] + ", targets: {back: x}}\n" + training()
    assert codes(project, text) == [("NN446", "data.targets.back")]


def test_an_input_that_the_loss_cannot_be_compared_with_is_refused_with_its_row(project):
    table(project.folder)
    text = NET.replace("units: 4}", "units: 4, activation: sigmoid}") + DATA + training(loss="BinaryCrossentropy")
    [problem] = project.refuses(text)
    assert problem.code == "NN426"
    assert "row" in problem.message


# --- what is corrupted, and when ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def corrupted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corrupted")
    objective = "{autoencoder: {corrupt: [{GaussianNoise: {stddev: 0.9}}, {Dropout: 0.2}]}}"
    more = "epochs: 30, optimizer: {Adam: {learning_rate: 0.02}}"
    return run_of(folder, text=NET + DATA + training(objective, more=more))


def test_what_is_watched_is_corrupted_by_the_same_draws_each_time(corrupted):
    figures = evaluate(corrupted)
    assert figures["loss"] == pytest.approx(corrupted.info["best"]["value"], rel=1e-6)
    assert evaluate(corrupted)["loss"] == figures["loss"]
    # What its errors are reported of are the same examples.
    assert figures["outputs"]["back"]["root_mean_squared_error"] ** 2 == pytest.approx(figures["loss"], rel=1e-5)


def test_a_model_that_answers_corrupts_nothing(corrupted):
    _, examples = examples_of(corrupted)
    batch = examples.batch(slice(None))
    reported = trained_model(corrupted).predict(dict(batch.inputs), verbose=0)["back"]
    clean = float(((reported - batch.targets["back"]) ** 2).mean())
    assert clean < 0.8 * evaluate(corrupted)["loss"]


def test_an_autoencoder_learns_to_take_noise_away(tmp_path):
    """On points of a line, the noise across the line can be taken away: the error falls below the noise's own."""
    along = np.random.default_rng(0).normal(size=(400, 1))
    np.savez(tmp_path / "a.npz", x=(along * [[1, -1, 2, 0.5]]).astype(np.float32))
    objective = "{autoencoder: {corrupt: [{GaussianNoise: {stddev: 0.5}}]}}"
    more = "epochs: 40, optimizer: {Adam: {learning_rate: 0.02}}"
    run = run_of(tmp_path, text=NET.replace("tanh", "linear") + DATA + training(objective, more=more))
    assert evaluate(run)["loss"] < 0.5 * 0.5**2


def test_a_classifier_starts_from_the_encoder_of_an_autoencoder(tmp_path):
    encoder = "networks:\n  encoder:\n    inputs: {x: [4]}\n    layers:\n      - Dense: {units: 3, activation: tanh}\n        name: code\n"
    head = "inputs: {x: [4]}\nlayers:\n  - encoder:\n"
    back = "  - Dense: {units: 4}\n    name: back\n"
    run = run_of(tmp_path, text=encoder + head + back + DATA + training())
    kind = "    weights: {file: run, prefix: encoder}\n  - Dense: {units: 2, activation: softmax}\n    name: kind\n"
    np.savez(tmp_path / "b.npz", x=np.zeros((20, 4), np.float32), kind=np.arange(20) % 2)
    data = "data: {train: {npz: b.npz}, targets: {kind: kind}}\n"
    train_ = "train: {epochs: 1, freeze: [encoder], loss: SparseCategoricalCrossentropy}\n"
    classifier = run_of(tmp_path, text=encoder + head + kind + data + train_, out="classifier")
    for name in ("encoder/code/kernel", "encoder/code/bias"):
        assert (classifier.weights()[name] == run.weights()[name]).all()


def test_what_augmentation_changes_is_what_is_given_back(tmp_path):
    """Pictures are brightened by 0.5 at random: one that gives back what it gets is right about them."""
    text = (
        "inputs: {x: [2, 2, 3]}\nlayers:\n  - Dense: {units: 3, kernel_initializer: Identity}\n    name: back\n"
        "data: {train: {npz: a.npz}, augment: [{RandomBrightness: {factor: [0.5, 0.5], value_range: [0, 1]}}]}\n"
        "train: {objective: autoencoder, epochs: 1, loss: MeanSquaredError, optimizer: {SGD: {learning_rate: 1e-9}}}\n"
    )
    np.savez(tmp_path / "a.npz", x=np.full((8, 2, 2, 3), 0.2, np.float32))
    assert run_of(tmp_path, text=text).metrics()[-1]["loss"] < 1e-9
