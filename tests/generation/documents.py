"""Documents that decode, their models with random weights, and the tokens that Keras gives."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import nnspec
from nnspec.exporting.decoder_models import DecoderModels, decoder_models
from nnspec.exporting.decoder_proof import TokenComparison
from nnspec.exporting.keras_reference import keras_reference
from nnspec.onnx_backend.proto import serialized
from nnspec.runtime.decoding.one_by_one import greedy
from nnspec.runtime.decoding.stepper import Stepper
from nnspec.runtime.model_file import ModelFile

__all__ = ["RECURRENT", "TRANSFORMER", "language_model", "models_of", "sources", "stepper_of", "tokens_by"]

_MAIN = """inputs: {source: {shape: [S], dtype: int32}, target: {shape: [T], dtype: int32}}
layers:
  - encoder:
    from: source
  - decoder:
    from: {tokens: target, memory: encoder.states%s}
outputs: {logits: decoder.logits}
generate:
  encode: encoder
  decode: decoder
  token: {input: tokens, logits: logits}
  memory: {memory: states}
  start: 1
  end: 2
  max_length: 12
"""

RECURRENT = """nnspec: 1
name: recurrent
networks:
  encoder:
    inputs: {tokens: {shape: [S], dtype: int32}}
    layers:
      - Embedding: {input_dim: 11, output_dim: 6, mask_zero: true}
      - LSTM: {units: 6, return_sequences: true, return_state: true}
    outputs: {states: lstm.output, h: lstm.state_h, c: lstm.state_c}
  decoder:
    inputs: {tokens: {shape: [T], dtype: int32}, memory: [S, 6], h: [6], c: [6], g: [5]}
    layers:
      - Embedding: {input_dim: 9, output_dim: 6}
        from: tokens
      - LSTM: {units: 6, return_sequences: true, return_state: true}
        from: {x: embedding, state_h: h, state_c: c}
      - GRU: {units: 5, return_sequences: true, return_state: true, reset_after: false}
        from: {x: lstm.output, state: g}
      - AdditiveAttention:
        from: {query: lstm.output, value: memory}
      - Concatenate:
        from: [gru.output, additive_attention]
      - Dense: {units: 9, activation: softmax}
        name: logits
    outputs: {logits: logits, h: lstm.state_h, c: lstm.state_c, g: gru.state}
""" + (_MAIN % ", h: encoder.h, c: encoder.c, g: zeros").replace(
    "  - decoder:", "  - Dense: {units: 5, kernel_initializer: zeros}\n    from: encoder.h\n    name: zeros\n    freeze: true\n  - decoder:"
) + "  begin: {h: h, c: c}\n  carry: {h: h, c: c, g: g}\n"  # fmt: skip

TRANSFORMER = """nnspec: 1
name: transformer
params: {width: 8}
blocks:
  decoder_layer:
    inputs: [x, memory]
    layers:
      - MultiHeadAttention: {num_heads: 2, key_dim: 4, use_causal_mask: true}
        from: x
        name: own
      - Add:
        from: [own, x]
      - LayerNormalization
      - MultiHeadAttention: {num_heads: 2, key_dim: 4}
        from: {query: layer_normalization, value: memory}
        name: across
      - Add:
        from: [across, layer_normalization]
      - Dense: {units: $width, activation: relu}
networks:
  encoder:
    inputs: {tokens: {shape: [S], dtype: int32}}
    layers:
      - Embedding: {input_dim: 11, output_dim: $width, mask_zero: true}
      - SinusoidalPositionEncoding
      - Dense: {units: $width}
    outputs: {states: dense}
  decoder:
    inputs: {tokens: {shape: [T], dtype: int32}, memory: [S, $width]}
    layers:
      - Embedding: {input_dim: 9, output_dim: $width, mask_zero: MASKED}
        from: tokens
      - PositionEmbedding: {max_length: 12}
      - SinusoidalPositionEncoding
        name: start
      - decoder_layer:
        from: {x: start, memory: memory}
        name: first
      - decoder_layer:
        from: {x: first, memory: memory}
      - Dense: {units: 9}
        name: logits
    outputs: {logits: logits}
