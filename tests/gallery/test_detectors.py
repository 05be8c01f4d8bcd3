"""The detectors of the gallery, on a few small images: what they predict after a step is what their ONNX file predicts."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

from nnspec.api import validate
from nnspec.graph import compile
from nnspec.spec import load
from nnspec.training import evaluate
from tests.gallery.commands import SPECS
from tests.gallery.small_detectors import NAMES, folder, trained  # noqa: F401


@pytest.mark.parametrize("name", NAMES)
def test_a_detector_has_no_problems_and_returns_detections(name):
    assert [problem for problem in validate(SPECS / f"{name}.nnspec.yaml") if problem.code != "NN402"] == []  # the data
    main = compile(load(SPECS / f"{name}.nnspec.yaml")).main
    assert {output: (type_.shape, type_.dtype) for output, type_ in main.output_types.items()} == {
        "boxes": ((20, 4), "float32"), "scores": ((20,), "float32"), "class": ((20,), "int32"), "count": ((), "int32"),
    }  # fmt: skip
    assert main.parameters < 1_000_000


@pytest.mark.full
@pytest.mark.parametrize("name", NAMES)
def test_a_detector_trains_and_is_exported_in_parity(trained, name):  # noqa: F811
    run, file = trained(name)
    record = run.metrics()[-1]
    assert np.isfinite(record["loss"]) and "val_mean_average_precision" in record
    assert "mean_average_precision" in evaluate(run)
    assert file.is_file()


@pytest.mark.full
@pytest.mark.parametrize("size", [(64, 64), (75, 110), (128, 51)])
@pytest.mark.parametrize("name", NAMES)
def test_the_file_alone_predicts_what_keras_predicts_for_an_image_of_another_size(trained, name, size):  # noqa: F811
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
