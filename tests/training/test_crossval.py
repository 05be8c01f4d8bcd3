"""Cross-validation: every example is left out once, by the ordinary training."""

from __future__ import annotations

import json

import numpy as np
import pytest

from nnspec.diagnostics import NnspecError, SpecError
from nnspec.training import Run, evaluate
from nnspec.training.evaluation.cross_validation import Spread, crossval, crossval_text
from nnspec.training.evaluation.evaluate import examples_of

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


def test_each_fold_is_a_run_and_the_figures_are_of_what_it_left_out(write, tmp_path):
    found = crossval(write(SPEC), folds=3, out=tmp_path / "cv")
    assert (found.folds, found.finished) == (3, 3)
    accuracy = found.metrics["kind_sparse_categorical_accuracy"]
    assert accuracy.mean > 0.9
    runs = [Run.open(tmp_path / "cv" / f"fold-{i}") for i in (1, 2, 3)]
    scored = [evaluate(run) for run in runs]
    assert [each["data"] for each in scored] == ["test"] * 3
    assert sum(each["rows"] for each in scored) == 178
    values = [each["kind_sparse_categorical_accuracy"] for each in scored]
    assert accuracy == Spread(np.mean(values), pytest.approx(np.std(values, ddof=1)), tuple(values))
    assert json.loads((tmp_path / "cv" / "crossval.json").read_text())["figures"].keys() == found.metrics.keys()
    assert crossval_text(found).startswith("3 folds, mean ± standard deviation over them\n  no fold selects")


def test_the_fold_that_scores_never_chooses_the_epoch(write, tmp_path):
    found = crossval(
        write(SPEC), ["data.validation=0.25", "train.epochs=4", "train.batch_size=89"], folds=2, out=tmp_path / "cv"
    )
    assert found.chosen_by == "`val_loss` on 0.25 of the remaining data selects the epoch"
    for number in (1, 2):
        run = Run.open(tmp_path / "cv" / f"fold-{number}")
        assert run.info["data"]["examples"] == {"train": 66, "validation": 23}
        assert run.info["best"]["figures"]["val_loss"] == min(record["val_loss"] for record in run.metrics())
        assert evaluate(run, part="test")["rows"] == 89
    plain = crossval(write(SPEC), ["train.epochs=1", "train.batch_size=89"], folds=2, out=tmp_path / "plain")
    assert "no validation split is given, so the epoch with the best `loss` in training is kept" in crossval_text(plain)
    assert Run.open(tmp_path / "plain" / "fold-1").info["data"]["examples"] == {"train": 89, "validation": 0}


SERIES = """nnspec: 1
name: load
inputs: {h: [4]}
layers:
  - Dense: {units: 2}
    name: y
data:
  train: {series: {csv: s.csv, time: time, by: shop, window: 4, horizon: 2}}
  inputs: {h: load}
  targets: {y: load}
train: {epochs: 1, batch_size: 99, loss: MeanSquaredError}
"""


@pytest.mark.parametrize("rolling", [False, True])
def test_folds_of_a_series_walk_forward(write, tmp_path, rolling):
    rows = "".join(f"{shop},{i},{i + 1000 * number}\n" for number, shop in enumerate("AB") for i in range(40))
    (tmp_path / "s.csv").write_text("shop,time,load\n" + rows)
    found = crossval(write(SERIES), ["data.validation=0.2"], folds=3, rolling=rolling, out=tmp_path / "cv")
    assert found.finished == 3
    ends, counts = [], []
    for number in (1, 2, 3):
        run = Run.open(tmp_path / "cv" / f"fold-{number}")
        targets = {}
        for part in ("train", "validation", "test"):
            _, examples = examples_of(run, part)
            batch = examples.batch(slice(None))
            targets[part] = batch.targets["y"]
            counts += [len(examples)] if part == "train" else []
        for base in (0, 1000):
            own = [values[(values[:, 0] >= base) & (values[:, 0] < base + 1000)] for values in targets.values()]
            assert own[0].max() < own[1].min() <= own[1].max() < own[2].min()
            ends.append(own[2].max())
    assert ends == sorted(ends, key=lambda end: end % 1000)
    assert len({*counts}) == (1 if rolling else 3)


def test_a_row_of_a_series_cannot_be_left_out_alone(write, tmp_path):
    (tmp_path / "s.csv").write_text("shop,time,load\n" + "".join(f"A,{i},{i}\n" for i in range(40)))
    with pytest.raises(NnspecError, match="leave-one-out is not available"):
        crossval(write(SERIES), folds=None, out=tmp_path / "cv")


def test_one_group_is_left_out_at_a_time(write, tmp_path):
    rows = "".join(f"{i % 2},{i % 3},{i % 2},g{i % 4}\n" for i in range(24))
    (tmp_path / "a.csv").write_text("a,b,kind,group\n" + rows)
    text = SPEC.replace("[13]", "[2]").replace("{builtin: wine}", "{csv: a.csv}\n  group: group")
    found = crossval(write(text), ["train.epochs=1"], folds=None, out=tmp_path / "cv")
    assert found.finished == 4
    examples = [Run.open(tmp_path / "cv" / f"fold-{i}").info["data"]["examples"] for i in range(1, 5)]
    assert examples == [{"train": 18, "validation": 0}] * 4
    assert [evaluate(Run.open(tmp_path / "cv" / f"fold-{i}"))["rows"] for i in range(1, 5)] == [6] * 4


def test_more_folds_than_rows_are_refused_before_anything_is_trained(write, tmp_path):
    with pytest.raises(SpecError, match=r"NN464.*cannot split 178 rows into 200 folds"):
        crossval(write(SPEC), folds=200, out=tmp_path / "cv")
    assert not (tmp_path / "cv").exists()


def test_a_folder_with_something_in_it_is_left_alone(write, tmp_path):
    (tmp_path / "cv").mkdir()
    (tmp_path / "cv" / "mine").write_text("x")
    with pytest.raises(NnspecError, match="exists and is not empty"):
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
