"""Class activation maps in an exported file."""

from __future__ import annotations

import numpy as np
import pytest

from nnspec.exporting.runs import export_run
from nnspec.runtime.predictor import Predictor
from nnspec.spec import load
from nnspec.training import train
from nnspec.training.loop.progress import Quiet

DIGITS = """nnspec: 1
name: digits
inputs: {image: [8, 8, 1]}
layers:
  - Conv2D: {filters: 8, kernel_size: 3, activation: relu}
  - GlobalAveragePooling2D
  - Dropout: {rate: 0.1}
  - Dense: {units: 10, activation: softmax}
    name: digit
data: {train: {builtin: digits}, validation: 0.5}
train: {epochs: 1, seed: 3, loss: SparseCategoricalCrossentropy}
export: {activation_maps: [digit]}
"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("digits")
    (folder / "digits.nnspec.yaml").write_text(DIGITS)
    train(load(folder / "digits.nnspec.yaml"), out=folder / "run", progress=Quiet())
    parity = export_run(folder / "run", folder / "digits.onnx")
    return parity, Predictor(folder / "digits.onnx")


def test_the_file_gives_the_map_beside_the_output_and_says_of_which_it_is(exported):
    _, predictor = exported
    assert {name: port.shape for name, port in predictor.outputs.items()} == {
        "digit": ("batch", 10),
        "digit_map": ("batch", 6, 6, 10),
    }
    assert predictor.maps == {"digit_map": "digit"}


def test_the_map_is_proven_equal_like_any_output(exported):
    parity, predictor = exported
    assert parity.outputs["digit_map"].agrees
    assert "digit_map" in predictor.parity["outputs"]


def test_its_mean_over_positions_is_the_logit(exported):
    _, predictor = exported
    found = predictor.predict({"image": np.random.default_rng(0).random((5, 8, 8, 1), np.float32)})
    shares = np.exp(found["digit_map"].mean((1, 2)))
    np.testing.assert_allclose(shares / shares.sum(-1, keepdims=True), found["digit"], rtol=1e-4)
