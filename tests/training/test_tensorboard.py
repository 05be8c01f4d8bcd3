"""The figures of a training for TensorBoard."""

from __future__ import annotations

import sys

import pytest
from click.testing import CliRunner

from nnspec.cli import main
from nnspec.spec import load
from nnspec.training import Run, resume, train
from nnspec.training.loop.progress import Quiet

from .test_resume import SMALL, table

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
    return {
        tag: {event.step: float(tensor_util.make_ndarray(event.tensor_proto)) for event in events.Tensors(tag)}
        for tag in events.Tags()["tensors"]
        if tag != "spec"
    }


def test_every_epoch_is_there_for_training_and_validation_and_after_going_on(spec, tmp_path):
    pytest.importorskip("tensorboard")
    run = train(load(spec, ["train.epochs=2"]), out=tmp_path / "run", progress=Quiet(), tensorboard=True)
    run = resume(run.path, overrides=["train.epochs=4"], progress=Quiet())
    records = run.metrics()
    found = {part: scalars(run.path / "tensorboard" / part) for part in ("train", "validation")}
    for part, prefix in (("train", ""), ("validation", "val_")):
        for name in ("loss", "kind_sparse_categorical_accuracy"):
            wanted = {record["epoch"]: pytest.approx(record[prefix + name], rel=1e-6) for record in records}
            assert found[part][f"epoch_{name}"] == wanted
    assert set(found["train"]) == {"epoch_loss", "epoch_kind_sparse_categorical_accuracy", "epoch_examples_per_second"}


def test_the_spec_stands_beside_the_curves(spec, tmp_path):
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    run = train(load(spec, ["train.epochs=1"]), out=tmp_path / "run", progress=Quiet(), tensorboard=True)
    found = events.EventAccumulator(str(run.path / "tensorboard" / "train"))
    found.Reload()
    [event] = found.Tensors("spec")
    assert b"nnspec: 1" in event.tensor_proto.string_val[0]


def test_nothing_is_written_for_it_unless_it_is_asked_for(spec, tmp_path):
    assert not (train(load(spec, ["train.epochs=1"]), out=tmp_path / "run", progress=Quiet()).path / "tensorboard").exists()


def test_where_it_is_not_installed_that_is_reported_before_the_training(spec, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    monkeypatch.setattr("nnspec.extras.installed", lambda module: module != "tensorboard")
    arguments = ["train", str(spec), "--out", str(tmp_path / "run"), "--tensorboard"]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 1
    assert "pip install 'nnspec[tensorboard]'" in done.output
    assert not (tmp_path / "run").exists()
    with pytest.raises(Exception, match="no run at"):
        Run.open(tmp_path / "run")
