"""Pictures and their labels, matched by name."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from nnspec.data.kinds import Column, DataError
from nnspec.data.readers.masks import Masks

from .pictures import write_digits

NET = "inputs: {image: [8, 8, 1]}\nlayers:\n  - Conv2D: {filters: 2, kernel_size: 1, activation: softmax}\n    name: mask\n"
SPEC = (
    NET + "data: {train: {masks: {images: pictures, masks: labels}}}\ntrain: {epochs: 1, loss: SparseCategoricalCrossentropy}\n"
)


@pytest.fixture
def pairs(project):
    """Digits, and where their ink is."""
    write_digits(project.folder / "pictures", 12)
    for path in (project.folder / "pictures").rglob("*.png"):
        place = project.folder / "labels" / path.relative_to(project.folder / "pictures")
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((np.asarray(Image.open(path)) > 120).astype(np.uint8)).save(place)
    return project


def table(pairs, **arguments):
    reader = Masks(images="pictures", masks="labels", **arguments)
    return reader.open({"images": pairs.folder / "pictures", "masks": pairs.folder / "labels"})


def refused(pairs) -> str:
    with pytest.raises(DataError) as caught:
        table(pairs)
    return caught.value.message


def test_every_picture_has_its_labels(pairs):
    batch = pairs.prepare(SPEC).train.batch(slice(None))
    assert batch.targets["mask"].shape == (12, 8, 8)
    np.testing.assert_array_equal(batch.targets["mask"], batch.inputs["image"][..., 0] > 120)


def test_labels_are_resized_by_their_nearest_pixel(pairs):
    made = table(pairs, image_size=[16, 12])
    assert made.columns == {"image": Column((16, 12, 1), "uint8"), "mask": Column((16, 12), "int32")}
    assert set(np.unique(made.read("mask", slice(None)))) == {0, 1}


def test_labels_in_a_palette_are_its_numbers(pairs):
    palette = Image.fromarray(np.full((8, 8), 2, np.uint8), "L")
    palette = palette.convert("P")
    palette.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
    for path in (pairs.folder / "labels").rglob("*.png"):
        palette.save(path)
    assert set(np.unique(table(pairs).read("mask", slice(None)))) == {2}


def test_a_picture_without_labels_is_named(pairs):
    (pairs.folder / "labels" / "d3" / "0003.png").unlink()
    assert refused(pairs) == "`0003.png` of `images` has no counterpart in `masks`"
    [problem] = pairs.refuses(SPEC)
    assert (problem.code, problem.path) == ("NN403", "data.train.masks.images")


def test_labels_of_another_size_or_kind_are_refused(pairs):
    path = pairs.folder / "labels" / "d3" / "0003.png"
    Image.new("L", (8, 9)).save(path)
    assert refused(pairs) == "d3/0003.png is 9×8, but its image is 8×8"
    Image.new("RGB", (8, 8)).save(path)
    assert "d3/0003.png has pixels of mode `RGB`, which are not labels" in refused(pairs)
    path.unlink()
    Image.new("L", (8, 8)).save(path.with_suffix(".jpg"))
    assert "must end with .png" in refused(pairs)
