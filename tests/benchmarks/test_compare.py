"""A run's Keras model is held against its exported file, which takes raw values."""

from __future__ import annotations

import numpy as np
import pytest

from examples.compare import compare, main
from nnspec.exporting.runs import export_run
from nnspec.spec import load
from nnspec.training import train
from nnspec.training.loop.progress import Quiet

pytest.importorskip("keras")

SPEC = """nnspec: 1
name: net
inputs: {x: [2]}
layers:
  - Dense: {units: 3, activation: softmax}
    name: kind
  - Dense: {units: 1}
    from: x
    name: size
outputs: [kind, size]
data:
  train: {csv: a.csv}
  test: {csv: a.csv}
  inputs: {x: {columns: [a, b], transform: [standardize]}}
  targets: {kind: kind, size: {column: a}}
train: {epochs: 1, loss: {kind: SparseCategoricalCrossentropy, size: mse}}
"""


def test_a_file_that_takes_raw_values_answers_as_keras_does_and_a_changed_run_does_not(write, tmp_path, capsys):
    rows = [f"{i},{1000 + i * i},{i % 3}" for i in range(300)]
    (tmp_path / "a.csv").write_text("a,b,kind\n" + "\n".join(rows) + "\n")
    run = train(load(write(SPEC)), out=tmp_path / "run", progress=Quiet())
    export_run(run.path, tmp_path / "net.onnx")
    parity, differing = compare(run.path, tmp_path / "net.onnx")
    assert parity.agrees
    assert (parity.examples, differing) == (300, {"kind": 0})
    run.write_weights({name: np.negative(array) for name, array in run.weights().items()}, 1)
    assert main(str(run.path), str(tmp_path / "net.onnx")) == 1
    assert "`kind` differs" in capsys.readouterr().out
