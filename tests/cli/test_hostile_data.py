"""Class names, columns and file names of data are text from outside too: in a run, its metrics, its report and its model card."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from nnspec.cli import main
from tests.cli.test_hostile_text import COMMAND, RAW

pytest.importorskip("keras")
Image = pytest.importorskip("PIL.Image")

CLASSES = [
    "\x1b[31mred",
    os.fsdecode(b"caf\xe9"),
    "<img src=x onerror=1>`|",
    "\u202en\n::error::pwned",
    "##[error]$\\frac$ _a_",
]
PICTURES = """nnspec: 1
name: pictures
description: "# <b>bold</b> \\e[31m"
inputs: {image: [4, 4, 1]}
layers:
  - Conv2D: {filters: 2, kernel_size: 3, activation: relu}
  - Flatten
  - Dense: {units: 5, activation: softmax}
    name: kind
data:
  train: {images: {folder: pictures, image_size: [4, 4], color_mode: grayscale}}
  validation: 0.25
  inputs: {image: image}
  targets: {kind: {column: label, transform: [label_encode]}}
train: {epochs: 1, batch_size: 8, loss: SparseCategoricalCrossentropy}
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "net.nnspec.yaml").write_text(PICTURES)
    rng = np.random.default_rng(0)
    for name in CLASSES:
        own = folder / "pictures" / name
        own.mkdir(parents=True)
        for number in range(8):
            Image.fromarray(rng.integers(0, 255, (4, 4), np.uint8)).save(own / f"{name.replace('/', '')[:20]}{number}.png")
    assert "internal error" not in run(folder, "train", "net.nnspec.yaml", "--out", "run")
    return folder


def run(folder: Path, *arguments: str, status: int = 0) -> str:
    before = Path.cwd()
    os.chdir(folder)
    try:
        result = CliRunner().invoke(main, list(arguments))
    finally:
        os.chdir(before)
    safe(result.output)
    assert not COMMAND.search(result.output), result.output
    assert result.exit_code == status, result.output
    return result.output


def safe(text: str) -> None:
    assert not (found := RAW.search(text)), (found, text[:2000])


@pytest.mark.parametrize("form", ["text", "json"])
def test_figures_by_class_are_safe_to_show(project, form):
    text = run(project, "evaluate", "run", "--format", form)
    if form == "json":
        named = [row["class"] for row in json.loads(text)["outputs"]["kind"]["classes"]]
        assert sorted(named) == sorted([*CLASSES[:1], "caf\\xe9", *CLASSES[2:]])


@pytest.mark.parametrize("form", ["text", "json"])
def test_predictions_are_safe_to_show(project, form):
    run(project, "predict", "run", "--data", "{images: {folder: pictures}}", "--format", form)


def test_a_report_holds_no_markup_of_class_names(project):
    run(project, "report", "run", "-o", "report.html")
    text = (project / "report.html").read_text("utf-8")
    safe(text)
    assert "<img src=x" not in text
    assert "<b>bold" not in text


def test_a_model_card_and_labels_hold_no_markup_of_class_names(project):
    run(project, "package", "run", "--target", "triton", "-o", "package")
    card = (project / "package/pictures/README.md").read_text("utf-8")
    labels = (project / "package/pictures/kind.labels.txt").read_text("utf-8")
    for text in (card, labels, (project / "package/pictures/config.pbtxt").read_text("utf-8")):
        safe(text)
    assert not COMMAND.search(card)
    assert "\\<img src" in card
    assert "<b>" not in card.replace("\\<", "")
    assert len(labels.splitlines()) == len(CLASSES)


def test_a_run_with_such_classes_is_read_back(project):
    assert "is finished" in run(project, "train", "--resume", "run")
    assert "epoch 2" in run(project, "train", "--resume", "run", "--set", "train.epochs=2")


def test_a_damaged_picture_with_such_a_name_is_named(project):
    (project / "bad" / CLASSES[1]).mkdir(parents=True)
    (project / "bad" / CLASSES[1] / "\x1b[2J.png").write_bytes(b"no picture")
    text = run(project, "predict", "run", "--data", "{images: {folder: bad}}", status=1)
    assert "\\x1b[2J.png" in text
