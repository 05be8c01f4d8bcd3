"""A sweep: trainings with other values each, remembered over a stop."""

from __future__ import annotations

import json
import os
import signal

import pytest

from nnspec.diagnostics import NnspecError
from nnspec.sweeping import worker
from nnspec.sweeping.study import sweep
from nnspec.sweeping.trial_queue import TrialQueue
from nnspec.sweeping.trials import sweep_text
from nnspec.training import Run

pytest.importorskip("optuna")

SPEC = """nnspec: 1
name: wine
params: {width: 4}
inputs: {facts: [13]}
layers:
  - Dense: {units: $width, activation: relu}
  - Dense: {units: 3, activation: softmax}
    name: kind
data:
  train: {builtin: wine}
  validation: 0.3
  inputs: {facts: {transform: [standardize]}}
train: {epochs: 2, batch_size: 178, optimizer: {Adam: {learning_rate: 0.1}}, loss: SparseCategoricalCrossentropy, metrics: [accuracy]}
sweep:
  trials: 3
  over:
    params.width: {int: [2, 16], log: true}
    train.optimizer.Adam.learning_rate: {float: [1e-5, 1e-1], log: true}
"""


@pytest.fixture
def file(write):
    return write(SPEC)


def test_each_trial_is_a_run_with_its_values(file, tmp_path):
    found = sweep(file, out=tmp_path / "s")
    assert [trial.number for trial in found.trials] == [1, 2, 3]
    for trial in found.trials:
        run = Run.open(tmp_path / "s" / f"trial-{trial.number:03}")
        assert run.main.nodes["dense"].layer.units == trial.values["params.width"]
        values = [record["val_loss"] for record in run.metrics()]
        assert trial.value == pytest.approx(min(values))
    best = min(trial.value for trial in found.trials if trial.state == "finished")
    assert found.best is not None
    assert found.best.value == best
    assert json.loads((tmp_path / "s" / "sweep.json").read_text())["best"] == found.best.number
    assert f"--set 'params.width={found.best.values['params.width']}'" in sweep_text(found)


def test_the_same_seed_tries_the_same_values(file, tmp_path):
    first, again = (sweep(file, ["sweep.trials=2"], out=tmp_path / name) for name in ("a", "b"))
    assert [trial.values for trial in first.trials] == [trial.values for trial in again.trials]


def test_a_sweep_goes_on_with_values_it_has_not_tried(file, tmp_path):
    first = sweep(file, ["sweep.trials=2"], out=tmp_path / "s")
    more = sweep(file, ["sweep.trials=4"], out=tmp_path / "s", resume=True)
    assert more.trials[:2] == first.trials
    assert len({tuple(trial.values.values()) for trial in more.trials}) == 4


def test_a_sweep_over_other_ranges_does_not_go_on(file, tmp_path):
    sweep(file, ["sweep.trials=1"], out=tmp_path / "s")
    with pytest.raises(NnspecError, match=r"over\.params\.width"):
        sweep(file, ["sweep.over={params.width: [3]}"], out=tmp_path / "s", resume=True)


def test_a_sweep_of_another_spec_does_not_go_on(file, tmp_path):
    sweep(file, ["sweep.trials=1"], out=tmp_path / "s")
    with pytest.raises(NnspecError, match=r"spec\.train\.epochs: 2 → 3"):
        sweep(file, ["train.epochs=3"], out=tmp_path / "s", resume=True)


def test_a_folder_with_a_sweep_in_it_is_not_written_over(file, tmp_path):
    sweep(file, ["sweep.trials=1"], out=tmp_path / "s")
    with pytest.raises(NnspecError, match="--resume"):
        sweep(file, out=tmp_path / "s")


def test_a_trial_that_falls_behind_is_broken_off(file, tmp_path, monkeypatch):
    watching = worker._TrialProgress.epoch_ended

    def behind_in_the_second(self, record):
        watching(self, record)
        self.pruned = self._claim.number == 2

    monkeypatch.setattr(worker._TrialProgress, "epoch_ended", behind_in_the_second)
    found = sweep(file, out=tmp_path / "s")
    assert [(trial.state, trial.epochs) for trial in found.trials] == [("finished", 2), ("pruned", 1), ("finished", 2)]


