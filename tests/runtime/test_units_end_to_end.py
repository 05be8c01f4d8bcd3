"""Standardized targets: whatever shows or serves a prediction gives it in the units of the data."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from nnspec.cli import main
from nnspec.diagnostics import NnspecError, SpecError
from nnspec.exporting.run_predictions import predict_run
from nnspec.exporting.runs import export_run
from nnspec.runtime.metadata import UNITS
from nnspec.runtime.predicting import predict_file
from nnspec.runtime.predictor import Predictor
from nnspec.spec import load
from nnspec.training import Run, evaluate, evaluation_text, train
from nnspec.training.loop.progress import Quiet

NET = """nnspec: 1
name: net
inputs: {x: [2]}
layers:
  - Dense: {units: 8, activation: tanh}
    name: h
  - Dense: {units: 1}
    name: price
  - Dense: {units: 1}
    name: pressure
    from: h
outputs: [price, pressure]
data:
  train: {csv: a.csv}
  validation: 0.2
  test: {csv: t.csv}
  inputs: {x: {columns: [a, b]}}
  targets:
    price: {column: price, transform: [standardize]}
    pressure: {column: pressure, transform: [standardize, {rescale: {scale: 2, offset: 1}}]}
train:
  epochs: 2
  seed: 1
  loss: {price: MeanSquaredError, pressure: MeanSquaredError}
  metrics: {price: [MeanAbsoluteError, MeanAbsolutePercentageError], pressure: [RootMeanSquaredError]}
"""

SERIES = """nnspec: 1
name: shops
inputs: {h: [8]}
layers:
  - Dense: {units: 2}
    name: y
data:
  train: {series: {csv: s.csv, time: time, by: shop, window: 8, horizon: 2}}
  validation: 0.2
  inputs: {h: {column: load, transform: [{standardize: {per_series: true, axis: null}}]}}
  targets: {y: {column: load, transform: [{standardize: {per_series: true, axis: null}}]}}
