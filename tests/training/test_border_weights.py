"""Border weights in training: they add to a class's weight, and go where the mask goes."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from nnspec.data.border_weights import gaps, objects_of
from nnspec.data.plan import AugmentPlan, Need
from nnspec.data.section import Border
from nnspec.layers import LAYERS
from nnspec.layers.augmentation import MixUp
from nnspec.spec import load
from nnspec.training import evaluate, train
from nnspec.training.batches.augmenter import Augmenter
from nnspec.training.catalogue.losses.binary import BinaryCrossentropy
from nnspec.training.catalogue.losses.classes import SparseCategoricalCrossentropy
from nnspec.training.loop.output_learner import OutputLearner
from nnspec.training.loop.progress import Quiet
from nnspec.training.plan import OutputPlan
from nnspec.training.section import WeightedLoss
from nnspec.types import TensorType

SPEC = """nnspec: 1
name: squares
inputs: {image: [H, W, 1]}
layers:
  - Conv2D: {filters: 4, kernel_size: 3, padding: same, activation: relu}
  - Conv2D: {filters: 1, kernel_size: 1, activation: sigmoid}
    name: mask
data:
  train: {masks: {images: pictures, masks: labels}}
  validation: 0.25
  inputs: {image: {column: image, transform: [{rescale: 0.00392156862745098}]}}
  targets: {mask: {column: mask, weight: {border: {w0: 5.0}}}}
  augment: [{RandomFlip: {}, on: [image, mask]}, {RandomElasticTransform: {}, on: [image, mask]}]
train:
  epochs: 2
  batch_size: 3
  seed: 1
  loss: BinaryCrossentropy
  class_weight: balanced
  metrics: [BinaryDice, {BinaryIoU: {target_class_ids: [1]}}]
