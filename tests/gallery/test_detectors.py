"""The detectors of the gallery, on a few small images: what they predict after a step is what their ONNX file predicts."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from PIL import Image

from nnspec.api import validate
from nnspec.graph import compile
from nnspec.spec import load
from nnspec.training import Run, evaluate, train
from nnspec.training.loop.progress import Quiet
from tests.gallery.commands import SPECS

NAMES = ("sliding_window", "r_cnn", "fast_r_cnn", "faster_r_cnn", "yolo", "fcos")
CLASSES = ("bird", "car", "flower", "fruit", "sign", "smiley")
SMALL = ["params.width=4", "params.epochs=1", "train.batch_size=4"]


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
                label, (width, height) = int(random.integers(len(CLASSES))), random.integers(12, 31, 2).tolist()
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
        # After an epoch most scores are small: with 0.05, nothing would be detected.
        (folder / f"specs/{name}.nnspec.yaml").write_text(text.replace("score: 0.05", "score: 0.001"))
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_a_detector_has_no_problems_and_returns_detections(name):
    assert [problem for problem in validate(SPECS / f"{name}.nnspec.yaml") if problem.code != "NN402"] == []  # the data
    main = compile(load(SPECS / f"{name}.nnspec.yaml")).main
    assert {output: (type_.shape, type_.dtype) for output, type_ in main.output_types.items()} == {
        "boxes": ((20, 4), "float32"), "scores": ((20,), "float32"), "class": ((20,), "int32"), "count": ((), "int32"),
    }  # fmt: skip
    assert main.parameters < 1_000_000


@pytest.fixture(scope="module")
def trained(folder):
    """Trains a detector for an epoch and exports it; returns the run and the file."""
    pytest.importorskip("keras")
    from nnspec.exporting.runs import export_run

    @cache
    def of(name: str) -> tuple[Run, Path]:
        run = train(load(folder / f"specs/{name}.nnspec.yaml", SMALL), out=folder / name, progress=Quiet())
        assert isinstance(run, Run)
        export_run(run, folder / f"{name}.onnx", examples=2)  # raises if the outputs of the two differ
        return run, folder / f"{name}.onnx"

    return of


@pytest.mark.full
@pytest.mark.parametrize("name", NAMES)
def test_a_detector_trains_and_is_exported_in_parity(trained, name):
    run, file = trained(name)
    [record] = run.metrics()
    assert np.isfinite(record["loss"]) and "val_mean_average_precision" in record
    assert "mean_average_precision" in evaluate(run)
    assert file.is_file()


@pytest.mark.full
@pytest.mark.parametrize("size", [(64, 64), (75, 110), (128, 51)])
@pytest.mark.parametrize("name", NAMES)
def test_the_file_alone_predicts_what_keras_predicts_for_an_image_of_another_size(trained, name, size):
    from nnspec.exporting.keras_reference import keras_reference
    from nnspec.onnx_backend.parity import measure
    from nnspec.onnx_backend.ties import Ties, discontinuous

    run, file = trained(name)
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    types = {each.name: each.type for each in session.get_inputs()}
    random = np.random.default_rng(1)
    pixels = random.integers(0, 256, (1, *size, 3))
    given = {"image": pixels.astype(np.uint8 if types["image"] == "tensor(uint8)" else np.float32)}
    if "proposals" in types:
        corners = random.uniform(0, 0.7, (1, 64, 2)) * size[::-1]
        ends = corners + random.uniform(0.1, 0.3, corners.shape) * size[::-1]
        given["proposals"] = np.concatenate([corners, ends], -1).astype(np.float32)

    def alone(arrays):
        return dict(zip([each.name for each in session.get_outputs()], session.run(None, dict(arrays)), strict=True))

    def scaled(answer):
        return lambda arrays: answer({**arrays, "image": arrays["image"].astype(np.float32) / np.float32(255)})

    graph = run.model.main
    keras = keras_reference(graph, run.weights()).around(scaled)
    parity = measure(keras, alone, [given], ties=Ties(discontinuous(graph), keras.run, alone))
    assert parity.agrees, parity.text()
    found = alone(given)
    boxes = found["boxes"][found["class"] >= 0]
    assert len(boxes) > 0
    assert (boxes >= -0.01).all() and (boxes <= np.array([*size[::-1]] * 2) + 0.01).all()
    if max(size) > 64:
        assert boxes.max() > 64  # not in pixels of the images of the training
