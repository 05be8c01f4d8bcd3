"""Specs that are drafted from folders of images, masks, texts and tables."""

from __future__ import annotations

from pathlib import Path
from zlib import crc32

import numpy as np
import pytest
from PIL import Image

import nnspec
from nnspec.diagnostics import NnspecError
from nnspec.drafting import Draft, draft_spec
from nnspec.formatting import formatted


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "pyproject.toml").write_text("", encoding="utf-8")
    return tmp_path


def drafted(path: Path) -> Draft:
    """A draft that is valid with its data, and in canonical form."""
    draft = draft_spec(path, path.parent)
    file = path.parent / "drafted.nnspec.yaml"
    file.write_text(draft.text, encoding="utf-8")
    before, after = formatted(file)
    assert before == after
    assert [str(found) for found in nnspec.validate(file, data=True)] == []
    return draft


def refused(path: Path, **options) -> str:
    with pytest.raises(NnspecError) as caught:
        draft_spec(path, path.parent, **options)
    return str(caught.value)


def image(file: Path, *shape: int, values: tuple[int, ...] = (0, 255)) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(crc32("/".join(file.parts[-3:]).encode())).choice(np.array(values, np.uint8), shape)
    pixels[: len(values), 0] = np.array(values, np.uint8).reshape(-1, *(1,) * (len(shape) - 2))
    Image.fromarray(pixels).save(file)


def test_class_folders_of_images_are_classified(folder):
    for label in ("cat", "dog", "owl"):
        for number in range(20):
            image(folder / "pets" / label / f"{number}.png", 32, 32, 3)
    draft = drafted(folder / "pets")
    assert "image: [32, 32, 3]" in draft.text
    assert "Dense: {units: 3, activation: softmax}" in draft.text


def test_images_of_several_sizes_and_modes_are_resized(folder):
    for label in ("a", "b"):
        for number in range(4):
            image(folder / "mixed" / label / f"{number}.png", *((300, 200, 3) if number else (150, 100)))
    draft = drafted(folder / "mixed")
    assert "image_size: [128, 85], color_mode: rgb" in draft.text
    assert "they differ in size" in " ".join(draft.decisions)


def test_folders_of_splits_are_used(folder):
    for part in ("train", "val", "test"):
        for label in ("a", "b"):
            for number in range(3):
                image(folder / "data" / part / label / f"{number}.png", 8, 8)
    text = drafted(folder / "data").text
    assert "  train: {images: data/train}\n  validation: {images: data/val}\n  test: {images: data/test}\n" in text


@pytest.mark.parametrize(
    ("values", "last", "target"),
    [
        ((0, 1), "filters: 1, kernel_size: 1, activation: sigmoid", "mask: {column: mask}"),
        ((0, 255), "filters: 1, kernel_size: 1, activation: sigmoid", "label_encode: {classes: [0, 255]}"),
        ((0, 1, 2), "filters: 3, kernel_size: 1, activation: softmax", "mask: {column: mask}"),
    ],
)
def test_images_with_masks_get_a_u_net(folder, values, last, target):
    for number in range(8):
        image(folder / "cells" / "images" / f"{number}.png", 60, 64)
        image(folder / "cells" / "masks" / f"{number}.png", 60, 64, values=values)
    draft = drafted(folder / "cells")
    assert last in draft.text
    assert target in draft.text
    assert "image_size: [64, 64]" in draft.text  # three poolings need multiples of 8


def test_masks_that_number_objects_are_refused(folder):
    for number in range(2):
        image(folder / "cells" / "images" / f"{number}.png", 64, 64)
        image(folder / "cells" / "masks" / f"{number}.png", 64, 64, values=tuple(range(60)))
    assert "so they number objects, not classes" in refused(folder / "cells")


def test_a_mask_without_its_image_is_refused(folder):
    image(folder / "cells" / "images" / "a.png", 8, 8)
    image(folder / "cells" / "masks" / "b.png", 8, 8)
    assert "`a.png` of `images` has no counterpart in `masks`" in refused(folder / "cells")


def test_class_folders_of_texts_are_classified(folder):
    for label, text in (("ham", "see you at lunch"), ("spam", "win a prize now")):
        (folder / "mail" / label).mkdir(parents=True)
        for number in range(30):
            (folder / "mail" / label / f"{number}.txt").write_text(f"{text} {number}", encoding="utf-8")
    draft = drafted(folder / "mail")
    assert "train: {text: mail}" in draft.text
    assert "GlobalAveragePooling1D" in draft.text


def test_of_many_texts_some_of_every_class_are_read(folder, monkeypatch):
    monkeypatch.setattr("nnspec.drafting.table_sample._MOST_ROWS", 10)
    for label in ("ham", "spam"):
        (folder / "mail" / label).mkdir(parents=True)
        for number in range(30):
            (folder / "mail" / label / f"{number}.txt").write_text(f"a text of {label} {number}", encoding="utf-8")
    draft = drafted(folder / "mail")
    assert draft.source == "the first 10 rows of mail"
    assert "label_encode: {classes: [ham, spam]}" in draft.text


def test_a_folder_with_tables_of_splits_uses_those_that_have_the_target(folder):
    (folder / "cars").mkdir()
    rows = "\n".join(f"{i}.5,{'ab'[i % 3 > 0]}" for i in range(60))
    (folder / "cars" / "train.csv").write_text(f"x,kind\n{rows}\n", encoding="utf-8")
    (folder / "cars" / "test.csv").write_text("x\n1.5\n", encoding="utf-8")
    assert "fold: {number: 1, of: 5}" in drafted(folder / "cars").text
    (folder / "cars" / "test.csv").write_text("x,kind\n1.5,a\n", encoding="utf-8")
    assert "test: {csv: cars/test.csv}" in drafted(folder / "cars").text


def test_a_folder_without_data_is_refused_with_what_it_has(folder):
    (folder / "other").mkdir()
    (folder / "other" / "a.docx").write_text("x", encoding="utf-8")
    assert "other has no data that are recognized: 1 .docx" in refused(folder / "other")


def test_images_without_class_folders_are_refused(folder):
    image(folder / "flat" / "a.png", 8, 8)
    assert "flat has no class folders, so there is nothing to predict" in refused(folder / "flat")


def test_a_target_is_chosen_in_tables_only(folder):
    image(folder / "pets" / "cat" / "a.png", 8, 8)
    assert "--target chooses a column of a table, and pets has no table" in refused(folder / "pets", target="x")


def test_what_is_no_table_is_refused(folder):
    (folder / "a.pdf").write_text("x", encoding="utf-8")
    assert "a.pdf is not a table" in refused(folder / "a.pdf")
    assert "there is no file or folder" in refused(folder / "b.csv")
