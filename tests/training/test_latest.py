"""The link to the newest run of a model."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from nnspec import export, report
from nnspec.diagnostics import NnspecError
from nnspec.training import Run, train
from nnspec.training.loop.progress import Quiet
from nnspec.training.run.latest import followed, link_latest

SPEC = """\
nnspec: 1
name: flower
inputs: {facts: [4]}
layers: [{Dense: {units: 3, activation: softmax}, name: species}]
data:
  train: {builtin: iris}
  inputs: {facts: {columns: [sepal length (cm), sepal width (cm), petal length (cm), petal width (cm)]}}
  targets: {species: {column: target}}
train: {epochs: 1, loss: SparseCategoricalCrossentropy}
"""


@pytest.fixture
def spec(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("net.nnspec.yaml").write_text(SPEC, encoding="utf-8")
    return "net.nnspec.yaml"


def test_the_link_names_the_newest_run_without_a_folder_of_its_own(spec):
    latest = Path("runs/flower/latest")
    first = train(spec, progress=Quiet())
    assert Run.open(latest).path == first.path
    train(spec, out="runs/flower/mine", progress=Quiet())
    assert Run.open(latest).path == first.path
    second = train(spec, progress=Quiet())
    assert second.path != first.path
    assert Run.open(latest).path == second.path


def test_what_is_written_for_the_link_belongs_to_the_run_that_it_names(spec):
    run = train(spec, progress=Quiet())
    export("runs/flower/latest")
    assert (run.path / "flower.onnx").is_file()
    assert report("runs/flower/latest").path.name == f"{run.path.name}.html"


def test_a_link_to_a_run_that_was_removed_is_reported_by_its_folder(spec):
    run = train(spec, progress=Quiet())
    shutil.rmtree(run.path)
    with pytest.raises(NnspecError, match=f"there is no run at {run.path}"):
        Run.open("runs/flower/latest")


def test_a_folder_of_that_name_is_left_alone(tmp_path):
    (tmp_path / "latest").mkdir()
    (tmp_path / "run").mkdir()
    link_latest(tmp_path / "run")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["latest", "run"]
    assert followed(tmp_path / "latest") == tmp_path / "latest"
