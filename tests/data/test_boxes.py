"""Boxes of tables: the transform, the images that they belong to, and the rows that follow them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nnspec.api import validate
from nnspec.data.box_feeds import box_fields
from nnspec.data.transforms.classes import label_encode
from nnspec.diagnostics import SpecError

from .conftest import Project

TEXT = """inputs: {image: [32, 32, 3], boxes: [4, 4], class: {shape: [4], dtype: int32}}
networks:
  net:
    inputs: {image: [32, 32, 3]}
    layers: [GlobalAveragePooling2D, {Dense: 4}]
data:
  train: {images: {jsonl: a.jsonl, column: file, image_size: [64, 64]}}
  inputs:
    image: {transform: [{resize: [32, 32]}, {rescale: 0.00392156862745098}]}
    boxes: {transform: [{boxes: {of: image}}, {pad: 4}]}
    class: {transform: [label_encode, {pad: 4}]}
  AUGMENT
train:
  objective:
    program:
      layers:
        - net:
          from: image
        - Compute: "square(net - mean(boxes, axis=1)) + mean(cast(class, 'float32'), axis=1, keepdims=True)"
          name: loss
      minimize: [{loss: loss, of: net}]
  epochs: 1
  batch_size: 2
export: {network: net}
"""
ROWS: list[dict[str, Any]] = [
    {"file": "a.png", "boxes": [[0, 0, 100, 50], [50, 10, 90, 40]], "class": ["cat", "dog"]},
    {"file": "b.png", "boxes": [], "class": []},
    {"file": "c.png", "boxes": [[10, 10, 20, 30]], "class": ["cat"]},
]
SIZES = {"a.png": (100, 50), "b.png": (64, 64), "c.png": (40, 80)}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    for name, size in SIZES.items():
        Image.new("RGB", size, (9, 99, 199)).save(tmp_path / name)
    write(tmp_path, ROWS)
    return Project(tmp_path)


def write(folder: Path, rows: list[dict[str, Any]]) -> None:
    (folder / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def text(*changes: tuple[str, str], augment: str = "") -> str:
    made = TEXT.replace("AUGMENT", f"augment: {augment}" if augment else "augment: []")
    for old, new in changes:
        assert old in made, old
        made = made.replace(old, new)
    return made


def errors(project: Project, written: str) -> list[tuple[str, str]]:
    file = project.folder / "net.nnspec.yaml"
    file.write_text("nnspec: 1\nname: net\n" + written)
    return [(f"{each.code} {each.message}", each.help) for each in validate(file, data=True)]


def test_boxes_are_in_pixels_of_the_image_that_the_network_gets(project: Project) -> None:
    made = project.prepare(text()).train.batch(slice(0, 3)).inputs
    np.testing.assert_allclose(
        made["boxes"],
        [
            [[0, 0, 32, 32], [16, 6.4, 28.8, 25.6], [-1] * 4, [-1] * 4],
            [[-1] * 4] * 4,
            [[8, 4, 16, 12], [-1] * 4, [-1] * 4, [-1] * 4],
        ],
        rtol=1e-6,
    )
    assert made["class"].tolist() == [[0, 1, -1, -1], [-1] * 4, [0, -1, -1, -1]]
    assert made["boxes"].dtype == np.float32 and made["class"].dtype == np.int32


@pytest.mark.parametrize(
    ("format_", "change"),
    [
        ("format: xywh", lambda x1, y1, x2, y2, w, h: [x1, y1, x2 - x1, y2 - y1]),
        ("format: cxcywh", lambda x1, y1, x2, y2, w, h: [(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1]),
        ("relative: true", lambda x1, y1, x2, y2, w, h: [x1 / w, y1 / h, x2 / w, y2 / h]),
    ],
)
def test_other_formats_are_the_same_boxes(project: Project, format_: str, change: Any) -> None:
    wanted = project.prepare(text()).train.batch(slice(0, 3)).inputs["boxes"]
    write(project.folder, [row | {"boxes": [change(*box, *SIZES[row["file"]]) for box in row["boxes"]]} for row in ROWS])
    made = project.prepare(text(("{of: image}", f"{{of: image, {format_}}}"))).train.batch(slice(0, 3)).inputs["boxes"]
    np.testing.assert_allclose(made, wanted, atol=1e-4)


@pytest.mark.parametrize("fixed", ["train", "validation"])
def test_a_split_whose_images_all_have_as_many_boxes_is_padded_like_the_others(project: Project, fixed: str) -> None:
    two = [ROWS[0], {"file": "c.png", "boxes": [[10, 10, 20, 30], [1, 1, 9, 9]], "class": ["cat", "dog"]}]
    write(project.folder, two if fixed == "validation" else ROWS)
    (project.folder / "a.jsonl").rename(project.folder / "b.jsonl")
    write(project.folder, two if fixed == "train" else ROWS)
    train = "  train: {images: {jsonl: a.jsonl, column: file, image_size: [64, 64]}}\n"
    validation = train.replace("train:", "validation:").replace("a.jsonl", "b.jsonl")
    made = project.prepare(text((train, train + validation)))
    assert made.validation is not None
    assert made.validation.batch(slice(0, 2)).inputs["boxes"].shape == (2, 4, 4)


def test_the_plan_knows_the_image_of_boxes_and_the_rows_that_follow(project: Project) -> None:
    plan, problems = project.plan(text())
    assert plan is not None and plan.data is not None and plan.data.feeds is not None and not problems
    [field] = box_fields(plan.data.feeds)
    assert (field.place, field.image, field.rows) == ("inputs.boxes", "image", ("inputs.class",))


@pytest.mark.parametrize(
    ("change", "message", "help"),
    [
        (("of: image", "of: picture"), "`picture` is neither an input with images nor the column of one", "boxes: {of: image}"),
        (("{of: image}}, {pad: 4}", "{of: image}}"), "requires rows of equal length", "put `pad` last"),
        (("label_encode, {pad: 4}", "label_encode, {pad: 3}"), "has shape (3,)", ""),
        (("{of: image}}, {pad: 4}", "{of: image}}, {pad: {length: 4, value: 0}}"), "boxes are padded with -1, not with 0", "remove"),
        (("{of: image}}, {pad: 4}", "{of: image}}, {pad: {length: 4, side: left}}"), "is padded on another side", "the same `pad`"),
        (("boxes: {transform: [{boxes", "boxes: {column: class, transform: [{boxes"), "`boxes` requires rows of four numbers", "[["),
        (("[{boxes: {of: image}}, {pad: 4}]", "[{pad: 4}, {boxes: {of: image}}]"), "is the first transform", ""),
        (("{of: image}", "{of: image, size: [16, 16]}"), "`size` is [16, 16], but `image` is resized to [32, 32]", "remove `size`"),
    ],
)  # fmt: skip
def test_boxes_that_are_used_wrongly_are_refused(project: Project, change: tuple[str, str], message: str, help: str) -> None:
    found = errors(project, text(change))
    assert any(message in what and help in how for what, how in found), found


@pytest.mark.parametrize(
    ("row", "message", "help"),
    [
        ({"boxes": [[0, 0, 30, 30], [20, 20, 90, 10]], "class": ["cat", "dog"]}, "a.jsonl, line 4, column `boxes`, item 1: the box [20, 20, 90, 10] of an image of 40×80", ""),
        ({"boxes": [[5, 5, 60, 10]]}, "exceeds it", "correct the box"),
        ({"boxes": [[30, 30, 5, 40]]}, "corners in the wrong order", "correct the box"),
        ({"boxes": [[0, 0, 9, 9]] * 2}, "1 values of `class` for 2 boxes", "give each box of `boxes` a value"),
        ({"boxes": [[0, 0, 9, 9 + i] for i in range(5)], "class": ["cat"] * 5}, "5 boxes, of which `pad` keeps 4", "write `pad: 5`"),
    ],
)  # fmt: skip
def test_boxes_that_do_not_fit_are_reported_with_their_line(
    project: Project, row: dict[str, Any], message: str, help: str
) -> None:
    write(project.folder, [*ROWS, {"file": "c.png", "class": ["cat"], **row}])
    found = errors(project, text())
    assert any(message in what and help in how for what, how in found), found


def test_boxes_in_another_format_are_reported_with_the_format(project: Project) -> None:
    sized = [[10, 20, 5, 30], [5, 10, 12, 8]]
    write(project.folder, [row | {"boxes": sized, "class": ["cat", "dog"]} for row in ROWS])
    [(message, help)] = errors(project, text())
    assert "has corners in the wrong order" in message and help.endswith("write `format: xywh`")


def test_a_class_that_is_not_listed_is_reported_with_its_item(project: Project) -> None:
    found = errors(project, text(("label_encode", "{label_encode: {classes: [dog]}}")))
    assert ("NN427 a.jsonl, line 1, column `class`, item 0: 'cat' is an unknown class; the classes are 'dog'") in found[0][0]


def test_boxes_of_several_inputs_of_one_column_must_name_one(project: Project) -> None:
    two = (
        ("inputs: {image: [32, 32, 3], boxes", "inputs: {image: [32, 32, 3], small: [16, 16, 3], boxes"),
        ("    boxes: {transform", "    small: {column: image, transform: [{resize: [16, 16]}]}\n    boxes: {transform"),
        ("square(net -", "mean(small) + square(net -"),
    )
    made = project.prepare(text(*two, ("of: image", "of: small"))).train.batch(slice(0, 1)).inputs["boxes"]
    assert made[0, 0].tolist() == [0, 0, 16, 16]
    found = errors(project, text(*two, ("boxes: {of: image}", "boxes: {}")))
    assert any("may belong to the inputs `image`, `small`" in what for what, _ in found), found


@pytest.mark.parametrize(
    ("augment", "message", "help"),
    [
        ("[{RandomFlip: {mode: horizontal}, on: [image]}]", "moves `image`, but not its boxes", "add `boxes` to `on`"),
        ("[{RandomFlip: {mode: horizontal}, on: [boxes]}]", "boxes of `image`, which is not in `on`", "add `image`"),
        ("[{RandomFlip: {mode: horizontal}, on: [image, class]}]", "but not the boxes", "add `boxes`"),
        ("[{CutMix: {}}]", "boxes cannot follow `CutMix`", "RandomMosaic"),
        ("[{RandomElasticTransform: {}}]", "boxes cannot follow `RandomElasticTransform`", "RandomRotation"),
        ("[{RandomRotation: {factor: 0.1}}]", "NN478", "fill_mode: constant"),
    ],
)
def test_augmentations_that_boxes_cannot_follow_are_refused(project: Project, augment: str, message: str, help: str) -> None:
    found = errors(project, text(augment=augment))
    assert any(message in what and help in how for what, how in found), found


@pytest.mark.parametrize(
    "augment",
    [
        "[{RandomFlip: {mode: horizontal}, on: [image, boxes]}, {RandomBrightness: {factor: 0.1, value_range: [0, 1]}}]",
        "[{RandomResizedCrop: {}}, {RandomMosaic: {}}, {MixUp: {alpha: 1.0}}, {RandomFlip: {}, on: [image, boxes, class]}]",
    ],
)
def test_augmentations_with_boxes_are_planned_with_the_values_of_the_boxes(project: Project, augment: str) -> None:
    plan, problems = project.plan(text(augment=augment))
    assert not problems and plan is not None and plan.data is not None
    for change in plan.data.augment:
        assert [field.rows for field in change.boxes] == ([("inputs.class",)] if change.layer.moves_pixels else [])


@pytest.mark.parametrize(
    ("augment", "pad", "count"),
    [
        ("[{RandomMosaic: {}}]", 4, 8),
        ("[{RandomMosaic: {}}]", 8, None),
        ("[{MixUp: {}}]", 2, 3),
        ("[{MixUp: {}}]", 3, None),
        ("[{RandomMosaic: {}}, {MixUp: {}}]", 8, 16),
        ("[{RandomFlip: {}}]", 2, None),
    ],
)
def test_augmentations_that_may_compose_more_boxes_than_rows_are_a_warning(
    project: Project, augment: str, pad: int, count: int | None
) -> None:
    changes = ("boxes: [4, 4]", f"boxes: [{pad}, 4]"), ("shape: [4]", f"shape: [{pad}]")
    changed = text(*changes, augment=augment).replace("{pad: 4}", f"{{pad: {pad}}}")
    found = [(what, how) for what, how in errors(project, changed) if what.startswith("NN483")]
    assert bool(found) == (count is not None), found
    if count is not None:
        assert f"up to {count} boxes, of which `pad` keeps {pad}" in found[0][0]
        assert f"write `pad: {count}` for `boxes`" in found[0][1]


def test_boxes_that_a_training_leaves_out_are_reported_once_with_the_number_of_rows(project: Project) -> None:
    pytest.importorskip("keras")
    from nnspec.spec import load
    from nnspec.training import train
    from nnspec.training.loop.progress import Quiet

    lines: list[str] = []

    class Printed(Quiet):
        def print(self, text: str) -> None:
            lines.append(text)

    write(project.folder, [ROWS[0], ROWS[0], ROWS[0], ROWS[2]])
    changed = text(("boxes: [4, 4]", "boxes: [2, 4]"), ("shape: [4]", "shape: [2]"), augment="[{RandomMosaic: {}}]")
    changed = (
        changed.replace("{pad: 4}", "{pad: 2}").replace("epochs: 1", "epochs: 3").replace("batch_size: 2", "batch_size: 4")
    )
    (project.folder / "net.nnspec.yaml").write_text("nnspec: 1\nname: net\n" + changed)
    train(load(project.folder / "net.nnspec.yaml"), out=project.folder / "run", progress=Printed())
    [line] = [line for line in lines if "composed images had no row" in line]
    assert line.startswith("epoch ")
    assert "write `pad: " in line


def test_without_its_files_a_spec_with_boxes_is_only_a_warning(project: Project) -> None:
    (project.folder / "a.jsonl").unlink()
    written = text(augment="[{RandomFlip: {mode: horizontal}, on: [image, boxes]}]")
    _, problems = project.plan(written, require_data=False)
    assert {problem.code for problem in problems} == {"NN402"}
    with pytest.raises(SpecError):
        project.prepare(written)


def test_texts_in_a_column_of_one_place_are_classes_and_no_lists():
    values = np.array([["b"], ["a"], ["b"]], object)
    transform = label_encode()
    assert transform.apply(values, transform.fit([values])).tolist() == [[1], [0], [1]]


def test_texts_of_numpy_are_classes_and_no_lists():
    values = np.array([np.str_("bb"), np.str_("ab")], object)
    transform = label_encode()
    assert transform.apply(values, transform.fit([values])).tolist() == [1, 0]
