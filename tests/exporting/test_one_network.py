"""One network of a run as a file of its own: the encoder of an autoencoder, its decoder."""

from __future__ import annotations

import numpy as np
import pytest

from nnspec.diagnostics import NnspecError
from nnspec.exporting.runs import export_run
from nnspec.runtime.predictor import Predictor
from nnspec.spec import load
from nnspec.training import Run, train
from nnspec.training.loop.progress import Quiet

pytest.importorskip("keras")

VARIATIONAL = """nnspec: 1
name: variational
networks:
  encoder:
    inputs: {image: [8, 8, 1]}
    layers:
      - Flatten
      - Dense: {units: 3}
        name: mean
      - Dense: {units: 3}
        name: log_variance
        from: flatten
    outputs: [mean, log_variance]
  decoder:
    inputs: {code: [3]}
    layers:
      - Dense: {units: 64, activation: sigmoid}
      - Reshape: [8, 8, 1]
        name: image
inputs: {image: [8, 8, 1]}
layers:
  - encoder
  - Sampling: {return_divergence: true}
    name: code
    from: {mean: encoder.mean, log_variance: encoder.log_variance}
  - decoder:
    name: restored
    from: code
outputs: {image: restored, divergence: code.divergence}
data: {train: {builtin: digits}}
train:
  objective: {autoencoder: {restores: {image: image}}}
  epochs: 2
  seed: 3
  loss: {image: BinaryCrossentropy, divergence: Value}
  loss_weights: {image: 64, divergence: 1}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    folder = tmp_path_factory.mktemp("variational")
    (folder / "net.nnspec.yaml").write_text(VARIATIONAL, encoding="utf-8")
    return train(load(folder / "net.nnspec.yaml"), out=folder / "run", progress=Quiet())


def test_the_encoder_and_the_decoder_apart_are_the_whole(run, tmp_path):
    parts = {}
    for network in ("encoder", "decoder", "main"):
        export_run(run.path, tmp_path / f"{network}.onnx", network=network)
        parts[network] = Predictor(tmp_path / f"{network}.onnx")
    image = np.random.default_rng(0).random((5, 8, 8, 1), np.float32)
    code = parts["encoder"].predict({"image": image})
    whole = parts["main"].predict({"image": image})
    apart = parts["decoder"].predict({"code": code["mean"]})
    np.testing.assert_allclose(apart["image"], whole["image"], rtol=1e-5, atol=1e-6)
    divergence = (code["mean"] ** 2 + np.exp(code["log_variance"]) - 1 - code["log_variance"]).sum(1) / 2
    np.testing.assert_allclose(whole["divergence"], divergence, rtol=1e-5)


def test_the_loss_is_what_is_restored_and_the_divergence(run):
    [*_, last] = run.metrics()
    assert last["loss"] == pytest.approx(64 * last["image_loss"] + last["divergence_loss"], rel=1e-5)


@pytest.mark.parametrize(
    ("given", "reported"), [({"network": "encodr"}, "did you mean `encoder`"), ({"form": "loop"}, "cannot be combined")]
)
def test_a_network_that_is_not_there_is_refused(run, tmp_path, given, reported):
    with pytest.raises(NnspecError, match=reported):
        export_run(run.path, tmp_path / "net.onnx", **{"network": "encoder", **given})
    assert not (tmp_path / "net.onnx").exists()
