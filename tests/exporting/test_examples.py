"""Examples in an exported file: rows of the test data, in the form of requests to the server."""

from __future__ import annotations

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from nnspec.diagnostics import NnspecError
from nnspec.exporting.runs import export_run
from nnspec.runtime.predictor import Predictor
from nnspec.runtime.reading import read_examples
from nnspec.spec import load
from nnspec.training import train
from nnspec.training.loop.progress import Quiet
from tests.serving.conftest import running

pytest.importorskip("keras")

TABLE = """nnspec: 1
name: animals
inputs: {numbers: [2], color: [1]}
layers:
  - Concatenate:
    from: [numbers, color]
  - Dense: {units: 2, activation: softmax}
    name: kind
data:
  train: {csv: train.csv}
  test: {csv: test.csv}
  inputs: {numbers: {columns: [length, width]}, color: {column: color, transform: [label_encode]}}
  targets: {kind: {column: kind, transform: [label_encode]}}
train: {epochs: 1, loss: SparseCategoricalCrossentropy}
"""
DIGITS = """nnspec: 1
name: digits
inputs: {image: [8, 8, 1]}
layers:
  - Flatten
  - Dense: {units: 10, activation: softmax}
    name: digit
data: {train: {builtin: digits}, targets: {digit: {column: target}}}
train: {epochs: 1, loss: SparseCategoricalCrossentropy}
"""


def trained(folder, spec):
    (folder / "nnspec.toml").touch()
    file = folder / "net.nnspec.yaml"
    file.write_text(spec)
    train(load(file), out=folder / "run", progress=Quiet())
    return folder / "run"


@pytest.fixture(scope="module")
def animals(tmp_path_factory):
    folder = tmp_path_factory.mktemp("animals")
    for name, start in (("train", 0), ("test", 100)):
        rows = [f"{start + i}.1,{i / 4},{'<b>red</b>' if i % 2 else 'blue'},{'cat' if i % 3 else 'dog'}" for i in range(12)]
        (folder / f"{name}.csv").write_text("length,width,color,kind\n" + "\n".join(rows) + "\n")
    return trained(folder, TABLE)


def examples_of(file):
    return read_examples(Predictor(file).metadata, "the file")


def test_examples_are_rows_of_the_test_data_spread_over_them_as_they_are_in_the_file(animals, tmp_path):
    export_run(animals, tmp_path / "net.onnx", examples=3)
    assert examples_of(tmp_path / "net.onnx") == [
        {"length": 100.1, "width": 0.0, "color": "blue"},
        {"length": 105.1, "width": 1.25, "color": "<b>red</b>"},
        {"length": 111.1, "width": 2.75, "color": "<b>red</b>"},
    ]


def test_a_file_contains_no_rows_of_the_data_by_default(animals, tmp_path):
    export_run(animals, tmp_path / "net.onnx")
    assert examples_of(tmp_path / "net.onnx") == []
    assert b"<b>red" in (tmp_path / "net.onnx").read_bytes()  # the classes
    assert b"105.1" not in (tmp_path / "net.onnx").read_bytes()


def test_the_server_predicts_for_each_example(animals, tmp_path):
    export_run(animals, tmp_path / "net.onnx", examples=4)
    with running([tmp_path / "net.onnx"]) as server:
        examples = server.json("GET", "/predict/animals/examples")[1]["examples"]
        headers = {"Content-Type": "application/json"}
        status, found = server.json("POST", "/predict", json.dumps(examples).encode(), headers)
    assert (status, len(found["predictions"])) == (200, 4)


def test_the_examples_of_images_are_png(tmp_path):
    from sklearn.datasets import load_digits

    export_run(trained(tmp_path, DIGITS), tmp_path / "net.onnx", examples=2)
    first, last = (base64.b64decode(row["image"]) for row in examples_of(tmp_path / "net.onnx"))
    images = load_digits().images
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(first))), (images[0] / 16 * 255).round())
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(last))), (images[-1] / 16 * 255).round())


def test_examples_of_a_decoding_loop_are_an_error(animals, tmp_path):
    with pytest.raises(NnspecError, match="examples is for networks"):
        export_run(animals, tmp_path / "net.onnx", form="loop", examples=2)
    assert not (tmp_path / "net.onnx").exists()
