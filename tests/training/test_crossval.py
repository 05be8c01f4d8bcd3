"""Cross-validation: every example is left out once, by the ordinary training."""

from __future__ import annotations

import json

import numpy as np
import pytest

from nnspec.diagnostics import NnspecError, SpecError
from nnspec.training import Run, evaluate
from nnspec.training.cross_validation import Spread, crossval, crossval_text

SPEC = """nnspec: 1
name: wine
inputs: {facts: [13]}
layers:
  - Dense: {units: 3, activation: softmax}
    name: kind
data:
  train: {builtin: wine}
  inputs: {facts: {transform: [standardize]}}
train: {epochs: 3, optimizer: {Adam: {learning_rate: 0.1}}, loss: SparseCategoricalCrossentropy,
  metrics: SparseCategoricalAccuracy}
"""


def test_each_fold_is_a_run_and_the_figures_are_theirs(write, tmp_path):
    found = crossval(write(SPEC), folds=3, out=tmp_path / "cv")
    assert (found.folds, found.finished) == (3, 3)
    accuracy = found.figures["kind_sparse_categorical_accuracy"]
    assert accuracy.mean > 0.9
    runs = [Run.open(tmp_path / "cv" / f"fold-{i}") for i in (1, 2, 3)]
    values = [run.info["best"]["figures"]["val_kind_sparse_categorical_accuracy"] for run in runs]
    assert accuracy == Spread(np.mean(values), pytest.approx(np.std(values, ddof=1)), tuple(values))
    assert sum(run.info["data"]["examples"]["validation"] for run in runs) == 178
    again = evaluate(runs[1])
    assert again["data"] == "validation"
    assert again["kind_sparse_categorical_accuracy"] == pytest.approx(values[1])
    assert json.loads((tmp_path / "cv" / "crossval.json").read_text())["figures"].keys() == found.figures.keys()
    assert crossval_text(found).startswith("3 folds, mean ± standard deviation over them\n  loss")


def test_one_group_is_left_out_at_a_time(write, tmp_path):
    rows = "".join(f"{i % 2},{i % 3},{i % 2},g{i % 4}\n" for i in range(24))
    (tmp_path / "a.csv").write_text("a,b,kind,group\n" + rows)
    text = SPEC.replace("[13]", "[2]").replace("{builtin: wine}", "{csv: a.csv}\n  group: group")
    found = crossval(write(text), ["train.epochs=1"], folds=None, out=tmp_path / "cv")
    assert found.finished == 4
    examples = [Run.open(tmp_path / "cv" / f"fold-{i}").info["data"]["examples"] for i in range(1, 5)]
    assert examples == [{"train": 18, "validation": 6}] * 4


def test_more_folds_than_rows_are_refused_before_anything_is_trained(write, tmp_path):
    with pytest.raises(SpecError, match=r"NN464.*178 rows cannot be cut into 200 folds"):
        crossval(write(SPEC), folds=200, out=tmp_path / "cv")
    assert not (tmp_path / "cv").exists()


def test_a_folder_with_something_in_it_is_left_alone(write, tmp_path):
    (tmp_path / "cv").mkdir()
    (tmp_path / "cv" / "mine").write_text("x")
    with pytest.raises(NnspecError, match="there is something at"):
        crossval(write(SPEC), folds=2, out=tmp_path / "cv")
    with pytest.raises(NnspecError, match="at least 2 folds"):
        crossval(write(SPEC), folds=1)


def test_the_command_prints_what_the_function_found(write, tmp_path):
    from click.testing import CliRunner

    from nnspec.cli import main

    out = tmp_path / "cv"
    arguments = ["crossval", str(write(SPEC)), "--folds", "2", "--out", str(out), "--set", "train.epochs=1", "--format", "json"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["figures"]["loss"]["values"]
    assert CliRunner().invoke(main, [*arguments, "--leave-one-out"]).exit_code == 2
