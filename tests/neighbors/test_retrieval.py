"""Neighbors of a run, of its exported file and of the server: texts among texts, images among images."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from nnspec.cli import main
from nnspec.diagnostics import NnspecError
from nnspec.exporting.run_predictions import predict_run
from nnspec.exporting.runs import export_run
from nnspec.runtime.predicting import predict_file
from nnspec.runtime.predictor import Predictor
from nnspec.runtime.seal import require_proven
from nnspec.spec import load
from nnspec.training import train
from nnspec.training.loop.progress import Quiet
from tests.serving.conftest import running

pytest.importorskip("keras")

WORDS = ["red", "blue", "green", "black", "white", "gray"]
SPEC = """nnspec: 1
name: net
networks:
  encoder:
    inputs: {text: {shape: [T], dtype: int32}}
    layers:
      - Embedding: {input_dim: 10, output_dim: 16, mask_zero: true}
      - GlobalAveragePooling1D
      - UnitNormalization:
        name: vector
inputs: {question: {shape: [3], dtype: int32}, answer: {shape: [4], dtype: int32}}
data:
  train: {csv: a.csv}
  inputs:
    question: {transform: [{tokenize: {vocabulary: {of: [question, answer]}}}, {pad: 3}]}
    answer: {transform: [{tokenize: {vocabulary: {of: question}}}, {pad: 4}]}
train:
  objective:
    program:
      layers:
        - encoder:
          from: question
          name: asking
        - encoder:
          from: answer
          name: answering
        - Compute:
            scores: 10 * asking @ transpose(answering)
            loss: -sum(one_hot(arange(B), B) * log_softmax(scores, axis=1), axis=1)
          name: compared
      minimize: [{loss: compared.loss, of: encoder}]
  epochs: 2
  batch_size: 6
