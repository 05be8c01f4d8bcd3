"""Images that keep their aspect ratio: resized to the largest size that fits, and padded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nnspec.api import validate
from nnspec.data.image_frames import ImageFrames, Resized, padded_size
from nnspec.data.transforms.images import resize

from .conftest import Project

SIZES = {"wide.png": (120, 40), "high.png": (30, 90), "small.png": (20, 20), "thin.png": (200, 1)}
BOX = {"wide.png": [30, 10, 90, 30], "high.png": [6, 18, 24, 72], "small.png": [5, 0, 20, 10], "thin.png": [50, 0, 150, 1]}
TEXT = """inputs: {image: [48, 32, 3], boxes: [2, 4]}
networks:
  net:
    inputs: {image: [48, 32, 3]}
    layers: [GlobalAveragePooling2D, {Dense: 4}]
data:
  train: {images: {jsonl: a.jsonl, column: file, image_size: [48, 32], pad_to_aspect_ratio: true, fill_value: 114}}
  inputs:
    image: {transform: [{rescale: 0.00392156862745098}]}
    boxes: {transform: [{boxes: {of: image}}, {pad: 2}]}
train:
  objective:
    program:
      layers:
        - net:
          from: image
        - Compute: square(net - mean(boxes, axis=1))
          name: loss
      minimize: [{loss: loss, of: net}]
  epochs: 1
  batch_size: 2
