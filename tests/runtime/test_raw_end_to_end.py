"""Runs whose exported models take raw values: as `nnspec predict` feeds them, and as anybody does."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from nnspec.cli import main
from nnspec.diagnostics import SpecError
from nnspec.exporting.run_predictions import predict_run
from nnspec.exporting.runs import export_run
from nnspec.runtime.predicting import predict_file
from nnspec.runtime.predictor import Predictor
from nnspec.spec import load
from nnspec.training import train
from nnspec.training.loop.progress import Quiet

from ..data.conftest import idx_bytes

VISITS = """nnspec: 1
name: visits
inputs: {facts: [2], ward: [3], sex: [2]}
layers:
  - Concatenate: {}
    from: [facts, ward, sex]
  - Dense: {units: 8, activation: tanh}
  - Dense: {units: 2, activation: softmax}
    name: ill
data:
  train: {csv: visits.csv}
  inputs:
    facts: {columns: [age, income], transform: [{impute: median}, standardize]}
    ward: {column: ward, transform: [{one_hot: {classes: [1, 2, 7]}}]}
    sex: {column: sex, transform: [one_hot]}
  targets: {ill: {column: ill, transform: [label_encode]}}
train: {epochs: 3, batch_size: 8, seed: 1, loss: SparseCategoricalCrossentropy}
"""


@pytest.fixture(scope="module")
def visits(tmp_path_factory):
    folder = tmp_path_factory.mktemp("visits")
    rng = np.random.default_rng(0)
    rows = ["age,income,ward,sex,ill"]
    for i in range(48):
        age, income = ("" if i % 7 == 3 else f"{rng.integers(20, 90)}"), f"{rng.normal(30_000, 9_000):.2f}"
        rows.append(f"{age},{income},{rng.choice([1, 2, 7])},{'fm'[i % 2]},{'no' if i % 3 else 'yes'}")
    (folder / "visits.csv").write_text("\n".join(rows) + "\n")
    (folder / "net.nnspec.yaml").write_text(VISITS)
    run = train(load(folder / "net.nnspec.yaml"), out=folder / "run", progress=Quiet())
    parity = export_run(run.path, folder / "visits.onnx")
    assert parity.agrees
    assert parity.cases > 6
    return folder


def test_a_run_and_its_file_answer_raw_data_alike_missing_values_too(visits):
    data = str(visits / "visits.csv")
    ours, theirs = predict_run(visits / "run", data), predict_file(visits / "visits.onnx", data)
    np.testing.assert_allclose(theirs.outputs["ill"], ours.outputs["ill"], atol=2e-6)
    assert theirs.classes == ours.classes == {"ill": ["no", "yes"]}


def test_the_file_takes_numbers_as_they_are_and_text_as_the_recipe_makes_it(visits):
    predictor = Predictor(visits / "visits.onnx")
    assert [str(port) for port in predictor.inputs.values()] == [
        "`facts` (batch, 2) float32",
        "`ward` (batch) float32",
        "`sex` (batch, 2) float32",
    ]
    recipe = predictor.recipe["inputs"]
    assert (recipe["facts"]["columns"], recipe["facts"]["transforms"]) == (["age", "income"], [])
    assert recipe["ward"]["classes"] == [1, 2, 7]
    assert [step["transform"] for step in recipe["sex"]["transforms"]] == ["one_hot"]
    given = {"facts": [[np.nan, 30_000.0], [51, 28_000]], "ward": [7, 1], "sex": [[1, 0], [0, 1]]}
    (visits / "two.csv").write_text("age,income,ward,sex\n,30000,7,f\n51,28000,1,m\n")
    by_name = predict_file(visits / "visits.onnx", str(visits / "two.csv"))
    np.testing.assert_array_equal(predictor.predict(given)["ill"], by_name.outputs["ill"])


@pytest.mark.parametrize(
    ("line", "reported"), [("40,1,3,f", "line 2, column `ward`"), ("40,,1,f", None), ("40,1,,f", "is missing")]
)
def test_what_training_would_refuse_is_refused_before_the_graph(visits, line, reported):
    (visits / "bad.csv").write_text(f"age,income,ward,sex\n{line}\n")
    for predict, path in ((predict_run, "run"), (predict_file, "visits.onnx")):
        if reported is None:
            assert len(predict(visits / path, str(visits / "bad.csv"))) == 1
        else:
            with pytest.raises(SpecError, match=reported):
                predict(visits / path, str(visits / "bad.csv"))


def test_the_commands_say_the_same_of_a_run_and_its_file(visits):
    def answers(model: str) -> list[dict]:
        arguments = ["predict", str(visits / model), "--data", str(visits / "visits.csv"), "--limit", "3", "--format", "json"]
        return [json.loads(line) for line in CliRunner().invoke(main, arguments).output.splitlines()]

    ours, theirs = answers("run"), answers("visits.onnx")
    assert [row["ill_class"] for row in ours] == [row["ill_class"] for row in theirs]


def test_pictures_go_in_as_bytes(tmp_path):
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (24, 6, 6)).astype(np.uint8), np.arange(24) % 3
    (tmp_path / "images").write_bytes(idx_bytes(images))
    (tmp_path / "labels").write_bytes(idx_bytes(labels))
    (tmp_path / "net.nnspec.yaml").write_text("""nnspec: 1
name: pictures
inputs: {image: [6, 6, 1]}
layers:
  - Conv2D: {filters: 3, kernel_size: 3}
  - Flatten
  - Dense: {units: 3, activation: softmax}
    name: kind
data:
  train: {idx: {images: images, labels: labels}}
  inputs: {image: {transform: [{rescale: 0.00392156862745098}]}}
train: {epochs: 1, batch_size: 8, seed: 1, loss: SparseCategoricalCrossentropy}
""")
    run = train(load(tmp_path / "net.nnspec.yaml"), out=tmp_path / "run", progress=Quiet())
    export_run(run.path, tmp_path / "net.onnx")
    predictor = Predictor(tmp_path / "net.onnx")
    assert str(predictor.inputs["image"]) == "`image` (batch, 6, 6, 1) uint8"
    given = predictor.predict({"image": images[..., None]})["kind"]
    np.testing.assert_allclose(given, predict_run(run.path).outputs["kind"], atol=2e-6)
