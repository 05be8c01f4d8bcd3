"""Lists of losses, blocks of the document as losses and metrics, and loss weights that change."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nnspec.spec import load
from nnspec.training import evaluate, resume, train
from nnspec.training.loop.progress import Quiet

keras = pytest.importorskip("keras")

MASKS = """nnspec: 1
name: masks
blocks:
  soft_dice:
    params: {smooth: 1.0}
    inputs: [target, output]
    layers:
      - Compute:
          both: sum(target * output, axis=[1, 2, 3])
          loss: 1 - (2 * both + smooth) / (sum(target, axis=[1, 2, 3]) + sum(output, axis=[1, 2, 3]) + smooth)
        name: dice
    outputs: {loss: dice.loss}
inputs: {image: [8, 8, 1]}
layers:
  - Conv2D: {filters: 4, kernel_size: 3, padding: same, activation: relu}
  - Conv2D: {filters: 1, kernel_size: 1, activation: sigmoid}
    name: mask
data: {train: {npz: masks.npz}, validation: 0.25}
train:
  epochs: 3
  batch_size: 8
  optimizer: {Adam: {learning_rate: 3e-2}}
  loss: {mask: [BinaryCrossentropy, {soft_dice: {smooth: 2}, weight: 0.5}]}
  metrics: {mask: [BinaryCrossentropy, {soft_dice: {smooth: 2}}]}
"""


def masks(folder: Path) -> None:
    mask = (np.random.default_rng(0).random((32, 8, 8, 1)) > 0.7).astype(np.float32)
    image = mask + np.random.default_rng(1).normal(0, 0.3, mask.shape).astype(np.float32)
    np.savez(folder / "masks.npz", image=image, mask=mask)


def trained(folder: Path, text: str, *overrides: str, out: str = "run"):
    (folder / "net.nnspec.yaml").write_text(text, encoding="utf-8")
    return train(load(folder / "net.nnspec.yaml", overrides), out=folder / out, progress=Quiet())


def test_a_list_of_losses_is_their_weighted_sum_and_a_block_is_a_loss_and_a_metric(tmp_path):
    masks(tmp_path)
    run = trained(tmp_path, MASKS)
    losses = [record["loss"] for record in run.metrics()]
    assert losses == sorted(losses, reverse=True) and losses[-1] < losses[0]
    for record in run.metrics():
        whole = record["mask_binary_crossentropy"] + 0.5 * record["mask_soft_dice"]
        assert record["loss"] == pytest.approx(whole, rel=1e-4)
        assert {"val_loss", "val_mask_soft_dice"} <= record.keys()
    assert evaluate(run)["mask_soft_dice"] == pytest.approx(min(r["val_mask_soft_dice"] for r in run.metrics()), rel=0.05)


VAE = """nnspec: 1
name: vae
inputs: {image: [8, 8, 1]}
layers:
  - Flatten
  - Dense: {units: 4}
    name: mean
  - Dense: {units: 4}
    name: log_variance
    from: flatten
  - Sampling: {return_divergence: true}
    name: code
    from: {mean: mean, log_variance: log_variance}
  - Dense: {units: 64, activation: sigmoid}
    from: code.output
  - Reshape: {target_shape: [8, 8, 1]}
    name: restored
outputs: {image: restored, divergence: code.divergence}
data: {train: {builtin: digits}, validation: 0.5}
train:
  objective: {autoencoder: {restores: {image: image}}}
  batch_size: 128
  steps: 20
  loss: {image: BinaryCrossentropy, divergence: Value}
  loss_weights:
    image: 64
    divergence: {PolynomialDecay: {initial_learning_rate: 0, end_learning_rate: 1, decay_steps: 16}}
"""


def test_a_loss_weight_follows_a_schedule_by_step_and_is_logged_and_resumed(tmp_path):
    whole = trained(tmp_path, VAE)
    records = whole.metrics()
    assert [record["divergence_loss_weight"] for record in records] == pytest.approx([8 / 16, 1, 1])
    for record in records:  # validation has the weight of the last step
        assert record["val_loss"] == pytest.approx(64 * record["val_image_loss"] + record["val_divergence_loss"], rel=1e-4)
    assert records[0]["loss"] < 64 * records[0]["image_loss"] + records[0]["divergence_loss"]
    spec = load(tmp_path / "net.nnspec.yaml")
    count = iter(range(100))
    half = train(spec, out=tmp_path / "half", progress=Quiet(), stop=lambda: next(count) >= 0)
    assert half.info["status"] == "interrupted"
    again = resume(half.path, progress=Quiet())
    for name, value in whole.weights().items():
        assert np.array_equal(again.weights()[name], value), name
