"""The file of a detector alone: an image of any size goes in by ONNX Runtime, and boxes in its own pixels come out."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
from PIL import Image

from nnspec.exporting.runs import export_run
from nnspec.runtime.predicting import predict_file
from nnspec.runtime.predictor import Predictor
from nnspec.spec import load
from nnspec.training import train
from nnspec.training.evaluation.evaluate import trained_model
from nnspec.training.loop.progress import Quiet

from .conftest import SQUARES

pytest.importorskip("keras")

OF_ANY_SIZE = (
    SQUARES.replace("image: [16, 16, 3]", "image: [null, null, 3]")
    .replace("epochs: 40", "epochs: 2")
    .replace(
        "  - Flatten:\n    from: image\n",
        "  - Resizing: {height: 16, width: 16}\n    from: image\n  - Flatten\n",
    )
    .replace(
        "corners: reshape(16 * numbers[:, :4], [1, 4])",
        "across: numbers[:, :4] * image.shape[2] * [1.0, 0.0, 1.0, 0.0]\n"
        "      down: numbers[:, :4] * image.shape[1] * [0.0, 1.0, 0.0, 1.0]\n"
        "      corners: expand_dims(across + down, 1)",
    )
)


@pytest.fixture(scope="module")
def run(folder):
    (folder / "any.nnspec.yaml").write_text(OF_ANY_SIZE)
    return train(load(folder / "any.nnspec.yaml"), out=folder / "any", progress=Quiet())


@pytest.fixture(scope="module")
def file(run):
    export_run(run, run.path / "any.onnx")
    return run.path / "any.onnx"


@pytest.mark.parametrize("size", [(16, 16), (40, 28), (61, 90)])
def test_onnx_runtime_alone_answers_as_keras_in_pixels_of_the_image(run, file, size):
    session = onnxruntime.InferenceSession(file.read_bytes(), providers=["CPUExecutionProvider"])
    [given] = session.get_inputs()
    pixels = np.random.default_rng(0).integers(0, 256, (2, *size, 3)).astype(np.uint8)
    raw = pixels if given.type == "tensor(uint8)" else pixels.astype(np.float32)
    found = dict(zip([each.name for each in session.get_outputs()], session.run(None, {given.name: raw}), strict=True))
    graph = run.model.main
    keras = trained_model(run, graph).predict_on_batch({"image": pixels.astype(np.float32) / 255})
    there = found["class"] >= 0
    assert np.array_equal(found["class"], keras["class"])
    np.testing.assert_allclose(found["boxes"][there], np.asarray(keras["boxes"])[there], rtol=1e-4, atol=1e-3)
    small = session.run(None, {given.name: raw[:, :16, :16]})
    assert np.abs(found["boxes"][there]).max() > np.abs(small[0]).max() or size == (16, 16)


def test_an_image_file_of_any_size_is_answered_in_its_own_pixels(file, folder):
    image = folder / "squares" / "03.png"
    with Image.open(image) as opened:
        pixels = np.asarray(opened)[None]
    predictor = Predictor(file)
    [wanted] = predictor.detect({"image": pixels.astype(predictor.inputs["image"].dtype)})
    [row] = predict_file(file, str(image)).rows()
    assert row["detections"] == wanted
