"""The detectors of the gallery, trained for some steps on a few small images, and exported."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nnspec.spec import load
from nnspec.training import Run, train
from nnspec.training.loop.progress import Quiet
from tests.gallery.commands import SPECS

NAMES = ("sliding_window", "r_cnn", "fast_r_cnn", "faster_r_cnn", "yolo", "fcos")
CLASSES = ("bird", "car", "flower", "fruit", "sign", "smiley")
SMALL = ["params.width=4", "params.epochs=6", "train.batch_size=4"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Squares of six grays on noise, in the files that `examples.detection.scenes` writes."""
    folder = tmp_path_factory.mktemp("detectors")
    (folder / ".git").mkdir()  # the root of a project
    random = np.random.default_rng(0)
    for split, count in {"train": 8, "validation": 4, "test": 4}.items():
        own = folder / "data/scenes" / split
        (own / "images").mkdir(parents=True)
        images, annotations, lines = [], [], []
        for number in range(count):
            pixels = random.integers(0, 30, (64, 64, 3), np.uint8)
            boxes, labels = [], []
            for start in (0, 32):
                label, (width, height) = len(annotations) % len(CLASSES), random.integers(12, 31, 2).tolist()
                pixels[start : start + height, start : start + width] = 40 + 25 * label
                boxes.append([start, start, start + width, start + height])
                labels.append(CLASSES[label])
                box = {"id": len(annotations) + 1, "image_id": number, "category_id": label, "iscrowd": 0}
                annotations.append(box | {"bbox": [start, start, width, height], "area": width * height})
            Image.fromarray(pixels).save(own / f"images/{number}.png")
            images.append({"id": number, "file_name": f"{number}.png", "width": 64, "height": 64})
            proposals = [*boxes, [0, 0, 63, 63], [13, 13, 41, 41]]
            line = {"file": f"images/{number}.png", "boxes": boxes, "class": labels, "proposals": proposals}
            lines.append(json.dumps(line))
        categories = [{"id": label, "name": name} for label, name in enumerate(CLASSES)]
        whole = {"images": images, "annotations": annotations, "categories": categories}
        (own / "annotations.json").write_text(json.dumps(whole))
        (own / "scenes.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "specs").mkdir()
    for name in NAMES:
        text = (SPECS / f"{name}.nnspec.yaml").read_text()
        assert "score: 0.05" in text
        # After some steps most scores are small: with 0.05, nothing would be detected.
        (folder / f"specs/{name}.nnspec.yaml").write_text(text.replace("score: 0.05", "score: 0.001"))
    return folder


@pytest.fixture(scope="module")
def trained(folder):
    """Trains a detector for some steps and exports it; returns the run and the file."""
    pytest.importorskip("keras")
    from nnspec.exporting.runs import export_run

    @cache
    def of(name: str) -> tuple[Run, Path]:
        run = train(load(folder / f"specs/{name}.nnspec.yaml", SMALL), out=folder / name, progress=Quiet())
        assert isinstance(run, Run)
        export_run(run, folder / f"{name}.onnx", examples=2)  # raises if the outputs of the two differ
        return run, folder / f"{name}.onnx"

    return of
