"""``data.augment``: random changes of the training examples, inside the step, from the seed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import tensorflow as tf

from nnspec.api import validate
from nnspec.data.plan import AugmentPlan, Need
from nnspec.diagnostics import SpecError
from nnspec.graph import compile
from nnspec.layers import LAYERS
from nnspec.layers.augmentation import CutMix, MixUp
from nnspec.onnx_backend.emit import to_onnx
from nnspec.spec import load
from nnspec.training import Run, evaluate, train
from nnspec.training.batches.augmenter import Augmenter
from nnspec.training.loop.progress import Quiet
from nnspec.types import TensorType

TEXT = """nnspec: 1
name: digits
inputs: {image: [8, 8, 1]}
layers:
  - Conv2D: {filters: 16, kernel_size: 3, padding: same, activation: relu}
  - MaxPooling2D
  - Flatten
  - Dense: {units: 10, activation: softmax}
    name: digit
data:
  train: {builtin: digits}
  validation: 0.2
  %s
train:
  epochs: %d
  batch_size: 64
  seed: 3
  optimizer: {Adam: {learning_rate: 5e-3}}
  loss: %s
  metrics: [%s]
"""
CLASSES = ("SparseCategoricalCrossentropy", "SparseCategoricalAccuracy")
VECTORS = ("CategoricalCrossentropy", "CategoricalAccuracy")
SHIFTED = "augment: [{RandomTranslation: {height_factor: 0.1, width_factor: 0.1}}, {RandomBrightness: {factor: 0.1, value_range: [0, 1]}}]"
MIXED = "targets: {digit: {transform: [{one_hot: {classes: 10}}]}}\n  augment: [{MixUp: 0.2}, CutMix]"


class Heard(Quiet):
    def __init__(self) -> None:
        self.reported: list[str] = []

    def print(self, text: str) -> None:
        self.reported.append(text)


def trained(folder: Path, data: str, epochs: int, loss: tuple[str, str] = CLASSES, progress: Any = None) -> Run:
    folder.mkdir(exist_ok=True)
    (folder / "net.nnspec.yaml").write_text(TEXT % (data, epochs, *loss))
    return train(load(folder / "net.nnspec.yaml"), out=folder / "run", progress=progress or Quiet())


def same(a: Run, b: Run) -> bool:
    ours, theirs = a.weights(), b.weights()
    return all((ours[name] == theirs[name]).all() for name in ours)


@pytest.mark.parametrize(("data", "loss"), [(SHIFTED, CLASSES), (MIXED, VECTORS)], ids=["shifted", "mixed"])
def test_a_training_with_augmentation_learns_and_follows_its_seed(tmp_path: Path, data: str, loss: tuple[str, str]) -> None:
    run = trained(tmp_path / "a", data, 8, loss)
    figures = evaluate(run)
    [accuracy] = [value for name, value in figures.items() if name.endswith("accuracy")]
    assert accuracy > 0.9
    assert same(run, trained(tmp_path / "b", data, 8, loss))
    plain = trained(tmp_path / "c", data.partition("augment:")[0].rstrip() or "inputs: {}", 8, loss)
    assert not same(run, plain)


def test_what_is_exported_has_no_trace_of_augmentation(tmp_path: Path) -> None:
    run = trained(tmp_path, SHIFTED, 1)
    model = to_onnx(run.model.main, run.weights())
    assert "augment" not in onnx.printer.to_text(model).lower()
    (tmp_path / "plain.nnspec.yaml").write_text(TEXT % ("inputs: {}", 1, *CLASSES))
    plain = to_onnx(compile(load(tmp_path / "plain.nnspec.yaml")).main, run.weights())
    assert [node.op_type for node in model.graph.node] == [node.op_type for node in plain.graph.node]


def test_a_range_that_the_values_have_not_is_a_warning(tmp_path: Path) -> None:
    heard = Heard()
    trained(tmp_path, "augment: [{RandomContrast: 0.2}]", 1, progress=heard)
    [warning] = [text for text in heard.reported if "NN445" in text]
    assert "expects values from 0 to 255, but those of `image` range from 0 to 1" in warning


def test_mixing_classes_says_which_loss_takes_the_mixed_target(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as error:
        trained(tmp_path, "augment: [MixUp]", 1)
    [found] = error.value.diagnostics
    assert found.code == "NN444"
    assert "CategoricalCrossentropy" in found.help and "one_hot" in found.help


def augmenter(op: str, arguments: dict[str, Any], need: Need, *, label: bool) -> Augmenter:
    layer: Any = {"MixUp": MixUp, "CutMix": CutMix}.get(op) or LAYERS.get(op)
    plan = AugmentPlan(layer(**arguments), ("image",), ("mask",), frozenset({"mask"} if label else ()))
    return Augmenter((plan,), {"mask": need}, 7)


def compiled(made: Augmenter, image: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    step = tf.function(lambda x, y: made({"image": x}, {"mask": y}, {}))
    inputs, targets, _ = step(tf.constant(image), tf.constant(mask))
    return inputs["image"].numpy(), targets["mask"].numpy()


@pytest.mark.parametrize(
    ("op", "arguments"),
    [
        ("RandomFlip", {}),
        ("RandomTranslation", {"height_factor": 0.3, "width_factor": 0.3, "interpolation": "nearest", "fill_mode": "constant"}),
        ("RandomRotation", {"factor": 0.5, "interpolation": "nearest", "fill_mode": "constant"}),
        ("RandomShear", {"x_factor": 0.5, "interpolation": "nearest", "fill_mode": "constant"}),
        ("RandomZoom", {"height_factor": 0.3, "interpolation": "nearest", "fill_mode": "constant"}),
        ("RandomPerspective", {"interpolation": "nearest"}),
        ("RandomElasticTransform", {"interpolation": "nearest", "fill_mode": "constant"}),
    ],
)
def test_a_picture_and_its_mask_move_alike(op: str, arguments: dict[str, Any]) -> None:
    labels = np.random.default_rng(0).integers(0, 5, (6, 12, 10)).astype("int32")
    need = Need("class", TensorType((12, 10, 5)), "SparseCategoricalCrossentropy")
    made = augmenter(op, arguments, need, label=True)
    image, mask = compiled(made, labels[..., None].astype("float32"), labels)
    assert mask.dtype == np.int32 and mask.shape == labels.shape
    np.testing.assert_array_equal(image[..., 0], mask)
    assert (mask != labels).any()


def test_labels_stay_labels_and_beyond_the_border_is_the_class_that_is_ignored() -> None:
    labels = np.random.default_rng(0).integers(0, 5, (6, 12, 10)).astype("int32")
    need = Need("class", TensorType((12, 10, 5)), "SparseCategoricalCrossentropy", ignore=9)
    arguments = {"height_factor": [0.4, 0.5], "width_factor": 0.0, "fill_mode": "constant", "fill_value": 0.3}
    _, mask = compiled(augmenter("RandomTranslation", arguments, need, label=True), labels[..., None] * 1.0, labels)
    assert set(np.unique(mask)) == {0, 1, 2, 3, 4, 9}


@pytest.mark.parametrize(("op", "apart"), [("MixUp", 1e-4), ("CutMix", 0.45)])
def test_targets_are_mixed_as_pictures_are(op: str, apart: float) -> None:
    """Each picture has one value, so that its mean says how much of which picture is in it."""
    one_hot = np.eye(8, dtype="float32")
    pictures = np.broadcast_to(np.arange(8, dtype="float32")[:, None, None, None], (8, 32, 32, 1)).copy()
    need = Need("distribution", TensorType((8,)), "CategoricalCrossentropy")
    image, target = compiled(augmenter(op, {}, need, label=False), pictures, one_hot)
    np.testing.assert_allclose(target.sum(-1), 1, rtol=1e-5)
    np.testing.assert_allclose(image.mean((1, 2, 3)), target @ np.arange(8), atol=apart)  # whole pixels
    assert (target.max(-1) < 0.999).any()


@pytest.mark.parametrize(
    ("op", "arguments"),
    [("RandomColorJitter", {"value_range": [0, 1], "brightness_factor": 0.5, "hue_factor": 0.5}), ("RandomErasing", {})],
)
def test_two_pictures_change_alike(op: str, arguments: dict[str, Any]) -> None:
    plan = AugmentPlan(LAYERS.get(op)(**arguments), ("left", "right"), (), frozenset())  # type: ignore[arg-type]
    made = Augmenter((plan,), {}, 7)
    x = np.random.default_rng(0).uniform(size=(4, 8, 8, 3)).astype("float32")
    inputs, _, _ = tf.function(lambda x: made({"left": x, "right": x}, {}, {}))(tf.constant(x))
    np.testing.assert_array_equal(inputs["left"], inputs["right"])
    assert (inputs["left"].numpy() != x).any()


def test_draws_go_on_from_the_variables() -> None:
    pictures = np.random.default_rng(0).normal(size=(4, 8, 8, 3)).astype("float32")
    need = Need("number", TensorType((1,)), "MeanSquaredError")

    def made() -> tuple[Augmenter, Any]:
        own = Augmenter(
            (AugmentPlan(LAYERS.get("RandAugment")(value_range=(0, 1)), ("image",), (), frozenset()),), {"y": need}, 7
        )  # type: ignore[arg-type]
        step = tf.function(lambda x: own({"image": x}, {}, {})[0]["image"])
        return own, lambda: step(tf.constant(pictures)).numpy()

    (first, draw), (second, again) = made(), made()
    np.testing.assert_array_equal(draw(), again())
    kept = [variable.numpy() for variable in first.variables]
    later = [draw() for _ in range(4)]
    for variable, value in zip(second.variables, kept, strict=True):
        variable.assign(value)
    np.testing.assert_array_equal(later, [again() for _ in range(4)])
    assert any((later[0] != other).any() for other in later[1:])


@pytest.mark.parametrize(
    ("step", "code", "words"),
    [
        ("{RandomFlipp: {}}", "NN109", "unknown augmentation `RandomFlipp`"),
        ("{RandomFlip: {mode: sideways}}", "NN105", "`mode` must be one of"),
        ("{RandomFlip: , onn: [image]}", "NN103", "onn"),
        ("{on: [image]}", "NN105", "expected one augmentation"),
        ("{RandomFlip: , on: [digit]}", "NN443", "names no input"),
        ("{RandomFlip: , on: [image, digit]}", "NN443", "the target `digit` is not an image"),
        ("{RandomCrop: {height: 4, width: 4}}", "NN109", "unknown augmentation `RandomCrop`"),
    ],
)
def test_a_mistake_under_augment_is_found_before_training(tmp_path: Path, step: str, code: str, words: str) -> None:
    (tmp_path / "net.nnspec.yaml").write_text(TEXT % (f"augment: [{step}]", 1, *CLASSES))
    found = [d for d in validate(str(tmp_path / "net.nnspec.yaml")) if d.is_error]
    assert [d.code for d in found] == [code], found
    assert words in found[0].message
