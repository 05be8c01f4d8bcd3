"""Contrastive learning: what is checked, what is learned, and that it resumes bit for bit."""

from __future__ import annotations

import numpy as np
import pytest

from nnspec.diagnostics import NnspecError
from nnspec.reports import to_page
from nnspec.spec import load
from nnspec.training import Run, crossval, evaluate, resume, train
from nnspec.training.loop.progress import Quiet

NET = """inputs: {x: [8, 8, 1]}
layers:
  - Conv2D: {filters: 8, kernel_size: 3, activation: relu, strides: 2}
  - Flatten
  - Dense: {units: 8}
    name: projection
"""
TWO_INPUTS = NET.replace("x: [8, 8, 1]", "x: [8, 8, 1], z: [8, 8, 1]").replace(
    "layers:\n", "layers:\n  - Add:\n    from: [x, z]\n"
)
DATA = "data: {train: {npz: a.npz}, validation: 0.25}\n"
VIEWS = "views: [{RandomTranslation: {height_factor: 0.1, width_factor: 0.1}}, {GaussianNoise: {stddev: 0.1}}]"


def training(arguments: str = VIEWS, more: str = "epochs: 6, batch_size: 32") -> str:
    return f"train: {{objective: {{contrastive: {{{arguments}}}}}, {more}, seed: 5}}\n"


def found(project, text: str) -> list[tuple[str, str]]:
    return sorted((problem.code, problem.path) for problem in project.plan(text, require_data=False)[1])


def run_of(folder, *overrides: str, out: str = "run", stop=None) -> Run:
    np.savez(folder / "a.npz", x=np.random.default_rng(0).uniform(size=(160, 8, 8, 1)).astype(np.float32))
    file = folder / "net.nnspec.yaml"
    file.write_text("nnspec: 1\nname: net\n" + NET + DATA + training(), encoding="utf-8")
    return train(load(file, overrides), out=folder / out, progress=Quiet(), stop=stop)


@pytest.mark.parametrize(
    ("text", "code", "path"),
    [
        (NET + training("views: []"), "NN105", "train.objective.contrastive.views"),
        (NET + training("views: [Dense]"), "NN109", "train.objective.contrastive.views[0]"),
        (NET + training(VIEWS + ", input: y"), "NN406", "train.objective.contrastive.input"),
        (NET + training(VIEWS + ", output: y"), "NN501", "train.objective.contrastive.output"),
        (NET + training(more="epochs: 1, loss: MeanSquaredError"), "NN563", "train.loss"),
        (NET.replace("  - Flatten\n", "") + training(), "NN531", "train.objective.contrastive"),
        (TWO_INPUTS + training(), "NN530", "train.objective.contrastive"),
    ],
)
def test_what_does_not_fit_is_reported_at_its_place(project, text, code, path):
    assert (code, path) in [(each, place.split(" ")[0]) for each, place in found(project, text)], found(project, text)


def test_the_data_need_only_the_input(project):
    np.savez(project.folder / "a.npz", x=np.zeros((8, 8, 8, 1), np.float32))
    plan, problems = project.plan(NET + DATA + training())
    assert problems == []
    assert plan.own.input == "x"
    assert plan.own.output == "projection"
    assert plan.monitor.name == "val_loss"


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Run:
    return run_of(tmp_path_factory.mktemp("contrastive"))


def test_two_views_of_an_example_are_found_among_others_better_with_each_epoch(trained):
    losses = [record["val_loss"] for record in trained.metrics()]
    assert losses[-1] < losses[0]
    assert trained.metrics()[-1]["val_contrastive_accuracy"] > 0.05
    assert trained.info["objective"] == "contrastive"


def test_a_run_has_no_targets_to_evaluate(trained):
    with pytest.raises(NnspecError, match="contrastive"):
        evaluate(trained)
    with pytest.raises(NnspecError, match="contrastive"):
        crossval(trained.path.parent / "net.nnspec.yaml", folds=2)


def test_its_report_has_the_learning_curves(trained):
    assert "contrastive_accuracy" in to_page(trained)


def test_a_stopped_training_resumes_bit_for_bit(trained, tmp_path):
    left = iter([False] * 7 + [True] * 100)
    run = run_of(tmp_path, stop=lambda: next(left))
    assert run.status == "interrupted"
    ended = resume(run.path, progress=Quiet())
    assert ended.status == "finished"
    assert all(np.array_equal(a, trained.weights()[name]) for name, a in ended.weights().items())
