"""What memory does not hold is read as it is used, and comes to the same."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from benchmarks.resume import differences
from nnspec.data import lazy
from nnspec.diagnostics import NnspecError, SpecError
from nnspec.spec import load
from nnspec.training import Run, resume, train
from nnspec.training.loop import loop
from nnspec.training.loop.progress import Quiet
from nnspec.training.run.checkpoints import Checkpoints

from .pictures import write_digits

SPEC = """nnspec: 1
name: net
inputs: {image: [8, 8, 1]}
layers:
  - Flatten
  - Dense: {units: 10, activation: softmax}
    name: digit
data:
  train: {images: digits}
  validation: 0.2
  inputs: {image: {transform: [{rescale: 0.0039}, standardize]}}
  targets: {digit: {transform: [label_encode]}}
train: {epochs: 3, batch_size: 8, loss: SparseCategoricalCrossentropy}
"""


@pytest.fixture
def large(monkeypatch):
    """Everything is too large for memory."""
    monkeypatch.setattr(lazy, "IN_MEMORY", 0)


def test_values_made_as_they_are_used_are_those_of_memory(project, monkeypatch):
    write_digits(project.folder / "digits", 100)
    text = SPEC.partition("name: net\n")[2]
    whole = project.prepare(text)
    monkeypatch.setattr(lazy, "IN_MEMORY", 0)
    monkeypatch.setattr(lazy, "_CHUNK", 7 * 256)
    made = project.prepare(text)
    assert isinstance(made.train.inputs["image"], lazy.LazyArray)
    assert made.train.bytes == whole.train.bytes
    rows = np.array([3, 50, 3])
    np.testing.assert_allclose(made.train.batch(rows).inputs["image"], whole.train.batch(rows).inputs["image"], atol=1e-5)
    np.testing.assert_allclose(np.asarray(made.train.inputs["image"]), whole.train.inputs["image"], atol=1e-5)
    assert made.fingerprints == whole.fingerprints


def test_a_training_that_reads_as_it_goes_has_the_same_weights(tmp_path, monkeypatch):
    from nnspec.training.backends import tensorflow as tensorflow_steps

    write_digits(tmp_path / "digits", 60)
    (tmp_path / "net.nnspec.yaml").write_text(SPEC.replace(", standardize", ""))
    spec = load(tmp_path / "net.nnspec.yaml")
    whole = train(spec, out=tmp_path / "whole").weights()
    monkeypatch.setattr(lazy, "IN_MEMORY", 0)
    put = train(spec, out=tmp_path / "put").weights()
    monkeypatch.setattr(tensorflow_steps.TensorFlowSteps.__init__, "__kwdefaults__", {"resident_bytes": 0})
    streamed = train(spec, out=tmp_path / "streamed").weights()
    for name, array in whole.items():
        np.testing.assert_array_equal(put[name], array)
        np.testing.assert_array_equal(streamed[name], array)


def test_a_picture_that_is_broken_in_the_middle_of_an_epoch_is_named(tmp_path, monkeypatch):
    from nnspec.training.backends import tensorflow as tensorflow_steps

    write_digits(tmp_path / "digits", 60)
    (tmp_path / "net.nnspec.yaml").write_text(SPEC.replace(", standardize", ""))
    path = tmp_path / "digits" / "d3" / "0003.png"
    path.write_bytes(path.read_bytes()[:-30])
    monkeypatch.setattr(lazy, "IN_MEMORY", 0)
    monkeypatch.setattr(tensorflow_steps.TensorFlowSteps.__init__, "__kwdefaults__", {"resident_bytes": 0})
    with pytest.raises(NnspecError, match=r"NN460.*d3/0003\.png cannot be decoded") as caught:
        train(load(tmp_path / "net.nnspec.yaml"), out=tmp_path / "run")
    assert str(tmp_path / "run") in str(caught.value)


def test_a_training_goes_on_once_a_picture_that_became_unreadable_is_there_again(tmp_path, monkeypatch):
    from nnspec.training.backends import tensorflow as tensorflow_steps

    write_digits(tmp_path / "digits", 60)
    (tmp_path / "net.nnspec.yaml").write_text(SPEC.replace(", standardize", ""))
    spec = load(tmp_path / "net.nnspec.yaml")
    monkeypatch.setattr(lazy, "IN_MEMORY", 0)
    monkeypatch.setattr(tensorflow_steps.TensorFlowSteps.__init__, "__kwdefaults__", {"resident_bytes": 0})
    monkeypatch.setattr(loop, "_INITIAL_STEPS_PER_CALL", 1)
    whole = train(spec, out=tmp_path / "whole", progress=Quiet())
    path = tmp_path / "digits" / "d3" / "0003.png"
    content = path.read_bytes()

    class Breaking(Quiet):
        def epoch_ended(self, record: dict[str, object]) -> None:
            path.write_bytes(content[:-30])

    with pytest.raises(NnspecError, match=r"an example could not be read") as caught:
        train(spec, out=tmp_path / "run", progress=Breaking())
    assert "d3/0003.png cannot be decoded" in str(caught.value)
    assert "resume with: nnspec train --resume" in str(caught.value)
    newest, _ = Checkpoints(tmp_path / "run" / "checkpoints").newest()
    assert newest is not None
    assert newest.position.epoch == 1
    assert f"after step {newest.position.step}, " in str(caught.value)
    path.write_bytes(content)
    assert differences(whole.path, resume(tmp_path / "run", progress=Quiet()).path) == []


def test_a_picture_that_becomes_another_while_it_is_read_ends_the_training_after_the_epoch(tmp_path, monkeypatch):
    write_digits(tmp_path / "digits", 60)
    (tmp_path / "net.nnspec.yaml").write_text(SPEC.replace(", standardize", ""))
    monkeypatch.setattr(lazy, "IN_MEMORY", 0)

    class Replacing(Quiet):
        def epoch_ended(self, record: dict[str, object]) -> None:
            pictures = tmp_path / "digits" / "d3"
            (pictures / "0003.png").write_bytes((pictures / "0013.png").read_bytes())

    with pytest.raises(NnspecError, match=r"the training data changed during training: digits/d3/0003\.png"):
        train(load(tmp_path / "net.nnspec.yaml"), out=tmp_path / "run", progress=Replacing())
    assert Run.open(tmp_path / "run").metrics()[0]["epoch"] == 1


@pytest.mark.usefixtures("large")
def test_the_first_row_is_looked_at_before_the_first_step(project):
    write_digits(project.folder / "digits", 60)
    path = project.folder / "digits" / "d0" / "0000.png"
    path.write_bytes(path.read_bytes()[:-30])
    [problem] = project.refuses(SPEC.partition("name: net\n")[2])
    assert (problem.code, problem.path) == ("NN460", "data.inputs.image")


def test_windows_far_larger_than_their_table_take_no_more_memory(project):
    values = "\n".join(f"{i % 97}" for i in range(100_000))
    (project.folder / "a.csv").write_text(f"load\n{values}\n")
    net = "inputs: {x: [4000]}\nlayers:\n  - Dense: {units: 1}\n    name: y\n"
    data = "data: {train: {series: {csv: a.csv, window: 4000}}, inputs: {x: {column: load, transform: [{rescale: 2}]}}, "
    text = net + data + "targets: {y: load}}\ntrain: {epochs: 1, loss: mse}\n"
    tracemalloc.start()
    prepared = project.prepare(text)
    assert prepared.train.inputs["x"].nbytes > 1.5e9
    batch = prepared.train.batch(np.array([0, 5000]))
    assert tracemalloc.get_traced_memory()[1] < 1e8
    tracemalloc.stop()
    np.testing.assert_array_equal(batch.inputs["x"][1], 2 * (np.arange(5000, 9000) % 97))
    assert batch.targets["y"].tolist() == [[4000 % 97], [9000 % 97]]


@pytest.mark.usefixtures("large")
def test_a_value_that_is_wrong_is_named_by_its_own_row(project):
    (project.folder / "a.csv").write_text("load\n" + "\n".join(["1", "2", "3", "4", "NA", "6", "7", "8"]) + "\n")
    net = "inputs: {x: [2]}\nlayers:\n  - Dense: {units: 1}\n    name: y\n"
    data = "data: {train: {series: {csv: a.csv, window: 2}}, inputs: {x: load}, targets: {y: load}}\n"
    prepared = project.prepare(net + data + "train: {epochs: 1, loss: mse}\n")
    with pytest.raises(SpecError, match=r"in the 2 rows from a\.csv, line 5, column `load`: the value is missing"):
        prepared.train.batch(np.array([0, 3]))
