"""A detector whose images keep their aspect ratio answers in pixels of the image that was sent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from PIL import Image

from nnspec.data.image_frames import ImageFrames, Resized
from nnspec.exporting.run_predictions import predict_run
from nnspec.exporting.runs import export_run
from nnspec.runtime.detections import Detector
from nnspec.runtime.predicting import predict_file
from nnspec.runtime.predictor import Predictor
from nnspec.spec import load
from nnspec.training import train
from nnspec.training.loop.progress import Quiet
from tests.serving.conftest import running

from .conftest import SQUARES

pytest.importorskip("keras")

BY_READER = SQUARES.replace("image_size: [16, 16]", "image_size: [16, 16], pad_to_aspect_ratio: true, fill_value: 114").replace(
    "epochs: 40", "epochs: 8"
)
DETECTOR = Detector("boxes", "scores", "class", "image", ("count",))


@pytest.fixture(scope="module")
def run(folder):
    (folder / "padded.nnspec.yaml").write_text(BY_READER)
    return train(load(folder / "padded.nnspec.yaml"), out=folder / "padded", progress=Quiet())


@pytest.fixture(scope="module")
def file(run):
    export_run(run, run.path / "padded.onnx", examples=2)
    return run.path / "padded.onnx"


def sent(folder, number: int) -> str:
    return str(folder / "squares" / f"{number:02}.png")


def by_hand(file, image: str) -> list[list[float]]:
    """The boxes of the file alone, by ONNX Runtime, of an image that is resized and padded here."""
    with Image.open(image) as opened:
        width, height = opened.size
        scale = 16 / max(width, height)
        inner = round(width * scale), round(height * scale)
        left, top = (16 - inner[0]) // 2, (16 - inner[1]) // 2
        seen = np.full((1, 16, 16, 3), 114, np.uint8)
        seen[0, top : top + inner[1], left : left + inner[0]] = np.asarray(opened.resize(inner, Image.Resampling.BILINEAR))
    session = onnxruntime.InferenceSession(file.read_bytes(), providers=["CPUExecutionProvider"])
    [given] = session.get_inputs()
    boxes, _, classes, _ = session.run(
        ["boxes", "scores", "class", "count"], {given.name: seen if "uint8" in given.type else seen.astype(np.float32)}
    )
    found = boxes[0][classes[0] >= 0].astype(np.float64)
    across, down = width / inner[0], height / inner[1]
    moved = (found - [left, top, left, top]) * [across, down, across, down]
    return np.clip(moved, 0, [width, height, width, height]).tolist()


def test_detections_are_moved_out_of_the_padding_and_clipped_to_the_image():
    outputs = {
        "boxes": np.array([[[0.0, 0, 16, 16], [4, 6, 8, 10]]]),
        "scores": np.array([[0.75, 0.5]]),
        "class": np.array([[0, 0]]),
    }
    frames = ImageFrames.unchanged(np.array([[32, 64]])).resized(Resized(16, 16, padded=True))
    found = DETECTOR.found({"image": np.zeros((1, 16, 16, 3))}, outputs, None, frames)
    assert [each["box"] for each in found.of(0)] == [[0.0, 0.0, 64.0, 32.0], [16.0, 8.0, 32.0, 24.0]]


@pytest.mark.parametrize("number", range(4))
def test_the_file_and_the_run_answer_as_onnx_runtime_alone(run, file, folder, number):
    image = sent(folder, number)
    [a], [b] = (list(predict(path, image).rows()) for predict, path in ((predict_file, file), (predict_run, run)))
    wanted = by_hand(file, image)
    assert wanted
    np.testing.assert_allclose([each["box"] for each in a["detections"]], wanted, atol=0.02)
    np.testing.assert_allclose([each["box"] for each in b["detections"]], wanted, atol=0.03)


def test_the_server_answers_as_the_command(file, folder):
    image = sent(folder, 1)
    with running([file]) as server:
        status, answer = server.json("POST", "/predict", Path(image).read_bytes(), {"Content-Type": "image/png"})
    assert status == 200
    [row] = predict_file(file, image).rows()
    assert answer["predictions"] == [{"detections": row["detections"]}]


def test_images_that_are_resized_as_arrays_are_answered_in_pixels_of_the_arrays(folder, tmp_path):
    text = BY_READER.replace(
        "image_size: [16, 16], pad_to_aspect_ratio: true, fill_value: 114", "image_size: [24, 40]"
    ).replace("[{rescale", "[{resize: {size: [16, 16], pad_to_aspect_ratio: true, fill_value: 114}}, {rescale")
    (folder / "arrays.nnspec.yaml").write_text(text)
    run = train(load(folder / "arrays.nnspec.yaml"), out=tmp_path / "run", progress=Quiet())
    export_run(run, tmp_path / "a.onnx", examples=2)
    pixels = np.random.default_rng(0).integers(0, 256, (1, 48, 20, 3), np.uint8)
    predictor = Predictor(tmp_path / "a.onnx")
    from nnspec.data.transforms.images import resize

    seen = resize(size=[16, 16], pad_to_aspect_ratio=True, fill_value=114).apply(pixels, {})
    [raw] = predictor.detect({"image": seen.astype(predictor.inputs["image"].dtype)})
    import pandas as pd

    [found] = predictor.detect(pd.DataFrame({"image": [pixels[0]]}))
    assert raw
    inner = round(16 * 20 / 48)
    left = (16 - inner) // 2
    moved = (np.array([each["box"] for each in raw]) - [left, 0, left, 0]) * [20 / inner, 3, 20 / inner, 3]
    np.testing.assert_allclose([each["box"] for each in found], np.clip(moved, 0, [20, 48, 20, 48]), atol=0.1)
