"""A language model of subwords, from its texts to an exported file that generates and serves text."""

from __future__ import annotations

import json

import onnx
import pytest

from nnspec.diagnostics import NnspecError
from nnspec.exporting.runs import export_run
from nnspec.runtime.generator import Generator
from nnspec.spec import load
from nnspec.training import train

SPEC = """nnspec: 1
name: sayings
inputs: {tokens: {shape: [T], dtype: int32}}
layers:
  - Embedding: {input_dim: 280, output_dim: 16}
  - GRU: {units: 32, return_sequences: true}
  - Dense: {units: 280}
    name: logits
data:
  train: {text: sayings.txt}
  inputs: {tokens: {column: text, transform: [{tokenize: {by: subword, size: 280, start: true, end: true}}, {pad: 16}]}}
train:
  objective: language_model
  epochs: 40
  batch_size: 4
  optimizer: {Adam: {learning_rate: 0.03}}
  loss: {SparseCategoricalCrossentropy: {from_logits: true}}
generate: {token: {input: tokens, logits: logits}, start: <SOS>, end: <EOS>, max_length: 16}
"""


def test_a_language_model_of_subwords_continues_text_with_the_tokenizer_of_its_file(write, tmp_path):
    pytest.importorskip("tokenizers")
    (tmp_path / "sayings.txt").write_text("naïve — the end\n" * 8, encoding="utf-8")
    run = train(load(write(SPEC)), out=tmp_path / "run")
    export_run(run.path, tmp_path / "sayings.onnx")
    [found] = Generator(tmp_path / "sayings.onnx").texts(["naïve"])
    assert found.text == "naïve — the end"
    model = onnx.load(tmp_path / "sayings.onnx")
    [entry] = [own for own in model.metadata_props if own.key == "nnspec.data"]
    recipe = json.loads(entry.value)
    recipe["inputs"]["tokens"]["transforms"][0]["learned"]["tokenizer"] = '{"model": {"type": "Own", "vocab": {}}}'
    entry.value = json.dumps(recipe)
    onnx.save(model, tmp_path / "hostile.onnx")
    with pytest.raises(NnspecError, match="its model is `Own`"):
        list(Generator(tmp_path / "hostile.onnx").texts(["naïve"]))
