"""Decoders with the loop inside and their texts, as files, with weights drawn at random."""

from __future__ import annotations

import numpy as np

import nnspec
from nnspec.exporting.decoder_models import decoder_models
from nnspec.spec import load

_TEXT = ["<PAD>", "<SOS>", "<EOS>", "<UNK>", "a", "b"]
_TRANSLATOR = """nnspec: 1
name: translate
networks:
  encoder:
    inputs: {source: {shape: [S], dtype: int32}}
    layers:
      - Embedding: {input_dim: 6, output_dim: 8}
        name: states
    outputs: [states]
  decoder:
    inputs: {tokens: {shape: [T], dtype: int32}, memory: [S, 8]}
    layers:
      - Embedding: {input_dim: 6, output_dim: 8}
        from: tokens
      - MultiHeadAttention: {num_heads: 2, key_dim: 4}
        from: {query: embedding, value: memory}
      - Dense: {units: 6}
        name: logits
    outputs: [logits]
inputs: {source: {shape: [S], dtype: int32}, target: {shape: [T], dtype: int32}}
layers:
  - encoder:
    from: source
  - decoder:
    from: {tokens: target, memory: encoder.states}
outputs: {logits: decoder.logits}
generate:
  encode: encoder
  decode: decoder
  token: {input: tokens, logits: logits}
  memory: {memory: states}
  start: 1
  end: 2
  max_length: 7
"""
_LANGUAGE_MODEL = """nnspec: 1
name: letters
inputs: {words: {shape: [T], dtype: int32}}
layers:
  - Embedding: {input_dim: 6, output_dim: 8}
  - MultiHeadAttention: {num_heads: 2, key_dim: 4, use_causal_mask: true}
  - Dense: {units: 6}
    name: next
generate: {token: {input: words, logits: next}, cache: true, start: 1, end: 2, max_length: 6}
"""


def _column(column):
    step = {"transform": "tokenize", "arguments": {"by": "word"}, "learned": {"vocabulary": _TEXT}}
    return {"columns": [column], "stacked": False, "transforms": [step]}


def decoder_files(folder):
    """The file of each, by name."""
    found = {}
    recipes = {
        "translator": {"source": _column("german"), "target": _column("english")},
        "language_model": {"words": _column("word")},
    }
    for (name, inputs), text in zip(recipes.items(), (_TRANSLATOR, _LANGUAGE_MODEL), strict=True):
        file = folder / f"{name}.nnspec.yaml"
        file.write_text(text)
        spec = load(file)
        model = nnspec.compile(spec)
        rng = np.random.default_rng(5)
        weights = {
            path: rng.normal(0, 0.9, values.shape).astype("float32")
            for graph in model.networks.values()
            for path, values, _ in graph.weights()
        }
        found[name] = folder / f"{name}.onnx"
        found[name].write_bytes(decoder_models(spec, model, weights, {"inputs": inputs}).loop().SerializeToString())
    return found