def test_ctrl_c_ends_the_sweep_and_the_trial_goes_on_from_its_step(file, tmp_path, monkeypatch):
    watching = worker._TrialProgress.epoch_ended

    def stopped_in_the_second(self, record):
        watching(self, record)
        if self._claim.number == 2:
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(worker._TrialProgress, "epoch_ended", stopped_in_the_second)
        found = sweep(file, out=tmp_path / "s")
    assert found.interrupted
    assert len(found.trials) == 1
    begun = Run.open(tmp_path / "s/trial-002")
    found = sweep(file, out=tmp_path / "s", resume=True)
    assert [(trial.number, trial.state, trial.epochs, trial.attempts) for trial in found.trials] == [
        (1, "finished", 2, 1),
        (2, "finished", 2, 2),
        (3, "finished", 2, 1),
    ]
    ended = Run.open(tmp_path / "s/trial-002")
    assert ended.info["started"] == begun.info["started"]
    assert ended.info["resumed"] == 1
    assert list(found.trials[1].metrics.values()) == [record["val_loss"] for record in ended.metrics()]


def test_a_sweep_in_a_storage_goes_on_by_the_same_command(file, tmp_path):
    storage = f"journal:{tmp_path / 'j.log'}"
    first = sweep(file, ["sweep.trials=1"], out=tmp_path / "s", storage=storage)
    more = sweep(file, ["sweep.trials=2"], out=tmp_path / "s", storage=storage)
    assert more.trials[0] == first.trials[0]
    assert [trial.run for trial in more.trials] == ["trial-001", "trial-002"]
    elsewhere = sweep(file, ["sweep.trials=2"], out=tmp_path / "t", storage=storage)
    assert [trial.values for trial in elsewhere.trials] == [trial.values for trial in more.trials]
    assert "best trial: " + str((tmp_path / "s").resolve()) in sweep_text(elsewhere)


def test_the_folder_of_another_sweep_is_not_written_into(file, tmp_path):
    sweep(file, ["sweep.trials=1"], out=tmp_path / "s")
    with pytest.raises(NnspecError, match="is not the folder of the sweep"):
        sweep(file, ["sweep.trials=1"], out=tmp_path / "s", storage=f"sqlite:///{tmp_path / 'b.db'}")


def test_a_trial_whose_run_had_ended_before_its_worker_was_killed_is_not_trained_again(file, tmp_path, monkeypatch):
    def killed(self, claim, state, value=None, reason=""):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(TrialQueue, "end", killed)
        patch.setattr(TrialQueue, "release", lambda self, claim: None)
        with pytest.raises(KeyboardInterrupt):
            sweep(file, ["sweep.trials=1"], out=tmp_path / "s")
    begun = Run.open(tmp_path / "s/trial-001")
    found = sweep(file, ["sweep.trials=1"], out=tmp_path / "s", resume=True)
    assert [(trial.state, trial.epochs, trial.attempts) for trial in found.trials] == [("finished", 2, 2)]
    assert Run.open(tmp_path / "s/trial-001").info == begun.info


def test_a_trial_whose_checkpoint_is_damaged_is_trained_again(file, tmp_path, monkeypatch):
    watching = worker._TrialProgress.epoch_ended

    def stopped(self, record):
        watching(self, record)
        os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(worker._TrialProgress, "epoch_ended", stopped)
        sweep(file, ["sweep.trials=1"], out=tmp_path / "s")
    (tmp_path / "s/trial-001/spec.yaml").write_text("nnspec: 1\n")
    found = sweep(file, ["sweep.trials=1"], out=tmp_path / "s", resume=True)
    assert [(trial.state, trial.epochs, trial.attempts) for trial in found.trials] == [("finished", 2, 2)]


