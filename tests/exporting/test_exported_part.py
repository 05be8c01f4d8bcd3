"""A part of a document as a file of its own: a network that takes its field's raw values, an output with the inputs it reads."""

from __future__ import annotations

import numpy as np
import pytest

from nnspec.exporting.run_predictions import predict_run
from nnspec.exporting.runs import export_run
from nnspec.runtime.predictor import Predictor
from nnspec.spec import load
from nnspec.training import train
from nnspec.training.loop.progress import Quiet

DOCUMENT = """nnspec: 1
name: parts
networks:
  scorer:
    inputs: {numbers: [2]}
    layers:
      - Dense: {units: 8, activation: tanh}
      - Dense: {units: 2, activation: softmax}
        name: score
inputs: {facts: [2], shade: [1]}
layers:
  - scorer:
    from: facts
  - Dense: {units: 1}
    name: size
    from: shade
outputs: {ill: scorer, size: size}
data:
  train: {csv: visits.csv}
  inputs:
    facts: {columns: [age, income], transform: [{impute: median}, standardize]}
    shade: {column: shade, transform: [{rescale: 0.00392156862745098}]}
  targets:
    ill: {column: ill, transform: [label_encode]}
    size: {column: age, transform: [{impute: median}]}
train: {epochs: 2, batch_size: 8, seed: 1, loss: {ill: SparseCategoricalCrossentropy, size: MeanSquaredError}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("parts")
    rng = np.random.default_rng(0)
    rows = ["age,income,shade,ill"]
    for i in range(48):
        age = "" if i % 7 == 3 else str(rng.integers(20, 90))
        rows.append(f"{age},{rng.normal(30_000, 9_000):.2f},{rng.integers(0, 256)},{'no' if i % 3 else 'yes'}")
    (folder / "visits.csv").write_text("\n".join(rows) + "\n")
    (folder / "net.nnspec.yaml").write_text(DOCUMENT)
    train(load(folder / "net.nnspec.yaml"), out=folder / "run", progress=Quiet())
    return folder


@pytest.fixture(scope="module")
def whole(folder):
    return predict_run(folder / "run", str(folder / "visits.csv")).outputs


def table(folder):
    return np.genfromtxt(folder / "visits.csv", delimiter=",", skip_header=1)


def test_a_network_takes_the_raw_values_of_the_field_that_feeds_it(folder, whole):
    assert export_run(folder / "run", folder / "scorer.onnx", network="scorer").agrees
    predictor = Predictor(folder / "scorer.onnx")
    assert list(predictor.inputs) == ["numbers"]
    given = predictor.predict({"numbers": table(folder)[:, :2].astype(predictor.inputs["numbers"].dtype)})
    np.testing.assert_allclose(given["score"], whole["ill"], atol=2e-6)


def test_it_names_the_classes_of_the_documents_output_that_it_gives(folder):
    export_run(folder / "run", folder / "scorer.onnx", network="scorer")
    assert Predictor(folder / "scorer.onnx").classes == {"score": ["no", "yes"]}


@pytest.mark.parametrize(("output", "inputs"), [("size", {"shade": 2}), ("ill", {"facts": slice(0, 2)})])
def test_an_output_has_only_the_inputs_that_it_reads(folder, whole, output, inputs):
    text = DOCUMENT + f"export: {{outputs: [{output}]}}\n"
    (folder / "one.nnspec.yaml").write_text(text)
    run = train(load(folder / "one.nnspec.yaml"), out=folder / f"run_{output}", progress=Quiet())
    assert export_run(run.path, folder / f"{output}.onnx").agrees
    predictor = Predictor(folder / f"{output}.onnx")
    assert list(predictor.inputs) == list(predictor.recipe["inputs"]) == list(inputs)
    rows = {
        name: table(folder)[:, columns].reshape(48, -1).astype(predictor.inputs[name].dtype) for name, columns in inputs.items()
    }
    np.testing.assert_allclose(predictor.predict(rows)[output], whole[output], rtol=1e-4, atol=2e-5)