"""


def squares(seed: int) -> np.ndarray:
    mask = np.zeros((24, 20), np.int32)
    for y, x in np.random.default_rng(seed).integers(0, 16, (5, 2)):
        mask[y : y + 4, x : x + 4] = 1
    return mask


@pytest.mark.parametrize("sparse", [False, True], ids=["yes_or_no", "classes"])
@pytest.mark.parametrize("classes", [None, {"mask": np.float32([0.6, 2.5])}], ids=["alike", "balanced"])
def test_the_loss_is_the_mean_of_each_positions_own_times_the_sum_of_both_weights(sparse: bool, classes) -> None:
    mask = np.stack([squares(0), squares(1)])
    reported = np.random.default_rng(2).uniform(0.1, 0.9, mask.shape).astype(np.float32)
    added = np.stack([gaps(objects_of(own), Border()) for own in mask]).astype(np.float32)
    x = keras.Input((24, 20, 2 if sparse else 1), name="image")
    model = keras.Model({"image": x}, {"mask": keras.layers.Identity()(x)})
    loss = SparseCategoricalCrossentropy() if sparse else BinaryCrossentropy()
    plan = OutputPlan("mask", TensorType((24, 20, 2 if sparse else 1)), (WeightedLoss(loss=loss),), 1.0, {})
    learner = OutputLearner(model, {"mask": plan}, class_weights=classes, added={"mask"})
    outputs = np.stack([1 - reported, reported], -1) if sparse else reported[..., None]
    target = mask if sparse else mask[..., None].astype(np.float32)
    found, *_ = learner({"image": outputs}, {"mask": tf.constant(target)}, {"mask": tf.constant(added)}, training=True)
    own = -np.log(np.where(mask == 1, reported, 1 - reported))
    weight = (1.0 if classes is None else classes["mask"][mask]) + added
    assert float(found) == pytest.approx((own * weight).mean(), rel=1e-5)
    watched, *_ = learner({"image": outputs}, {"mask": tf.constant(target)}, {"mask": tf.constant(added)}, training=False)
    assert float(watched) == pytest.approx((own * (1 + added)).mean(), rel=1e-5)


def moved(layer, mask: np.ndarray, added: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    need = Need("class", TensorType((*mask.shape[1:], 2)), "SparseCategoricalCrossentropy")
    made = Augmenter((AugmentPlan(layer, ("image",), ("mask",), frozenset({"mask"})),), {"mask": need}, 7)
    image = mask[..., None].astype(np.float32)
    step = tf.function(lambda x, y, w: made({"image": x}, {"mask": y}, {"mask": w}))
    _, targets, weights = step(tf.constant(image), tf.constant(mask), tf.constant(added))
    return targets["mask"].numpy(), weights["mask"].numpy()


def test_flipped_weights_are_those_of_the_flipped_mask() -> None:
    mask = np.stack([squares(seed) for seed in range(6)])
    added = np.stack([gaps(objects_of(own), Border()) for own in mask]).astype(np.float32)
    changed, weights = moved(LAYERS.get("RandomFlip")(), mask, added)
    assert (changed != mask).any()
    np.testing.assert_allclose(weights, [gaps(objects_of(own), Border()) for own in changed], atol=1e-5)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("RandomTranslation", {"height_factor": 0.3, "width_factor": 0.3, "fill_mode": "constant"}),
        ("RandomRotation", {"factor": 0.5, "fill_mode": "constant"}),
        ("RandomElasticTransform", {"fill_mode": "constant"}),
    ],
)
def test_weights_move_as_the_labels_do_and_nothing_is_added_beyond_the_border(name: str, arguments: dict) -> None:
    mask = np.random.default_rng(0).integers(1, 9, (4, 24, 20)).astype(np.int32)
    changed, weights = moved(LAYERS.get(name)(**arguments), mask, (mask * 0.5).astype(np.float32))
    np.testing.assert_allclose(weights, changed * 0.5)
    assert (changed != mask).any() and (weights == 0).any()


def test_colours_leave_weights_alone() -> None:
    mask = squares(0)[None]
    _, weights = moved(LAYERS.get("RandomBrightness")(factor=0.5, value_range=(0, 1)), mask, mask * 3.0)
    np.testing.assert_array_equal(weights, mask * 3.0)


def test_weights_are_mixed_as_pictures_are() -> None:
    mask = np.stack([np.full((8, 8), value, np.int32) for value in range(4)])
    need = Need("probability", TensorType((8, 8, 1)), "BinaryCrossentropy")
    made = Augmenter((AugmentPlan(MixUp(), ("image",), ("mask",), frozenset()),), {"mask": need}, 7)
    planes = tf.constant(mask[..., None], tf.float32)
    inputs, _, weights = made({"image": planes}, {"mask": planes}, {"mask": tf.constant(mask, tf.float32)})
    np.testing.assert_allclose(inputs["image"][..., 0], weights["mask"], rtol=1e-5)


def test_a_training_with_border_weights_and_changed_pictures_learns_and_is_judged(tmp_path: Path) -> None:
    for name in ("pictures", "labels"):
        (tmp_path / name).mkdir()
    for number in range(8):
        mask = squares(number).astype(np.uint8)
        Image.fromarray(mask * 150 + 20).save(tmp_path / "pictures" / f"{number}.png")
        Image.fromarray(mask).save(tmp_path / "labels" / f"{number}.png")
    (tmp_path / "net.nnspec.yaml").write_text(SPEC)
    run = train(
        load(tmp_path / "net.nnspec.yaml", ["train.epochs=40", "train.optimizer={Adam: {learning_rate: 0.02}}"]),
        out=tmp_path / "run",
        progress=Quiet(),
    )
    figures = evaluate(run)
    assert figures["mask_binary_dice"] > 0.9
    # What validation's loss is made of counts the gaps too: it is more than the mean of the positions' own.
    iou, dice = figures["mask_binary_io_u"], figures["mask_binary_dice"]
    assert dice == pytest.approx(2 * iou / (1 + iou), abs=1e-5)
