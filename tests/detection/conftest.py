"""A detector that finds a square in an image, trained on files in the format of COCO."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nnspec.spec import load
from nnspec.training import Run, train
from nnspec.training.loop.progress import Quiet

SQUARES = """nnspec: 1
name: squares
inputs:
  image: [16, 16, 3]
  boxes: [2, 4]
  class: {shape: [2], dtype: int32}
  crowd: {shape: [2], dtype: int32}
layers:
  - Flatten:
    from: image
  - Dense: {units: 32, activation: relu}
  - Dense: {units: 6}
    name: numbers
  - Compute:
      corners: reshape(16 * numbers[:, :4], [1, 4])
      scores: reshape(softmax(numbers[:, 4:], axis=-1), [1, 2])
    name: raw
  - NonMaxSuppression: {keep: 3, score: 0.0}
    from: {boxes: raw.corners, scores: raw.scores}
    name: nms
outputs: {corners: raw.corners, kinds: numbers, boxes: nms.boxes, scores: nms.scores, class: nms.class, count: nms.count}
data:
  train: {coco: {annotations: squares.json, images: squares, image_size: [16, 16]}}
  validation: 0.25
  inputs:
    image: {column: image, transform: [{rescale: 0.00392156862745098}]}
    boxes: {column: boxes, transform: [{pad: 2}]}
    class: {column: class, transform: [label_encode, {pad: 2}]}
    crowd: {column: crowd, transform: [{pad: 2}]}
export: {outputs: [boxes, scores, class, count]}
train:
  epochs: 40
  batch_size: 8
  optimizer: {Adam: {learning_rate: 0.003}}
  metrics: [{MeanAveragePrecision: {small: 4, large: 8}}]
  early_stopping: {monitor: val_mean_average_precision, patience: 40}
  objective:
    program:
      layers:
        - main:
          from: image
          name: found
        - Compute: {kind: "class[:, 0]", scores: "found.kinds[:, 4:]"}
          name: first
        - SparseCategoricalCrossentropy: {from_logits: true}
          from: {target: first.kind, output: first.scores}
          name: kinds
        - Compute: mean(square((found.corners - boxes[:, :1]) / 16)) + 0.1 * mean(kinds)
          name: loss
      minimize: [{loss: loss, of: main}]
"""


def draw(folder: Path, count: int = 60) -> None:
    """Images of several sizes, each with a red or green square on black, and their boxes."""
    random = np.random.default_rng(0)
    images, boxes = [], []
    (folder / "squares").mkdir()
    for number in range(count):
        width, height = (int(size) for size in random.integers(24, 48, 2))
        w, h = int(random.integers(8, width // 2)), int(random.integers(8, height // 2))
        x, y, kind = int(random.integers(0, width - w)), int(random.integers(0, height - h)), number % 2
        pixels = np.zeros((height, width, 3), np.uint8)
        pixels[y : y + h, x : x + w, kind] = 255
        Image.fromarray(pixels).save(folder / "squares" / f"{number:02}.png")
        images.append({"id": number, "file_name": f"{number:02}.png", "width": width, "height": height})
        box = {"id": number + 1, "image_id": number, "category_id": kind + 1, "bbox": [x, y, w, h]}
        boxes.append(box | {"area": w * h, "iscrowd": 0})
    kinds = [{"id": 1, "name": "red"}, {"id": 2, "name": "green"}]
    (folder / "squares.json").write_text(json.dumps({"images": images, "annotations": boxes, "categories": kinds}))


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    found = tmp_path_factory.mktemp("squares")
    draw(found)
    (found / "squares.nnspec.yaml").write_text(SQUARES)
    return found


@pytest.fixture(scope="session")
def run(folder):
    """The trained detector."""
    pytest.importorskip("keras")
    found = train(load(folder / "squares.nnspec.yaml"), out=folder / "run", progress=Quiet())
    assert isinstance(found, Run)
    return found


@pytest.fixture(scope="session")
def model(run):
    """Its ONNX file."""
    from nnspec.exporting.runs import export_run

    export_run(run, run.path / "squares.onnx", examples=2)
    return run.path / "squares.onnx"
