"""Training with weights that several steps use: what is frozen in one use stays, and a named use starts from a run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nnspec.spec import load
from nnspec.training import Run, train
from nnspec.training.loop.progress import Quiet

keras = pytest.importorskip("keras")

CASES = Path(__file__).parent.parent / "cases" / "layers"

DIGITS = """nnspec: 1
name: digits
inputs: {image: [8, 8, 1]}
layers:
  - Flatten
  - Dense: {units: 6, activation: relu}
    name: features
  - Dense: {units: 10, activation: softmax}
    name: digit
data: {train: {builtin: digits}, validation: 0.5}
train: {steps: 2, loss: SparseCategoricalCrossentropy}
"""
HEAD = """nnspec: 1
name: head
use: [{backbone: {spec: digits.nnspec.yaml, outputs: [features]}}]
inputs: {image: [8, 8, 1]}
layers:
  - backbone:
    name: trunk
    weights: {file: runs/digits, prefix: ""}
    freeze: true
  - Dense: {units: 10, activation: softmax}
    name: digit
data: {train: {builtin: digits}, validation: 0.5}
train: {steps: 2, loss: SparseCategoricalCrossentropy}
"""


def trained(folder: Path, text: str, out: str) -> Run:
    file = folder / f"{Path(out).name}.nnspec.yaml"
    file.write_text(text, encoding="utf-8")
    return train(load(file), out=folder / out, progress=Quiet())


@pytest.mark.parametrize("case", ["freeze_shared", "freeze_both"])
def test_weights_that_one_use_freezes_do_not_move(tmp_path, case):
    from nnspec.keras_backend import to_keras, weight_arrays

    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 64, 2)).astype("float32")
    np.savez(tmp_path / "freeze.npz", a=a, b=b, y=rng.normal(size=(64, 1)).astype("float32"))
    run = trained(tmp_path, (CASES / f"{case}.nnspec.yaml").read_text(encoding="utf-8"), "run")
    graph = run.model.main
    first = weight_arrays(to_keras(graph, seed=run.info["seed"]), graph)
    moved = {name for name, array in run.weights().items() if (array != first[name]).any()}
    assert moved == {"out/kernel", "out/bias"}
    assert graph.trainable_parameters == 3


def test_a_named_use_of_another_document_starts_from_its_run_with_an_empty_prefix(tmp_path):
    first = trained(tmp_path, DIGITS, "runs/digits")
    second = trained(tmp_path, HEAD, "runs/head")
    assert (second.weights()["backbone/features/kernel"] == first.weights()["features/kernel"]).all()