export: {network: net}
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Black images with a white rectangle, which is their box."""
    for name, (width, height) in SIZES.items():
        pixels = np.zeros((height, width, 3), np.uint8)
        x1, y1, x2, y2 = BOX[name]
        pixels[y1:y2, x1:x2] = 255
        Image.fromarray(pixels).save(tmp_path / name)
    rows = [{"file": name, "boxes": [BOX[name]]} for name in SIZES]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return Project(tmp_path)


def errors(project: Project, written: str) -> list[tuple[str, str]]:
    file = project.folder / "net.nnspec.yaml"
    file.write_text("nnspec: 1\nname: net\n" + written)
    return [(f"{each.code} {each.message}", each.help) for each in validate(file, data=True)]


def enclosing(image: Any) -> list[int]:
    """The box around the white pixels."""
    rows, columns = np.nonzero(image.mean(-1) > 0.72)
    return [int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1]


@pytest.mark.parametrize(
    "change",
    [
        ("", ""),
        (
            "image_size: [48, 32], pad_to_aspect_ratio: true, fill_value: 114}}",
            "image_size: [96, 64], pad_to_aspect_ratio: true, fill_value: 114}}",
        ),
    ],
)
def test_boxes_move_as_a_mask_of_their_region_does(project: Project, change: tuple[str, str]) -> None:
    text = TEXT.replace(*change)
    if change[0]:
        text = text.replace("[{rescale", "[{resize: [48, 32]}, {rescale")
    made = project.prepare(text).train.batch(slice(0, 3)).inputs
    for image, boxes in zip(made["image"], made["boxes"], strict=True):
        np.testing.assert_allclose(boxes[0], enclosing(image), atol=1)
        assert boxes[1].tolist() == [-1] * 4


def test_the_padding_is_on_both_sides_and_has_the_fill_value(project: Project) -> None:
    image = project.prepare(TEXT).train.batch(slice(0, 1)).inputs["image"][0]
    assert np.allclose(image[:18], 114 / 255)
    assert np.allclose(image[29:], 114 / 255)
    assert not np.allclose(image[18:29], 114 / 255)


def test_an_image_that_is_too_thin_keeps_a_row_of_pixels() -> None:
    assert padded_size(1, 10_000, Resized(32, 64, padded=True)) == (1, 64)


def test_arrays_of_sizes_have_the_sizes_of_single_images() -> None:
    random = np.random.default_rng(0)
    sizes, to = random.integers(1, 3000, (500, 2)), Resized(97, 61, padded=True)
    found = np.stack(padded_size(sizes[:, 0], sizes[:, 1], to), -1)
    assert [tuple(row) for row in found.tolist()] == [padded_size(int(h), int(w), to) for h, w in sizes]
    assert (found <= [97, 61]).all()
    assert (found == [97, 61]).any(-1).all()


def test_boxes_are_moved_back_to_where_they_were() -> None:
    random = np.random.default_rng(0)
    frames = ImageFrames.unchanged(random.integers(10, 500, (20, 2)))
    frames = frames.resized(Resized(64, 96, padded=True)).resized(Resized(50, 30))
    rows = random.integers(0, 20, 200)
    boxes = random.uniform(0, 500, (200, 4))
    np.testing.assert_allclose(frames.to_stored(frames.to_network(boxes, rows), rows), boxes, rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_resize_pads_images_of_one_size(dtype: Any) -> None:
    images = np.full((2, 10, 20, 3), 200, dtype)
    made = resize(size=[16, 16], pad_to_aspect_ratio=True, fill_value=114).apply(images, {})
    assert made.dtype == dtype
    assert (made[:, :4] == 114).all()
    assert (made[:, 4:12] == 200).all()
    assert (made[:, 12:] == 114).all()


def test_resize_of_arrays_moves_boxes(project: Project) -> None:
    text = TEXT.replace("image_size: [48, 32], pad_to_aspect_ratio: true, fill_value: 114", "image_size: [60, 60]")
    text = text.replace("[{rescale", "[{resize: {size: [48, 32], pad_to_aspect_ratio: true}}, {rescale")
    made = project.prepare(text).train.batch(slice(0, 3)).inputs
    for image, boxes in zip(made["image"], made["boxes"], strict=True):
        np.testing.assert_allclose(boxes[0], enclosing(image), atol=1)


@pytest.mark.parametrize(
    ("change", "message", "help"),
    [
        (("image_size: [48, 32], ", ""), "`pad_to_aspect_ratio` requires `image_size`", ""),
        (("pad_to_aspect_ratio: true, ", ""), "`fill_value` is the value of the padding", ""),
        (("fill_value: 114", "fill_value: 300"), "`fill_value`", ""),
        (("[{rescale", "[{resize: {size: [48, 32], fill_value: 3}}, {rescale"), "`fill_value` is the value of the padding", ""),
        (
            ("[{rescale", "[{resize: {size: [48, 32], pad_to_aspect_ratio: true, fill_value: 0.5}}, {rescale"),
            "the pixels are integers from 0 to 255",
            "`rescale`",
        ),
        (
            ("[{rescale", "[{resize: [20, 20]}, {resize: {size: [48, 32], pad_to_aspect_ratio: true}}, {rescale"),
            "`image` is resized 2 times, and padded",
            "resize it once",
        ),
        (("[{rescale", "[{letterbox: [48, 32]}, {rescale"), "letterbox", "pad_to_aspect_ratio: true"),
    ],
)
def test_padding_that_is_not_possible_is_refused(project: Project, change: tuple[str, str], message: str, help: str) -> None:
    assert change[0] in TEXT
    found = errors(project, TEXT.replace(*change))
    assert any(message in what and help in how for what, how in found), found


def test_masks_are_padded_with_their_own_label(tmp_path: Path) -> None:
    from nnspec.data.readers.masks import Masks

    for folder, mode in (("images", "RGB"), ("masks", "L")):
        (tmp_path / folder).mkdir()
        Image.new(mode, (8, 4), 3 if mode == "L" else (9, 9, 9)).save(tmp_path / folder / "a.png")
    arguments = {"images": "images", "masks": "masks", "image_size": [8, 8], "pad_to_aspect_ratio": True}
    reader = Masks.model_validate(arguments | {"fill_value": 7, "fill_label": 255})
    table = reader.open({"images": tmp_path / "images", "masks": tmp_path / "masks"})
    mask, image = (table.read(name, slice(None))[0] for name in ("mask", "image"))
    assert mask[:, 0].tolist() == [255, 255, 3, 3, 3, 3, 255, 255]
    assert image[:, 0, 0].tolist() == [7, 7, 9, 9, 9, 9, 7, 7]


def test_readers_without_padding_have_the_fingerprint_of_earlier_versions() -> None:
    from nnspec.data.readers.images import Images

    plain = Images.model_validate({"folder": "a", "image_size": [8, 8]})
    assert not {"pad_to_aspect_ratio", "fill_value"} & (plain.arguments().keys() | plain.value_arguments().keys())
    padded = plain.model_copy(update={"pad_to_aspect_ratio": True, "fill_value": 3})
    assert padded.value_arguments()["fill_value"] == 3
