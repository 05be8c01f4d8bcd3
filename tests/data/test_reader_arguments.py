"""The arguments of a reader in training are in the recipe, and data that come later are read alike."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from nnspec.data.kinds import Column
from nnspec.data.reader_arguments import image_arguments, training_arguments, with_training_arguments
from nnspec.data.readers import READERS
from nnspec.data.readers.csv import Csv
from nnspec.data.readers.images import Images
from nnspec.data.readers.masks import Masks
from nnspec.data.readers.series import Series
from nnspec.data.recipe import open_data
from nnspec.diagnostics import NnspecError
from nnspec.types import TensorType


def pictures(folder, size=(6, 9), mode="RGB"):
    folder.mkdir(exist_ok=True)
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    Image.fromarray(pixels).convert(mode).save(folder / "a.png")
    return folder


@pytest.mark.parametrize("name", READERS.names())
def test_every_argument_of_a_reader_changes_values_or_is_reported_not_to(name):
    kind = READERS.get(name)
    for argument in (*kind.paths, *kind.not_of_values):
        assert argument in kind.model_fields


def test_what_changes_values_is_reported_and_what_says_where_they_are_is_not():
    reported = Images(csv={"file": "a.csv", "delimiter": ";"}, column="file", interpolation="area").value_arguments()
    assert reported == {
        "image_size": None,
        "color_mode": None,
        "interpolation": "area",
        "csv": {"delimiter": ";", "missing": Csv(file="a.csv").missing},
    }
    assert set(Series(csv=Csv(file="a.csv"), window=4).value_arguments()) == {"csv"}
    assert Masks(images="a", masks="b").spec_name == "masks"


def test_a_colour_mode_that_goes_without_saying_is_that_of_the_pictures(tmp_path):
    folder = pictures(tmp_path / "p", mode="L")
    reader = Images(folder=str(folder))
    assert training_arguments(reader, reader.open({"folder": folder}))["images"]["color_mode"] == "grayscale"


RECIPE = {
    "inputs": {"x": {"columns": ["image"], "stacked": False, "transforms": []}},
    "reader": {
        "masks": {"image_size": [4, 4], "color_mode": "grayscale", "interpolation": "nearest"},
        "csv": {"delimiter": ";"},
    },
}


def test_a_reader_takes_from_the_recipe_what_it_is_not_reported_itself():
    shapes = {"image": Column((4, 4, 1), "float32")}
    made = with_training_arguments(Images(folder="a", interpolation="area"), RECIPE, shapes)
    assert (made.image_size, made.color_mode, made.interpolation) == ([4, 4], "grayscale", "area")
    assert with_training_arguments(Csv(file="a"), RECIPE, {}).delimiter == ";"
    assert with_training_arguments(Csv(file="a", delimiter=","), RECIPE, {}).delimiter == ","
    over = with_training_arguments(Images(csv={"file": "a.csv"}, column="file"), RECIPE, shapes)
    assert (over.csv.delimiter, over.interpolation) == (";", "nearest")


RESIZE = [{"transform": "resize", "arguments": {"size": [4, 4]}, "learned": {}}]


@pytest.mark.parametrize(
    ("size", "shape", "transforms", "wanted"),
    [
        ([9, 9], (4, 4, 1), [], [9, 9]),
        (None, (4, 4, 1), [], [4, 4]),
        (None, (4, 4, 1), RESIZE, None),
        ([9, 9], (4, 4, 1), RESIZE, [9, 9]),
        ([9, 9], (None, None, 3), [], None),
        (None, (None, None, 3), [], None),
    ],
)
def test_pictures_are_brought_to_a_size_where_the_model_takes_one(size, shape, transforms, wanted):
    recipe = {"inputs": {"x": {"transforms": transforms}}, "reader": {"images": {"image_size": size, "interpolation": "area"}}}
    found = image_arguments(recipe, Column(shape, "uint8"))
    assert found == {"image_size": wanted, "color_mode": "rgb" if shape[2] == 3 else "grayscale", "interpolation": "area"}


def test_a_picture_and_a_folder_of_them_can_be_named_alone(tmp_path):
    folder = pictures(tmp_path / "p")
    types = {"x": TensorType((4, 4, 1), "float32")}
    found = [open_data(text, RECIPE, types)[0].read("image", slice(None)) for text in (str(folder), str(folder / "a.png"))]
    assert found[0].shape == (1, 4, 4, 1)
    assert np.array_equal(*found)


def test_a_picture_alone_for_a_model_of_more_is_refused(tmp_path):
    types = {name: TensorType((4, 4, 1), "float32") for name in ("x", "y")}
    with pytest.raises(NnspecError, match="a single image"):
        open_data(str(pictures(tmp_path / "p") / "a.png"), {}, types)
    with pytest.raises(NnspecError, match="cannot be read"):
        open_data(str(tmp_path / "none.png"), RECIPE, {"x": types["x"]})