neighbors: {inputs: {text: answer}, show: [answer, number], count: 4}
export: {network: encoder, inputs: {text: question}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("retrieval")
    lines = ["question,answer,number", *(f"{word},{word} {word},{number}" for number, word in enumerate(WORDS))]
    (folder / "a.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "net.nnspec.yaml").write_text(SPEC, encoding="utf-8")
    run = train(load(folder / "net.nnspec.yaml"), out=folder / "run", progress=Quiet())
    export_run(run.path, folder / "net.onnx")
    return folder


def test_the_row_with_the_same_words_is_the_nearest(folder):
    questions = ["green", "blue"]
    of_run = predict_run(folder / "run", questions, neighbors=2)
    of_file = predict_file(folder / "net.onnx", questions, neighbors=2)
    for predictions in (of_run, of_file):
        rows = list(predictions.rows())
        assert [row["neighbors"][0]["answer"] for row in rows] == ["green green", "blue blue"]
        assert [row["neighbors"][0]["row"] for row in rows] == [2, 1]
        assert [row["neighbors"][0]["number"] for row in rows] == [2, 1]
        assert all(len(row["neighbors"]) == 2 for row in rows)
        assert [row["neighbors"][0]["similarity"] for row in rows] == pytest.approx([1.0, 1.0], abs=1e-5)
    np.testing.assert_array_equal(of_run.neighbors.rows, of_file.neighbors.rows)


def test_a_file_returns_as_many_neighbors_as_the_spec_states(folder):
    [row] = predict_file(folder / "net.onnx", ["red"]).rows()
    assert len(row["neighbors"]) == 4
    assert list(row) == ["row", "neighbors", "vector"]


def test_the_record_of_a_file_states_the_error_of_its_neighbors(folder):
    predictor = Predictor(folder / "net.onnx")
    assert predictor.parity["neighbors"]["error"] < 1e-5
    require_proven((folder / "net.onnx").read_bytes(), predictor.metadata, "net.onnx")


def test_other_data_may_be_the_knowledge_base(folder, tmp_path):
    (tmp_path / "b.csv").write_text("answer,number\ngray white black,7\ngreen blue red,8\n", encoding="utf-8")
    [row] = predict_run(folder / "run", ["white"], neighbors=5, among=str(tmp_path / "b.csv")).rows()
    assert [found["number"] for found in row["neighbors"]] == [7, 8]
    export_run(folder / "run", tmp_path / "b.onnx", among=str(tmp_path / "b.csv"))
    [row] = predict_file(tmp_path / "b.onnx", ["white"], neighbors=1).rows()
    assert row["neighbors"][0]["answer"] == "gray white black"


def test_a_column_that_is_not_there_is_reported(folder, tmp_path):
    (tmp_path / "b.csv").write_text("answer\nred\nblue\n", encoding="utf-8")
    with pytest.raises(NnspecError, match="has no column `number`, which `show` lists"):
        export_run(folder / "run", tmp_path / "b.onnx", among=str(tmp_path / "b.csv"))
    assert not (tmp_path / "b.onnx").exists()


def test_the_server_answers_texts_with_their_similarities(folder):
    with running([folder / "net.onnx"]) as server:
        status, found = server.json("POST", "/predict", b"black", {"Content-Type": "text/plain"})
        assert status == 200, found
        [row] = found["predictions"]
        assert row["neighbors"][0] == {"row": 3, "similarity": pytest.approx(1, abs=1e-5), "answer": "black black", "number": 3}
        _, described = server.json("GET", "/predict/net")
        assert described["neighbors"] == {"rows": 6, "columns": ["answer", "number"]}
        tensor = {"name": "text", "shape": [1, 1], "datatype": "INT32", "data": [4]}
        _, inferred = server.json("POST", "/v2/models/net/infer", {"inputs": [tensor]})
        assert {output["name"]: output["shape"] for output in inferred["outputs"]}["neighbors"] == [1, 4]


def invoked(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_the_command_prints_a_line_for_each_neighbor(folder):
    result = invoked("predict", folder / "net.onnx", "red", "--neighbors", 2)
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[0].split() == ["row", "place", "similarity", "neighbor", "answer", "number"]
    assert lines[2].split()[:2] == ["0", "1"]
    assert lines[2].split()[-3:] == ["red", "red", "0"]
    assert len(lines) == 4
    row = json.loads(invoked("predict", folder / "run", "red", "--neighbors", 1, "--format", "json").output)
    assert row["neighbors"][0]["answer"] == "red red"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("net.onnx", "red", "--neighbors", 9), "9 neighbors are requested, and the model returns 4 of 6 rows"),
        (("net.onnx", "red", "--among", "a.csv"), "`nnspec export --among` writes the knowledge base into a file"),
        (("run", "red", "--among", "a.csv"), "--among requires --neighbors"),
        (("run", "red", "--data", "a.csv"), "give either TEXT or --data"),
        (("net.onnx",), "an ONNX model requires --data or TEXT"),
    ],
)
def test_wrong_options_are_refused(folder, monkeypatch, arguments, message):
    monkeypatch.chdir(folder)
    result = invoked("predict", *arguments)
    assert result.exit_code != 0
    assert message in result.output


IMAGES = """nnspec: 1
name: net
inputs: {image: [8, 8, 1]}
layers:
  - Flatten
  - Dense: {units: 6}
    name: features
  - Dense: {units: 10, activation: softmax}
    name: digit
outputs: {digit: digit, features: features}
data:
  train: {builtin: digits}
  validation: 0.2
  inputs: {image: {transform: [{rescale: 0.0625}]}}
  targets: {digit: target}
train: {epochs: 1, loss: {digit: SparseCategoricalCrossentropy}}
neighbors: {output: features}
"""


def test_images_are_found_among_the_training_images_by_features(tmp_path):
    (tmp_path / "net.nnspec.yaml").write_text(IMAGES, encoding="utf-8")
    run = train(load(tmp_path / "net.nnspec.yaml"), out=tmp_path / "run", progress=Quiet())
    export_run(run.path, tmp_path / "net.onnx")
    of_file = predict_file(tmp_path / "net.onnx", "builtin: digits", limit=5)
    of_run = predict_run(run.path, "builtin: digits", limit=5, neighbors=10)
    for predictions in (of_file, of_run):
        assert predictions.neighbors.rows[:, 0].tolist() == [0, 1, 2, 3, 4]
        first = next(predictions.rows())
        assert first["neighbors"][0]["target"] == 0
        assert "digit_class" in first
    with pytest.raises(NnspecError, match="texts are given, and the model takes `image`"):
        predict_file(tmp_path / "net.onnx", ["three"])
