"""Trackers: each epoch is recorded once, also after kills; a tracker that fails stops no training."""

from __future__ import annotations

import shutil
import sys

import pytest
from click.testing import CliRunner

from benchmarks.resume import kill, spec_of
from nnspec.cli import main
from nnspec.diagnostics import NnspecError
from nnspec.spec import load
from nnspec.training import Run, resume, train
from nnspec.training.loop.progress import Quiet
from nnspec.training.trackers.tracker import TrackerError

from .test_resume import SMALL, Listening, table

pytest.importorskip("keras")


@pytest.fixture
def spec(tmp_path):
    table(tmp_path)
    (tmp_path / "net.nnspec.yaml").write_text(SMALL)
    return tmp_path / "net.nnspec.yaml"


def scalars(folder) -> dict[str, dict[int, float]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util import tensor_util

    events = EventAccumulator(str(folder))
    events.Reload()
    found = {}
    for tag in events.Tags()["tensors"]:
        steps = [event.step for event in events.Tensors(tag)]
        assert len(steps) == len(set(steps))
        if tag != "spec":
            found[tag] = {event.step: float(tensor_util.make_ndarray(event.tensor_proto)) for event in events.Tensors(tag)}
    return found


def test_tensorboard_has_every_epoch_of_training_and_validation_once_after_a_resume(spec, tmp_path):
    pytest.importorskip("tensorboard")
    run = train(load(spec, ["train.epochs=2"]), out=tmp_path / "run", progress=Quiet(), track=["tensorboard"])
    run = resume(run.path, overrides=["train.epochs=4"], progress=Quiet())
    records = run.metrics()
    found = {part: scalars(run.path / "tensorboard" / part) for part in ("train", "validation")}
    for part, prefix in (("train", ""), ("validation", "val_")):
        for name in ("loss", "kind_sparse_categorical_accuracy"):
            wanted = {record["epoch"]: pytest.approx(record[prefix + name], rel=1e-6) for record in records}
            assert found[part][f"epoch_{name}"] == wanted
    assert set(found["train"]) == {"epoch_loss", "epoch_kind_sparse_categorical_accuracy", "epoch_examples_per_second"}


def test_tensorboard_shows_the_spec(spec, tmp_path):
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    run = train(load(spec, ["train.epochs=1"]), out=tmp_path / "run", progress=Quiet(), track=["tensorboard"])
    found = events.EventAccumulator(str(run.path / "tensorboard" / "train"))
    found.Reload()
    [event] = found.Tensors("spec")
    assert b"nnspec: 1" in event.tensor_proto.string_val[0]


def test_no_events_are_written_unless_tensorboard_is_requested(spec, tmp_path):
    assert not (train(load(spec, ["train.epochs=1"]), out=tmp_path / "run", progress=Quiet()).path / "tensorboard").exists()


def test_a_tracker_that_is_not_installed_is_reported_before_the_training(spec, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    monkeypatch.setattr("nnspec.extras.installed", lambda module: module != "tensorboard")
    arguments = ["train", str(spec), "--out", str(tmp_path / "run"), "--track", "tensorboard"]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 1
    assert "pip install 'nnspec[tensorboard]'" in done.output
    assert not (tmp_path / "run").exists()
    with pytest.raises(Exception, match="no run at"):
        Run.open(tmp_path / "run")


# --- MLflow -----------------------------------------------------------------------------------------------------------------

deprecated = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::PendingDeprecationWarning", "ignore::FutureWarning"
)


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory):
    """A database without a run: MLflow builds one in a second, by all its migrations."""
    mlflow = pytest.importorskip("mlflow")
    file = tmp_path_factory.mktemp("store") / "mlflow.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        patch.chdir(file.parent)
        mlflow.MlflowClient(tracking_uri=f"sqlite:///{file}").search_experiments()
    return file