""".replace("      - SinusoidalPositionEncoding\n        name: start", "      - SinusoidalPositionEncoding:\n        name: start") + _MAIN % ""  # fmt: skip


def language_model(layers: str, generate: str = "start: 1, end: 2") -> str:
    """A document of one network that gives the next token."""
    return (
        "nnspec: 1\nname: language\ninputs: {words: {shape: [T], dtype: int32}}\nlayers:\n"
        f"  - Embedding: {{input_dim: 9, output_dim: 8}}\n{layers}  - Dense: {{units: 9}}\n    name: next\n"
        f"generate: {{token: {{input: words, logits: next}}, max_length: 12, {generate}}}\n"
    )


def models_of(text: str, seed: int = 0) -> DecoderModels:
    """The decoder of a document, with random weights that make tokens vary."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "net.nnspec.yaml"
        file.write_text(text, encoding="utf-8")
        spec = nnspec.load(file)
        model = nnspec.compile(spec)
        rng = np.random.default_rng(seed)
        weights = {
            name: rng.normal(0, 0.9, weight.shape).astype("float32")
            for graph in model.networks.values()
            for name, weight, _ in graph.weights()
        }
        models = decoder_models(spec, model, weights, {})
    assert models is not None
    return models


def sources(models: DecoderModels, rows: int, seed: int = 0) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Sources padded on the right, by the encoder's names, and prompts."""
    rng = np.random.default_rng(seed)
    if models.decoding.encoder is None:
        prompt = rng.integers(3, 9, (rows, 4))
        prompt[np.arange(4)[None, :] >= rng.integers(1, 5, (rows, 1))] = -1
        return {}, prompt
    tokens = rng.integers(1, 11, (rows, 7)).astype("int32")
    tokens[np.arange(7)[None, :] >= rng.integers(2, 8, (rows, 1))] = 0
    return {"tokens": tokens}, np.full((rows, 1), -1)


def stepper_of(models: DecoderModels) -> Stepper:
    files = {name: ModelFile(serialized(model), name) for name, model in models.parts().items()}
    return Stepper(models.procedure, files.get("encoder"), files["decoder"])


def reference_of(models: DecoderModels):
    """The networks in Keras by name, with the same weights."""

    return lambda graph: keras_reference(graph, models.weights, masks=True)


def tokens_by(models: DecoderModels, rows: int, seed: int = 0, most: int = 12) -> dict[str, list[list[int]]]:
    """The tokens of sequences, decoded in the graph, step by step, and through Keras a token at a time."""
    inputs, prompt = sources(models, rows, seed)
    shown = {models.decoding.sources[name]: array for name, array in inputs.items()}
    answer = ModelFile(serialized(models.loop()), "loop")({**shown, "prompt": prompt, "max_length": np.array(most)})
    stepper = stepper_of(models)
    stepped = greedy(stepper, stepper.begin(inputs, rows), prompt, most)
    return {
        "in graph": _rows(answer["generated"], answer["lengths"]),
        "stepped": _rows(*stepped),
        "in Keras": _rows(*_by_keras(models, inputs, prompt, most)),
    }


def _by_keras(models, inputs, prompt, most):
    """Reads all tokens anew for each token, from the first states: nothing is carried."""
    keras_of = reference_of(models)
    decoding = models.decoding
    keras = {graph.name: keras_of(graph) for graph in (decoding.encoder, decoding.decoder) if graph is not None}
    comparison = TokenComparison(replace(decoding, cache=False), keras, models.procedure.start, models.procedure.end, 0)
    fed = comparison.fed(inputs, len(prompt))

    def decode(given):
        return keras[decoding.decoder.name]({**fed, **given})

    whole = replace(models.procedure, whole=True, memory={}, unmasked={}, begin={}, zeros={}, carry={}, position=None)
    stepper = Stepper(whole, None, decode)
    return greedy(stepper, stepper.begin({}, len(prompt)), prompt, most)


def _rows(tokens, lengths):
    return [row[:length].tolist() for row, length in zip(tokens, lengths, strict=True)]
