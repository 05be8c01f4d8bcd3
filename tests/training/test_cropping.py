"""Outputs that are smaller than the picture are compared with the middle of its mask, after it was changed with the picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nnspec.api import validate
from nnspec.reports import write_report
from nnspec.spec import load
from nnspec.training import evaluate, train
from nnspec.training.batches.cropping import cropped
from nnspec.training.evaluation.evaluate import run_evaluation
from nnspec.training.loop.progress import Quiet

SPEC = """nnspec: 1
name: valid
inputs: {image: [H, W, 1]}
layers:
  - Conv2D: {filters: 6, kernel_size: 3, activation: relu}
  - Conv2D: {filters: 6, kernel_size: 3, activation: relu}
  - Conv2D: {filters: %s, kernel_size: 1, activation: %s}
    name: mask
data:
  train: {masks: {images: train/images, masks: train/masks}}
  test: {masks: {images: test/images, masks: test/masks}}
  inputs: {image: {column: image, transform: [{rescale: 0.00392156862745098}]}}
  targets: {mask: {column: mask%s, weight: {border: {w0: 2.0}}}}
  augment: [{RandomFlip: {}, on: [image, mask]}]
train:
  epochs: 30
  batch_size: 4
  seed: 1
  optimizer: {Adam: {learning_rate: 0.02}}
  loss: %s
  class_weight: balanced
  metrics: [%s]
"""
YES_OR_NO = ("1", "sigmoid", ", crop: 2", "BinaryCrossentropy", "BinaryDice")
CLASSES = ("2", "softmax", ", crop: 2", "SparseCategoricalCrossentropy", "MeanDice")


def write(folder: Path, *, test_size: tuple[int, int] = (32, 16)) -> None:
    """Bright squares, in training and test pictures of two sizes; along the groups, where nothing is compared, labels are wrong."""
    for part, size, count in (("train", (20, 24), 8), ("test", test_size, 3)):
        for name in ("images", "masks"):
            (folder / part / name).mkdir(parents=True)
        for number in range(count):
            mask = np.zeros(size, np.uint8)
            for y, x in np.random.default_rng(number).integers(2, 12, (4, 2)):
                mask[y : y + 4, x : x + 4] = 1
            Image.fromarray(mask * 150 + 20).save(folder / part / "images" / f"{number}.png")
            mask[[0, 1, -2, -1]] = 1 - mask[[0, 1, -2, -1]]
            mask[:, [0, 1, -2, -1]] = 1 - mask[:, [0, 1, -2, -1]]
            Image.fromarray(mask).save(folder / part / "masks" / f"{number}.png")


@pytest.mark.parametrize("document", [YES_OR_NO, CLASSES], ids=["yes_or_no", "classes"])
def test_a_network_without_padding_learns_from_masks_of_the_pictures_size(tmp_path: Path, document: tuple[str, ...]) -> None:
    write(tmp_path)
    (tmp_path / "net.nnspec.yaml").write_text(SPEC % document)
    run = train(load(tmp_path / "net.nnspec.yaml"), out=tmp_path / "run", progress=Quiet())
    figures = evaluate(run)
    assert figures["rows"] == 3
    assert next(value for name, value in figures.items() if name.endswith("dice")) > 0.95
    found = run_evaluation(run).predictions["mask"]
    assert found.each == 28 * 12
    page = write_report(tmp_path / "run").path.read_text()
    assert "Learning curves" in page
    if figures["outputs"]["mask"]["accuracy"] < 1:
        assert "its center is compared" in page


def test_what_has_a_weight_for_each_example_stays_whole() -> None:
    group = {"mask": np.zeros((3, 9, 7, 1)), "other": np.zeros((3, 9, 7)), "example": np.zeros(3)}
    assert {name: values.shape for name, values in cropped(group, dict.fromkeys(group, 2)).items()} == {
        "mask": (3, 5, 3, 1),
        "other": (3, 5, 3),
        "example": (3,),
    }


def reported(folder: Path, document: tuple[str, ...]) -> list[tuple[str, str]]:
    (folder / "net.nnspec.yaml").write_text(SPEC % document)
    return [(d.code, d.help or "") for d in validate(str(folder / "net.nnspec.yaml")) if d.is_error]


def test_a_mask_of_the_wrong_size_is_reported_how_much_to_crop(tmp_path: Path) -> None:
    write(tmp_path)
    for document in (YES_OR_NO, CLASSES):
        assert reported(tmp_path, (*document[:2], "", *document[3:])) == [
            ("NN407", "the output is smaller than the mask: add `crop: 2` to the target"),
            ("NN443", "the output is smaller than the image: add `crop: 2` to the target"),
        ]
        without_changes = "\n".join(
            line for line in (SPEC % (*document[:2], "", *document[3:])).splitlines() if "augment" not in line
        )
        (tmp_path / "net.nnspec.yaml").write_text(without_changes)
        [problem] = [d for d in validate(str(tmp_path / "net.nnspec.yaml")) if d.is_error]
        assert (problem.code, problem.help) == (
            "NN407",
            "the output is smaller than the mask: add `crop: 2` to the target",
        )


def test_parts_of_other_sizes_are_refused_where_the_network_has_one_size(tmp_path: Path) -> None:
    write(tmp_path)
    text = SPEC.replace("[H, W, 1]", "[20, 24, 1]") % YES_OR_NO
    (tmp_path / "net.nnspec.yaml").write_text(text)
    found = [d for d in validate(str(tmp_path / "net.nnspec.yaml")) if d.is_error]
    assert {d.code for d in found} == {"NN411"}


def test_parts_of_other_sizes_are_refused_where_a_transform_learned_for_each_row_of_pixels(tmp_path: Path) -> None:
    write(tmp_path)
    text = (SPEC % YES_OR_NO).replace("{rescale: 0.00392156862745098}", "{standardize: {axis: 0}}")
    (tmp_path / "net.nnspec.yaml").write_text(text)
    assert "NN411" in {d.code for d in validate(str(tmp_path / "net.nnspec.yaml")) if d.is_error}


def test_a_test_picture_and_its_mask_must_be_of_sizes_that_go_together(tmp_path: Path) -> None:
    for part, mask in (("train", (20, 24)), ("test", (28, 24))):
        np.savez(
            tmp_path / f"{part}.npz",
            image=np.zeros((4, *((20, 24) if part == "train" else (32, 24)), 1), np.uint8),
            mask=np.zeros((4, *mask), np.uint8),
        )
    text = SPEC % YES_OR_NO
    for part in ("train", "test"):
        text = text.replace(f"{{masks: {{images: {part}/images, masks: {part}/masks}}}}", f"{{npz: {part}.npz}}")
    (tmp_path / "net.nnspec.yaml").write_text(text)
    [problem] = [d for d in validate(str(tmp_path / "net.nnspec.yaml")) if d.is_error]
    assert (problem.code, problem.path) == ("NN407", "data.targets.mask")