@pytest.fixture
def store(empty_store, tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(empty_store, tmp_path / "mlflow.db")
    return mlflow.MlflowClient(tracking_uri=f"sqlite:///{tmp_path}/mlflow.db")


def recorded_run(client):
    [experiment] = [each for each in client.search_experiments() if each.name != "Default"]
    [run] = client.search_runs([experiment.experiment_id])
    return run


def steps_of(client, run, metric: str) -> list[int]:
    return sorted(each.step for each in client.get_metric_history(run.info.run_id, metric))


@deprecated
@pytest.mark.parametrize("kills", [1, pytest.param(3, marks=pytest.mark.full)])
def test_a_killed_and_resumed_training_is_one_run_in_mlflow_with_each_epoch_once(store, tmp_path, kills):
    spec = tmp_path / "net.nnspec.yaml"
    spec.write_text(spec_of("lstm", 12))
    outcome = kill(spec, tmp_path / "cut", kills, most_seconds=0.5, options=["--track", "mlflow"])
    assert outcome.kills >= 1
    run = recorded_run(store)
    assert (run.info.status, run.info.run_name) == ("FINISHED", "cut")
    for metric in ("loss", "val_loss"):
        assert steps_of(store, run, metric) == list(range(1, 13))


@deprecated
def test_an_exported_model_is_in_the_run_of_mlflow_with_its_signature(store, spec, tmp_path):
    import mlflow
    import numpy as np

    run = train(load(spec, ["train.epochs=1"]), out=tmp_path / "run", progress=Quiet(), track=["mlflow"])
    done = CliRunner().invoke(main, ["export", str(run.path), "-o", str(tmp_path / "net.onnx")])
    assert (done.exit_code, "warning" in done.output) == (0, False), done.output
    there = recorded_run(store)
    assert there.info.status == "FINISHED"
    [model] = store.search_logged_models([there.info.experiment_id])
    loaded = mlflow.pyfunc.load_model(model.model_uri)
    assert [each.name for each in loaded.metadata.signature.inputs] == ["x"]
    inputs = np.load(tmp_path / "a.npz")["x"][:5]
    from nnspec.runtime.predictor import Predictor

    [ours] = Predictor(tmp_path / "net.onnx").predict({"x": inputs}).values()
    np.testing.assert_array_equal(loaded.predict({"x": inputs})["kind"], ours)


@deprecated
def test_params_and_settings_of_a_training_are_in_mlflow(store, spec, tmp_path):
    train(load(spec, ["train.epochs=1"]), out=tmp_path / "run", progress=Quiet(), track=["mlflow"])
    params = recorded_run(store).data.params
    assert params["train.optimizer.Adam.learning_rate"] == "0.02"
    assert params["seed"] == "3"


@deprecated
def test_a_store_that_fails_during_a_training_does_not_stop_it_and_gets_the_missing_epochs_later(
    store, spec, tmp_path, monkeypatch
):
    import mlflow

    real, calls = mlflow.MlflowClient.log_batch, []

    def fail_twice(self, *args, **kwargs):
        if "metrics" in kwargs:
            calls.append(kwargs)
            if len(calls) in (2, 3):
                raise OSError("no answer")
        return real(self, *args, **kwargs)

    monkeypatch.setattr(mlflow.MlflowClient, "log_batch", fail_twice)
    listening = Listening()
    run = train(load(spec), out=tmp_path / "run", progress=listening, track=["mlflow"])
    assert run.status == "finished"
    assert sum("MLflow cannot write a record: no answer" in line for line in listening.lines) == 1
    assert steps_of(store, recorded_run(store), "loss") == [1, 2, 3, 4]


@deprecated
def test_a_store_that_cannot_be_opened_is_reported_before_the_training(store, spec, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/nowhere/mlflow.db?mode=ro")
    (tmp_path / "nowhere").write_text("a file")
    with pytest.raises(TrackerError, match="MLflow cannot open the record"):
        train(load(spec), out=tmp_path / "run", progress=Quiet(), track=["mlflow"])
    assert Run.open(tmp_path / "run").status == "failed"


@deprecated
def test_a_run_goes_on_without_a_store_that_has_lost_its_record(store, spec, tmp_path, monkeypatch):
    run = train(load(spec, ["train.epochs=1"]), out=tmp_path / "run", progress=Quiet(), track=["mlflow"])
    state = Run.open(run.path).info["trackers"]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/other.db")
    listening = Listening()
    run = resume(run.path, overrides=["train.epochs=2"], progress=listening)
    assert (run.status, len(run.metrics()), run.info["trackers"]) == ("finished", 2, state)
    assert sum("MLflow cannot open the record" in line for line in listening.lines) == 1


def test_an_unknown_tracker_is_an_error_that_lists_those_that_exist(spec, tmp_path):
    with pytest.raises(NnspecError, match="trackers are mlflow, tensorboard, wandb"):
        train(load(spec), out=tmp_path / "run", progress=Quiet(), track=["mlfow"])


def test_weights_and_biases_has_each_epoch_of_a_run_without_a_connection(spec, tmp_path, monkeypatch):
    wandb = pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    logged = []
    real = wandb.Run.log
    monkeypatch.setattr(
        wandb.Run, "log", lambda self, data, step: (logged.append((step, data["loss"])), real(self, data, step))[1]
    )
    run = train(load(spec, ["train.epochs=2"]), out=tmp_path / "run", progress=Quiet(), track=["wandb"])
    first = Run.open(run.path).info["trackers"]["wandb"]
    run = resume(run.path, overrides=["train.epochs=4"], progress=Quiet())
    assert logged == [(each["epoch"], each["loss"]) for each in run.metrics()]
    assert Run.open(run.path).info["trackers"]["wandb"] == first
