"""Outputs that say a token at each position: text goes in, and text comes out."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

import nnspec
from nnspec.cli import main
from nnspec.diagnostics import NnspecError
from nnspec.runtime.token_output import TokenOutput, texts_of
from tests.serving.conftest import running

SPEC = """\
nnspec: 1
name: capitals
inputs: {plain: {shape: [T], dtype: int32}}
layers:
  - Embedding: {input_dim: 8, output_dim: 16, mask_zero: true}
  - Dense: {units: 12, activation: softmax}
    name: written
data:
  train: {jsonl: rows.jsonl}
  inputs: {plain: {column: plain, transform: [{tokenize: character}, {pad: 6}]}}
  targets: {written: {column: written, transform: [{tokenize: character}, {pad: 6}]}}
train: {epochs: 60, batch_size: 8, seed: 1, optimizer: {Adam: {learning_rate: 0.1}}, loss: SparseCategoricalCrossentropy}
"""
WORDS = ["ab", "ba", "abab", "a", "b", "bbaab", "c", "cab"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("capitals")
    rows = [json.dumps({"plain": word, "written": word.upper()}) for word in WORDS]
    (folder / "rows.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (folder / "new.jsonl").write_text('{"plain": "abc"}\n{"plain": "a"}\n', encoding="utf-8")
    (folder / "net.nnspec.yaml").write_text(SPEC, encoding="utf-8")
    run = nnspec.train(folder / "net.nnspec.yaml", out=folder / "run")
    nnspec.export(run.path, folder / "net.onnx")
    return folder


@pytest.mark.parametrize("model", ["run", "net.onnx"])
def test_a_tagger_answers_a_text_with_a_text_of_its_length(folder, model):
    arguments = ["predict", str(folder / model), "--data", str(folder / "new.jsonl"), "--format", "json"]
    found = CliRunner().invoke(main, arguments)
    assert [json.loads(line)["written_text"] for line in found.stdout.splitlines()] == ["ABC", "A"]


def test_a_server_answers_with_the_text(folder):
    with running([folder / "net.onnx"]) as server:
        _, answer = server.json("POST", "/predict", {"plain": "cab"}, {"Content-Type": "application/json"})
    assert answer["predictions"][0]["written_text"] == "CAB"


def test_an_output_whose_positions_are_not_the_inputs_is_refused():
    token_output = TokenOutput("word", ["<PAD>", "<SOS>", "<EOS>", "<UNK>", "a"], "x")
    with pytest.raises(NnspecError, match="positions of `x`"):
        texts_of({"y": np.zeros((1, 3, 5))}, {"x": np.ones((1, 4))}, {"y": token_output})


def test_words_are_joined_by_spaces_and_what_has_no_name_is_unknown():
    token_output = TokenOutput("word", ["<PAD>", "<SOS>", "<EOS>", "<UNK>", "DET", "NOUN"], "x")
    scores = np.eye(7)[[[4, 5, 6]]]
    assert texts_of({"y": scores}, {"x": np.array([[1, 2, 3]])}, {"y": token_output}) == {"y": ["DET NOUN <UNK>"]}
