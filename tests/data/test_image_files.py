"""Image files as they are found in the wild: read right, or named."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nnspec.api import validate
from nnspec.data.kinds import DataError
from nnspec.data.readers.images import Images

PIXELS = np.arange(8 * 4 * 3, dtype=np.uint8).reshape(8, 4, 3)
ORIENTATION = 0x0112
UPRIGHT = {
    1: PIXELS,
    2: PIXELS[:, ::-1],
    3: PIXELS[::-1, ::-1],
    4: PIXELS[::-1],
    5: PIXELS.transpose(1, 0, 2),
    6: np.rot90(PIXELS, -1),
    7: PIXELS[::-1, ::-1].transpose(1, 0, 2),
    8: np.rot90(PIXELS),
}
SPEC = (
    "nnspec: 1\nname: net\ninputs: {image: [8, 8, 3]}\nlayers:\n  - Flatten\n  - Dense: {units: 2, activation: softmax}\n"
    "    name: y\ndata:\n  train: {images: %s}\n  validation: 0.25\n  targets: {y: {column: %s, transform: [label_encode]}}\n"
    "train: {epochs: 1, loss: SparseCategoricalCrossentropy}\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "p" / "a").mkdir(parents=True)
    return tmp_path / "p"


def read(folder: Path, **arguments):
    table = Images.model_validate({"folder": "p", **arguments}).open({"folder": folder})
    return table.read("image", slice(None))


def refused(folder: Path, **arguments) -> DataError:
    with pytest.raises(DataError) as caught:
        read(folder, **arguments)
    return caught.value


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_an_image_is_turned_as_its_exif_orientation_says(folder, orientation):
    image = Image.fromarray(PIXELS)
    exif = image.getexif()
    exif[ORIENTATION] = orientation
    image.save(folder / "a" / "1.png", exif=exif)
    np.testing.assert_array_equal(read(folder)[0], UPRIGHT[orientation])


@pytest.mark.parametrize("exif", [b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01\x12", b"Exif\0\0rubbish"])
def test_damaged_exif_data_are_passed_over_in_silence(folder, exif):
    Image.fromarray(PIXELS).save(folder / "a" / "1.jpg", exif=exif)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read(folder).shape == (1, 8, 4, 3)


def test_an_animation_is_named(folder):
    frames = [Image.fromarray(PIXELS + i) for i in range(3)]
    frames[0].save(folder / "a" / "1.png", save_all=True, append_images=frames[1:])
    assert "a/1.png is an animation of 3 frames" in refused(folder).message


def test_the_image_that_differs_from_most_is_named(folder):
    for i in range(4):
        Image.fromarray(PIXELS).convert("L" if i == 0 else "RGB").save(folder / "a" / f"{i}.png")
    error = refused(folder)
    assert "a/0.png is grayscale" in error.message and "`color_mode: rgb`" in error.help
    assert read(folder, color_mode="rgb").shape == (4, 8, 4, 3)


def test_a_format_of_other_images_is_to_be_converted(folder):
    Image.fromarray(PIXELS).save(folder / "a" / "1.gif")
    assert refused(folder).help == "convert it to PNG or JPEG"


def test_what_systems_leave_in_folders_is_passed_over(folder):
    Image.fromarray(PIXELS).save(folder / "a" / "1.png")
    for name in (".DS_Store", "Thumbs.db", "THUMBS.DB", "desktop.ini", "._1.png"):
        (folder / "a" / name).write_text("x")
    (folder / "__MACOSX" / "a").mkdir(parents=True)
    (folder / "__MACOSX" / "a" / "._1.png").write_text("x")
    assert len(read(folder)) == 1


def test_names_that_are_not_utf_8_are_read(folder):
    os.rename(os.fsencode(folder / "a"), os.fsencode(folder) + b"/caf\xe9")  # noqa: PTH104
    Image.fromarray(PIXELS).save(os.fsencode(folder) + b"/caf\xe9/\xff.png")
    table = Images.model_validate({"folder": "p"}).open({"folder": folder})
    assert len(table.read("image", slice(None))) == 1
    assert table.read("label", slice(None)).tolist() == ["caf\\xe9"]


def test_a_path_that_is_too_long_is_no_image(tmp_path):
    (tmp_path / "t.csv").write_text("path,k\n" + "x" * 300 + ".png,r\n")
    reader = Images.model_validate({"csv": {"file": "t.csv"}, "column": "path"})
    with pytest.raises(DataError, match=r"image `x+` not found"):
        reader.open({"csv": tmp_path / "t.csv"})


# --- one level too high -----------------------------------------------------------------------------------------------


def warned(folder: Path, *classes: str, reader: str = "p", column: str = "label") -> list[tuple[str, str]]:
    for name in classes:
        (folder / "p" / name).mkdir(parents=True)
        for i in range(4):
            Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(folder / "p" / name / f"{i}.png")
    spec = folder / "net.nnspec.yaml"
    spec.write_text(SPEC % (reader, column))
    return [(one.code, one.help) for one in validate(spec) if one.severity == "warning" or one.code == "NN481"]


def test_folders_called_as_parts_of_the_data_are_probably_such(tmp_path):
    [(code, help)] = warned(tmp_path, "train/cat", "train/dog", "test/cat", "test/dog", "Val/cat", "Val/dog")
    assert code == "NN481"
    assert all(
        f"`{part}: {{images: p/{name}}}`" in help
        for part, name in (("train", "train"), ("test", "test"), ("validation", "Val"))
    )


def test_a_single_folder_of_folders_is_probably_the_folder_of_the_classes(tmp_path):
    assert warned(tmp_path, "animals/cat", "animals/dog") == [
        ("NN481", "if its subfolders are the classes, write `images: p/animals`")
    ]


def test_a_single_class_has_nothing_to_distinguish(tmp_path):
    assert warned(tmp_path, "cat") == [("NN481", "name a folder that contains one folder per class")]


def test_the_same_folders_in_each_class_are_probably_the_classes(tmp_path):
    [(code, help)] = warned(tmp_path, "2025/cat", "2025/dog", "2026/cat", "2026/dog")
    assert (code, "`images: p/2025`" in help) == ("NN481", True)


@pytest.mark.parametrize("classes", [("cat", "dog"), ("cat/black", "cat/white", "dog"), ("test", "cat", "dog"), ("a/x", "b/y")])
def test_folders_of_classes_are_no_doubt(tmp_path, classes):
    assert warned(tmp_path, *classes) == []
