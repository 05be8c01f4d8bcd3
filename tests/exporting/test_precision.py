"""Runs exported with smaller numbers, and the record of what they lose."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from nnspec.cli import main
from nnspec.diagnostics import NnspecError, SpecError
from nnspec.exporting.runs import export_run
from nnspec.packaging.writing import write_package
from nnspec.runtime.predictor import Predictor
from nnspec.spec import load
from nnspec.training import Run, train
from nnspec.training.evaluation.evaluate import AnswerMetrics, evaluate, examples_of
from nnspec.training.loop.progress import Quiet

pytest.importorskip("keras")

DIGITS = """nnspec: 1
name: digits
inputs: {image: [8, 8, 1]}
layers:
  - Conv2D: {filters: 8, kernel_size: 3}
  - BatchNormalization
  - ReLU
  - Flatten
  - Dense: {units: 10, activation: softmax}
    name: digit
data:
  train: {builtin: digits}
  validation: 0.2
  inputs: {image: {column: image, transform: [standardize]}}
  targets: {digit: {column: target}}
train: {epochs: 3, seed: 3, loss: {digit: SparseCategoricalCrossentropy}, metrics: {digit: [SparseCategoricalAccuracy]}}
"""


def trained(folder, text: str = DIGITS) -> Run:
    (folder / "net.nnspec.yaml").write_text(text, encoding="utf-8")
    return train(load(folder / "net.nnspec.yaml"), out=folder / "run", progress=Quiet())


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    return trained(tmp_path_factory.mktemp("digits"))


ACCURACY = "digit_sparse_categorical_accuracy"


@pytest.mark.parametrize(("precision", "smaller"), [("float16", 1.4), ("int8", 1.8)])
def test_a_file_with_smaller_numbers_predicts_from_raw_rows_and_records_what_it_loses(run, tmp_path, precision, smaller):
    file = tmp_path / "small.onnx"
    assert export_run(run, file, precision=precision).agrees
    record = Predictor(file).precision
    assert record is not None
    assert record.precision == precision
    assert (record.data, record.rows) == ("validation", 360)
    assert record.bytes[0] > smaller * record.bytes[1]
    assert abs(np.subtract(*record.metrics[ACCURACY])) <= 0.005
    assert record.metrics[ACCURACY][0] == pytest.approx(evaluate(run)[ACCURACY], abs=1e-6)
    assert set(record.milliseconds) == {"1", "32"}
    raw = np.random.default_rng(0).integers(0, 17, (5, 8, 8, 1)).astype(np.float32)
    assert np.isfinite(Predictor(file).predict({"image": raw})["digit"]).all()


def test_the_metrics_of_a_file_are_those_of_its_answers(run):
    metrics = AnswerMetrics(run, ["digit"])
    always_zero = np.eye(10, dtype=np.float32)[:1]
    found = metrics.of(lambda inputs: {"digit": np.repeat(always_zero, len(inputs["image"]), 0)})
    part, examples = examples_of(run, metrics.part)
    zeros = examples.targets["digit"][examples.rows].ravel() == 0
    assert part == "validation"
    assert found[ACCURACY] == pytest.approx(zeros.mean(), abs=1e-6)


def test_a_bound_that_no_layer_can_keep_is_an_error_and_writes_nothing(tmp_path):
    text = DIGITS + "export: {int8: {calibrate: 1, lose_at_most: {loss: 0}}}\n"
    run = trained(tmp_path, text)
    with pytest.raises(NnspecError, match="loses more than allowed, so no file is written") as error:
        export_run(run, tmp_path / "small.onnx")
    assert "at most 0 may be lost" in str(error.value)
    assert not (tmp_path / "small.onnx").exists()


def test_a_misspelt_metric_is_an_error_before_the_training(tmp_path):
    text = DIGITS + f"export: {{int8: {{lose_at_most: {{{ACCURACY}_: 0.1, loss: 1}}}}}}\n"
    with pytest.raises(SpecError) as error:
        trained(tmp_path, text)
    (problem,) = error.value.diagnostics
    assert problem.code == "NN508"
    assert problem.span.line == text.count("\n")
    assert f"did you mean `{ACCURACY}`" in str(problem.help)


def test_the_command_shows_what_a_file_loses_and_gains(run, tmp_path):
    arguments = ["export", str(run.path), "-o", str(tmp_path / "small.onnx"), "--precision", "int8"]
    shown = CliRunner().invoke(main, arguments)
    assert shown.exit_code == 0, shown.output
    assert "times smaller than float32" in shown.output
    assert "batch of 32" in shown.output
    found = json.loads(CliRunner().invoke(main, [*arguments, "--format", "json"]).stdout)
    assert found["precision"]["precision"] == "int8"
    assert set(found["precision"]["errors"]) == {"conv2d", "digit"}


def test_the_model_card_states_the_precision_and_what_was_compared(run, tmp_path):
    file = tmp_path / "small.onnx"
    export_run(run, file, precision="int8")
    write_package(file, "docker", tmp_path / "package")
    text = (tmp_path / "package/README.md").read_text()
    assert "The file in float32, from which this one is made, agrees with its Keras model" in text
    assert "## Precision" in text
    assert ACCURACY in text.replace("\\", "")