train: {epochs: 2, seed: 1, loss: MeanSquaredError, metrics: {y: [MeanAbsoluteError]}}
"""
READER = "series: {csv: s.csv, by: shop, window: 8, horizon: 2}"


@pytest.fixture(scope="module")
def prices(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prices")
    random = np.random.default_rng(0)
    for name, rows in (("a", 80), ("t", 20)):
        a, b = random.normal(size=(2, rows))
        lines = [f"{x},{y},{300_000 + 5_000 * x},{101_325 + y}" for x, y in zip(a, b, strict=True)]
        (folder / f"{name}.csv").write_text("\n".join(["a,b,price,pressure", *lines, ""]))
    (folder / "net.nnspec.yaml").write_text(NET)
    train(load(folder / "net.nnspec.yaml"), out=folder / "run", progress=Quiet())
    export_run(folder / "run", folder / "m.onnx")
    return folder


@pytest.fixture(scope="module")
def shops(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shops")
    rows = [f"{shop},{i},{level + size * np.sin(i)}" for shop, level, size in (("A", 0, 1), ("B", 500, 20)) for i in range(30)]
    (folder / "s.csv").write_text("\n".join(["shop,time,load", *rows, ""]))
    (folder / "net.nnspec.yaml").write_text(SERIES)
    train(load(folder / "net.nnspec.yaml"), out=folder / "run", progress=Quiet())
    export_run(folder / "run", folder / "m.onnx")
    return folder


def table(folder, name="t"):
    return np.genfromtxt(folder / f"{name}.csv", delimiter=",", names=True)


def test_a_run_and_its_file_predict_in_the_units_of_the_data(prices):
    ours = predict_run(prices / "run")
    assert abs(ours.outputs["price"].mean() - 300_000) < 10_000
    assert abs(ours.outputs["pressure"].mean() - 101_325) < 5
    theirs = predict_file(prices / "m.onnx", str(prices / "t.csv"))
    for name, values in ours.outputs.items():
        np.testing.assert_allclose(theirs.outputs[name], values, rtol=1e-6)


def test_what_lies_far_from_zero_is_given_as_float64(prices):
    predictor = Predictor(prices / "m.onnx")
    assert {name: port.dtype for name, port in predictor.outputs.items()} == {"price": "float32", "pressure": "float64"}
    assert len(np.unique(predictor.predict({"x": np.random.default_rng(0).normal(size=(50, 2))})["pressure"])) > 45


def test_metrics_and_errors_are_those_of_the_predictions_and_losses_are_as_trained(prices):
    found = evaluate(Run.open(prices / "run"))
    off = predict_run(prices / "run").outputs["price"].ravel() - table(prices)["price"]
    assert found["price_mean_absolute_error"] == pytest.approx(np.abs(off).mean(), rel=1e-4)
    assert found["outputs"]["price"]["mean_absolute_error"] == pytest.approx(np.abs(off).mean(), rel=1e-4)
    share = np.abs(off / table(prices)["price"]).mean() * 100
    assert found["price_mean_absolute_percentage_error"] == pytest.approx(share, rel=1e-4)
    off = predict_run(prices / "run").outputs["pressure"].ravel() - table(prices)["pressure"]
    assert found["pressure_root_mean_squared_error"] == pytest.approx(np.sqrt((off**2).mean()), rel=1e-4)
    assert found["transformed_targets"] == ["price", "pressure"]
    assert found["price_loss"] < 10
    text = evaluation_text(found)
    assert "(of transformed targets, as in training)" in text
    assert "metrics and errors are in the units of the data" in text


def test_the_log_of_the_training_has_metrics_in_the_units_of_the_data(prices):
    last = Run.open(prices / "run").metrics()[-1]
    assert last["val_price_mean_absolute_error"] > 100


def test_the_report_and_the_command_have_the_same_units(prices):
    result = CliRunner().invoke(main, ["predict", str(prices / "run"), "--format", "json", "--limit", "1"])
    assert json.loads(result.stdout)["price"][0] == pytest.approx(predict_run(prices / "run").outputs["price"][0, 0])
    assert CliRunner().invoke(main, ["report", str(prices / "run"), "-o", str(prices / "r.html")]).exit_code == 0
    assert "in the units of the data" in (prices / "r.html").read_text("utf-8")


def test_export_does_not_depend_on_the_training_data_if_there_are_others(prices, tmp_path):
    (prices / "a.csv").rename(tmp_path / "a.csv")
    try:
        assert export_run(prices / "run", tmp_path / "m.onnx").agrees
    finally:
        (tmp_path / "a.csv").rename(prices / "a.csv")


@pytest.mark.parametrize("content", [None, "not,a\ntable", "b,price,pressure\n1,2,3\n"])
def test_export_does_not_depend_on_the_test_data(prices, tmp_path, content):
    before = (prices / "t.csv").read_text()
    try:
        (prices / "t.csv").unlink()
        if content is not None:
            (prices / "t.csv").write_text(content)
        assert export_run(prices / "run", tmp_path / "m.onnx").agrees
        with pytest.raises((NnspecError, SpecError)):
            evaluate(Run.open(prices / "run"))
        assert evaluate(Run.open(prices / "run"), part="validation")["rows"] == 16
    finally:
        (prices / "t.csv").write_text(before)


def test_each_series_comes_back_to_units_of_its_own(shops, monkeypatch):
    monkeypatch.chdir(shops)
    ours = predict_run("run", READER).outputs["y"]
    theirs = predict_file("m.onnx", READER).outputs["y"]
    np.testing.assert_allclose(theirs, ours, rtol=1e-5)
    assert np.abs(ours[:21]).max() < 10
    assert np.abs(ours[21:] - 500).max() < 100
    found = evaluate(Run.open("run"), part="validation")
    mean = found["outputs"]["y"]["mean_absolute_error"]
    assert found["y_mean_absolute_error"] == pytest.approx(mean, rel=1e-4)
    assert mean > 5


def test_rows_of_no_known_series_are_refused(shops, monkeypatch):
    monkeypatch.chdir(shops)
    with pytest.raises(SpecError, match=r"series of the rows are unknown"):
        predict_file("m.onnx", READER.replace("by: shop, ", ""))
    (shops / "z.csv").write_text((shops / "s.csv").read_text().replace("A,", "Z,"))
    with pytest.raises(SpecError, match=r"row 0 belongs to the series `Z`, which was not in the training data"):
        predict_file("m.onnx", READER.replace("s.csv", "z.csv"))
    assert json.loads(Predictor("m.onnx").metadata[UNITS])["y"]["labels"] == [["A"], ["B"]]


def test_an_autoencoder_reconstructs_in_the_units_of_its_input(tmp_path):
    rows = np.random.default_rng(0).normal(500, 20, (40, 3))
    np.savetxt(tmp_path / "a.csv", rows, delimiter=",", header="a,b,c", comments="")
    (tmp_path / "net.nnspec.yaml").write_text(
        "nnspec: 1\nname: net\ninputs: {x: [3]}\nlayers:\n  - Dense: {units: 2}\n  - Dense: {units: 3}\n    name: back\n"
        "data: {train: {csv: a.csv}, inputs: {x: {columns: [a, b, c], transform: [standardize]}}}\n"
        "train: {objective: autoencoder, epochs: 1, loss: MeanSquaredError}\n"
    )
    train(load(tmp_path / "net.nnspec.yaml"), out=tmp_path / "run", progress=Quiet())
    export_run(tmp_path / "run", tmp_path / "m.onnx")
    for found in (predict_run(tmp_path / "run"), predict_file(tmp_path / "m.onnx", str(tmp_path / "a.csv"))):
        assert abs(found.outputs["back"].mean() - 500) < 20
