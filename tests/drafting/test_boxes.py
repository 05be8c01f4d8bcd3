"""Specs that are drafted from images with boxes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from benchmarks.annotation_mistakes import write
from nnspec.diagnostics import NnspecError
from nnspec.drafting import draft_spec
from tests.drafting.test_folders import drafted


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text("", encoding="utf-8")
    write(tmp_path / "pets", images=60)
    return tmp_path / "pets"


@pytest.mark.parametrize(
    ("format_", "reader"),
    [
        ("coco", "coco: {annotations: coco/instances.json, images: coco/images, image_size: [64, 64]}"),
        ("yolo", "yolo: {folder: yolo, image_size: [64, 64]}"),
        ("voc", "voc: {folder: voc, image_size: [64, 64]}"),
    ],
)
def test_a_folder_of_each_format_gets_a_detector(pets: Path, format_: str, reader: str) -> None:
    draft = drafted(pets / format_)
    assert f"train: {{{reader}}}" in draft.text
    assert "params: {classes: 3, width: 32}" in draft.text
    assert "boxes: [2, 4]" in draft.text
    assert "validation: 0.15" in draft.text
    assert draft.source == f"60 images with 120 boxes in {format_}"
    assert draft.seen[1].values.startswith("up to 2 in an image, short side ")


def test_splits_of_yolo_are_used(pets: Path) -> None:
    for name in ("images", "labels"):
        for part, keep in (("train", lambda stem: stem < "040"), ("val", lambda stem: stem >= "040")):
            (pets / "yolo" / part / name).mkdir(parents=True)
            for file in sorted((pets / "yolo" / name).glob("*.*")):
                if keep(file.stem):
                    file.rename(pets / "yolo" / part / name / file.name)
        (pets / "yolo" / name).rmdir()
    text = drafted(pets / "yolo").text
    assert "train: {yolo: {folder: yolo, split: train, image_size: [64, 64]}}" in text
    assert "validation: {yolo: {folder: yolo, split: val, image_size: [64, 64]}}" in text


def test_splits_of_coco_are_files_with_images_in_their_folders(pets: Path) -> None:
    whole = json.loads((pets / "coco/instances.json").read_text())
    (pets / "coco/annotations").mkdir()
    for part, keep in (("train", range(1, 41)), ("val", range(41, 61))):
        (pets / f"coco/{part}2017").mkdir()
        own = {**whole, "images": [each for each in whole["images"] if each["id"] in keep]}
        own["annotations"] = [each for each in whole["annotations"] if each["image_id"] in keep]
        for each in own["images"]:
            (pets / "coco/images" / each["file_name"]).rename(pets / f"coco/{part}2017" / each["file_name"])
        (pets / f"coco/annotations/instances_{part}2017.json").write_text(json.dumps(own))
    (pets / "coco/images").rmdir()
    (pets / "coco/instances.json").unlink()
    text = drafted(pets / "coco").text
    assert "annotations: coco/annotations/instances_train2017.json" in text
    assert "images: coco/val2017" in text


def test_lists_of_voc_are_splits(pets: Path) -> None:
    (pets / "voc/ImageSets/Main").mkdir(parents=True)
    for part, numbers in (("train", range(40)), ("val", range(40, 60))):
        text = "".join(f"{number:03}\n" for number in numbers)
        (pets / f"voc/ImageSets/Main/{part}.txt").write_text(text)
    text = drafted(pets / "voc").text
    assert "train: {voc: {folder: voc, split: train, image_size: [64, 64]}}" in text
    assert "label_encode: {classes: [bird, cat, dog]}" in text


def test_a_folder_above_that_of_voc_is_searched(pets: Path) -> None:
    (pets / "devkit").mkdir()
    (pets / "voc").rename(pets / "devkit/VOC2012")
    assert "voc: {folder: devkit/VOC2012," in drafted(pets / "devkit").text


def test_a_file_of_annotations_can_be_named(pets: Path) -> None:
    draft = draft_spec(pets / "coco/instances.json", pets)
    assert "coco: {annotations: coco/instances.json, images: coco/images," in draft.text


def test_a_mistake_in_annotations_is_stated_with_its_place(pets: Path) -> None:
    (pets / "yolo/labels/001.txt").write_text("0 0.5 0.5 1.5 0.2\n")
    with pytest.raises(NnspecError, match=r"labels/001\.txt, line 1: 1\.5 is not from 0 to 1"):
        draft_spec(pets / "yolo", pets)


def test_warnings_of_annotations_are_doubts(pets: Path) -> None:
    shutil.copy(pets / "yolo/images/001.png", pets / "yolo/images/copy.png")
    draft = draft_spec(pets / "yolo", pets)
    assert any("copy.png` has the same content as" in doubt for doubt in draft.doubts), draft.doubts


def test_images_without_boxes_are_refused(pets: Path) -> None:
    for file in (pets / "yolo/labels").iterdir():
        file.write_text("")
    with pytest.raises(NnspecError, match="has no boxes"):
        draft_spec(pets / "yolo", pets)


@pytest.mark.parametrize("part", ["images", "labels"])
def test_a_part_of_a_data_set_is_not_taken_for_another(pets: Path, part: str) -> None:
    with pytest.raises(NnspecError, match="is a part of images with boxes\n  = help: name the whole folder"):
        draft_spec(pets / "yolo" / part, pets)


def test_labels_in_another_folder_are_found(pets: Path) -> None:
    (pets / "yolo/labels").rename(pets / "yolo/label")
    with pytest.raises(NnspecError, match=r"`label/000\.txt` seems to be a label file: put the label files into `labels`"):
        draft_spec(pets / "yolo", pets)


def test_a_misspelled_folder_has_a_suggestion(pets: Path) -> None:
    with pytest.raises(NnspecError, match="did you mean `yolo`"):
        draft_spec(pets / "yolp", pets)


@pytest.mark.parametrize("format_", ["coco", "yolo", "voc"])
def test_a_conversion_of_splits_is_drafted_from(pets: Path, monkeypatch: pytest.MonkeyPatch, format_: str) -> None:
    from nnspec.data.conversion import convert

    for part in ("train", "val"):
        shutil.copytree(pets / "yolo/images", pets / "y/images" / part)
        shutil.copytree(pets / "yolo/labels", pets / "y/labels" / part)
    for part, keep in (("train", lambda stem: stem < "040"), ("val", lambda stem: stem >= "040")):
        for file in (pets / "y").glob(f"*/{part}/*"):
            if not keep(file.stem):
                file.unlink()
    shutil.copy(pets / "yolo/data.yaml", pets / "y")
    monkeypatch.chdir(pets)
    Path("y.nnspec.yaml").write_text(draft_spec("y").text)
    convert("y.nnspec.yaml", pets / "made", to=format_)  # type: ignore[arg-type]
    text = drafted(pets / "made").text
    assert "made/train" in text
    assert "made/validation" in text
