"""Decoding in the graph, step by step on ONNX Runtime, and through Keras: the same tokens."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from nnspec.exporting.decoder_proof import prove_decoder
from nnspec.onnx_backend.proto import serialized
from nnspec.runtime.model_file import ModelFile
from tests.generation.documents import RECURRENT, TRANSFORMER, language_model, models_of, reference_of, sources, tokens_by

_ATTENTION = "  - MultiHeadAttention: {num_heads: 2, key_dim: 4, use_causal_mask: true}\n"
_PLACED = "  - PositionEmbedding: {max_length: 12}\n"

DOCUMENTS = {
    "recurrent": RECURRENT,
    "transformer": TRANSFORMER.replace("MASKED", "false"),
    "transformer, cached": TRANSFORMER.replace("MASKED", "false") + "  cache: true\n",
    "transformer with a mask, cached": TRANSFORMER.replace("MASKED", "true") + "  cache: true\n",
    "language model": language_model(_PLACED + _ATTENTION),
    "language model, cached": language_model(_PLACED + _ATTENTION, "start: 1, end: 2, cache: true"),
    "language model that begins with its prompt": language_model(_PLACED + _ATTENTION, "end: 2, cache: true"),
    "language model without an end": language_model("  - SinusoidalPositionEncoding\n" + _ATTENTION, "start: 1, cache: true"),
    "groups and a gate": language_model(
        "  - GroupQueryAttention: {num_query_heads: 4, num_key_value_heads: 2, head_dim: 4, use_gate: true, "
        "use_causal_mask: true}\n",
        "start: 1, cache: true",
    ),
    "a window": language_model(
        "  - MultiHeadAttention: {num_heads: 2, key_dim: 4, sliding_window: 3, use_causal_mask: true}\n",
        "start: 1, cache: true",
    ),
    "attention of one head": language_model(
        "  - Attention: {use_scale: true, use_causal_mask: true}\n  - AdditiveAttention: {use_causal_mask: true}\n",
        "start: 1, end: 2, cache: true",
    ),
    "the last logits alone": language_model("  - SimpleRNN: {units: 5}\n"),
    "a causal convolution": language_model("  - Conv1D: {filters: 8, kernel_size: 3, padding: causal}\n"),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_in_graph_step_by_step_and_in_keras_the_tokens_are_the_same(name):
    found = tokens_by(models_of(DOCUMENTS[name]), 6)
    assert found["in graph"] == found["in Keras"]
    assert found["stepped"] == found["in Keras"]
    assert len({tuple(row) for row in found["in Keras"]}) > 1


def test_a_cache_changes_no_token():
    plain, cached = (tokens_by(models_of(DOCUMENTS[f"transformer{how}"]), 6) for how in ("", ", cached"))
    assert plain["in graph"] == cached["in graph"]


def test_a_row_has_the_same_tokens_whatever_stands_beside_it_and_however_it_is_padded():
    loop = ModelFile(serialized(models_of(DOCUMENTS["transformer, cached"]).loop()), "loop")
    source = np.array([[5, 3, 8]], np.int32)
    beside = np.array([[5, 3, 8, 0, 0], [4, 4, 1, 2, 9]], np.int32)
    alone, both = loop({"source": source}), loop({"source": beside})
    length = int(alone["lengths"][0])
    assert both["lengths"][0] == length
    assert both["generated"][0, :length].tolist() == alone["generated"][0, :length].tolist()


def test_the_loop_ends_when_every_row_has_ended():
    models = models_of(RECURRENT)
    loop = ModelFile(serialized(models.loop()), "loop")
    inputs, _ = sources(models, 6)
    answer = loop({"source": inputs["tokens"], "max_length": np.array(500)})
    if (answer["lengths"] < 500).all():
        assert answer["generated"].shape[1] == answer["lengths"].max() + 1
    rows = [row[:length] for row, length in zip(answer["generated"], answer["lengths"], strict=True)]
    ends = [row[length] for row, length in zip(answer["generated"], answer["lengths"], strict=True) if length < len(row)]
    assert all(2 not in row for row in rows)
    assert set(ends) <= {2}


def test_a_token_that_ends_at_once_ends_the_loop_after_one_step():
    models = models_of(RECURRENT)
    loop = ModelFile(serialized(models.loop()), "loop")
    inputs, _ = sources(models, 1)
    first = loop({"source": inputs["tokens"], "end": np.array(-5), "max_length": np.array(1)})["generated"][0, 0]
    answer = loop({"source": inputs["tokens"], "end": np.array(first)})
    assert answer["generated"].tolist() == [[first]]
    assert answer["lengths"].tolist() == [0]


def test_start_end_and_max_length_may_be_given_to_the_file():
    loop = ModelFile(serialized(models_of(RECURRENT).loop()), "loop")
    assert {name: port.shape for name, port in loop.optional.items()} == {"start": (), "end": (), "max_length": ()}
    source = np.array([[5, 3, 8]], np.int32)
    assert loop({"source": source, "max_length": np.array(3), "end": np.array(-1)})["generated"].shape == (1, 3)


def test_what_is_the_same_at_every_step_is_computed_before_the_loop():
    graph = models_of(DOCUMENTS["transformer, cached"]).loop().graph
    [loop] = [node for node in graph.node if node.op_type == "Loop"]
    body = loop.attribute[0].g
    inside = {name for node in body.node for name in node.input}
    outside = {name for node in graph.node for name in node.input}
    assert any("across/key_value/kernel" in name for name in outside)
    assert not any("across/key_value/kernel" in name for name in inside)
    assert any("own/query_key_value/kernel" in name or "own/query" in name for name in inside)


@pytest.mark.parametrize("name", ["recurrent", "transformer with a mask, cached", "language model, cached"])
def test_a_decoder_is_proven_before_it_is_written(name):
    models = models_of(DOCUMENTS[name])
    parity = prove_decoder(models, reference_of(models))
    assert parity.agrees
    assert parity.tokens > parity.sequences > 0
    onnx.checker.check_model(models.loop(), full_check=True)


def test_a_decoder_that_differs_is_refused():
    models = models_of(RECURRENT)
    keras_of = reference_of(models)

    def other(graph):
        run = keras_of(graph)
        return lambda inputs: {name: np.roll(x, 1, -1) if name == "logits" else x for name, x in run(inputs).items()}

    with pytest.raises(Exception, match="tokens differ"):
        prove_decoder(models, other)


@pytest.mark.parametrize("opset", [17, 18, 21, 26])
def test_every_version_of_the_operators_decodes_alike(opset):
    from dataclasses import replace

    models = models_of(DOCUMENTS["transformer with a mask, cached"])
    inputs, _ = sources(models, 4)
    usual, other = (
        ModelFile(serialized(replace(models, opset=version).loop()), "loop")({"source": inputs["tokens"]})
        for version in (23, opset)
    )
    assert usual["generated"].tolist() == other["generated"].tolist()