def test_an_epoch_that_a_killed_worker_saved_in_a_checkpoint_only_counts(file, tmp_path, monkeypatch):
    watching, replay = worker._TrialProgress.epoch_ended, worker._TrialProgress.replay

    def stopped(self, record):
        watching(self, record)
        os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(worker._TrialProgress, "epoch_ended", stopped)
        sweep(file, ["sweep.trials=1"], out=tmp_path / "s")
    # As if the log had no epoch yet when the trial is tried again.
    monkeypatch.setattr(worker._TrialProgress, "replay", lambda self, run: replay(self, run) if self.begun else None)
    [trial] = sweep(file, ["sweep.trials=1"], out=tmp_path / "s", resume=True).trials
    log = [record["val_loss"] for record in Run.open(tmp_path / "s/trial-001").metrics()]
    assert trial.metrics == dict(enumerate(log, 1))
    assert trial.value == min(log)


def test_a_storage_that_is_gone_during_a_trial_ends_the_sweep_and_loses_no_epoch(file, tmp_path, monkeypatch):
    def gone(self, claim, epoch, value):
        raise NnspecError("the storage cannot be used")

    with monkeypatch.context() as patch:
        patch.setattr(TrialQueue, "report", gone)
        with pytest.raises(NnspecError, match="cannot be used"):
            sweep(file, ["sweep.trials=1"], out=tmp_path / "s")
    found = sweep(file, ["sweep.trials=1"], out=tmp_path / "s", resume=True)
    assert [(trial.state, trial.epochs, trial.attempts) for trial in found.trials] == [("finished", 2, 2)]
    assert Run.open(tmp_path / "s/trial-001").info["resumed"] == 1


def test_a_worker_with_other_data_files_ends_and_its_trial_is_tried_again(write, tmp_path):
    rows = "\n".join(f"{i},{i % 2}" for i in range(40))
    (tmp_path / "d.csv").write_text("x,y\n" + rows + "\n")
    text = """nnspec: 1
name: net
params: {width: 4}
inputs: {x: [1]}
layers: [{Dense: {units: $width}}, {Dense: {units: 1, activation: sigmoid}, name: y}]
data: {train: {csv: d.csv}, validation: 0.3}
train: {epochs: 1, loss: BinaryCrossentropy}
sweep: {trials: 1, over: {params.width: [2, 3]}}
"""
    storage = f"journal:{tmp_path / 'j.log'}"
    sweep(write(text), out=tmp_path / "s", storage=storage)
    (tmp_path / "d.csv").write_text("x,y\n" + rows.replace("39,1", "99,1") + "\n")
    with pytest.raises(NnspecError, match="the data files of this machine are not those"):
        sweep(write(text), ["sweep.trials=2"], out=tmp_path / "t", storage=storage)
    (tmp_path / "d.csv").write_text("x,y\n" + rows + "\n")
    found = sweep(write(text), ["sweep.trials=2"], out=tmp_path / "t", storage=storage)
    assert [(trial.state, trial.attempts) for trial in found.trials] == [("finished", 1), ("finished", 2)]


def test_where_the_first_trials_all_fail_the_sweep_ends_with_the_reason(file, tmp_path):
    overrides = ["sweep.over={train.optimizer.Adam.learning_rate: [1.0e+38]}", "sweep.trials=9"]
    with pytest.raises(NnspecError, match="the first 3 trials all failed"):
        sweep(file, overrides, out=tmp_path / "s")


def test_a_figure_that_no_epoch_has_is_refused_before_anything_is_trained(file, tmp_path):
    with pytest.raises(NnspecError, match="did you mean `val_loss`"):
        sweep(file, ["sweep.monitor=val_los"], out=tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_a_spec_without_the_section_says_what_to_write(write, tmp_path):
    with pytest.raises(NnspecError, match="has no section `sweep`"):
        sweep(write(SPEC[: SPEC.index("sweep:")]), out=tmp_path / "s")
