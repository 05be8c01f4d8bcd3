"""What attention looked at, in the report."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from nnspec.reports import to_page
from nnspec.reports.attention_maps import attention_nodes
from nnspec.reports.tensors import tensors_of
from nnspec.spec import load
from nnspec.training import Run, train
from nnspec.training.loop.progress import Quiet

pytest.importorskip("keras")

TRANSLATOR = """nnspec: 1
name: translator
inputs: {source: {shape: [S], dtype: int32}, target: {shape: [T], dtype: int32}}
layers:
  - Embedding: {input_dim: 12, output_dim: 8, mask_zero: true}
    name: read
    from: source
  - Embedding: {input_dim: 12, output_dim: 8, mask_zero: true}
    name: heard
    from: target
  - MultiHeadAttention: {num_heads: 2, key_dim: 4, use_causal_mask: true}
    name: own
    from: {query: heard, value: heard}
  - AdditiveAttention:
    name: additive
    from: {query: own, value: read}
  - MultiHeadAttention: {num_heads: 2, key_dim: 4}
    name: heads
    from: {query: additive, value: read}
  - Dense: {units: 12}
    name: said
data:
  train: {jsonl: words.jsonl}
  inputs:
    source: {column: word, transform: [{tokenize: {by: character, end: true}}, {pad: 8}]}
    target: {column: drow, transform: [{tokenize: {by: character, start: true, end: true}}, {pad: 8}]}
train: {objective: sequence_to_sequence, epochs: 1, seed: 5, loss: {SparseCategoricalCrossentropy: {from_logits: true}}}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    folder = tmp_path_factory.mktemp("translator")
    words = ["<b>", "abc", "bc", "c>"]
    (folder / "words.jsonl").write_text("".join(json.dumps({"word": w, "drow": w[::-1]}) + "\n" for w in words))
    (folder / "net.nnspec.yaml").write_text(TRANSLATOR)
    return train(load(folder / "net.nnspec.yaml"), out=folder / "run", progress=Quiet())


def test_the_page_names_the_tokens_that_look_and_are_looked_at(run):
    found = re.search(r'<section id="attention-maps">(.*?)</section>', to_page(run), re.DOTALL)
    assert found
    assert re.findall("<h3>(.*?)</h3>", found[1]) == ["additive", "heads"]
    drawings = re.findall(r"<svg.*?</svg>", found[1], re.DOTALL)
    assert len(drawings) == 2 * 4
    texts = [text.strip() for text in re.findall(r"<text[^>]*>(.*?)</text>", drawings[1], re.DOTALL)]
    assert texts == ["a", "b", "c", "&lt;EOS&gt;", "c", "b", "a", "&lt;EOS&gt;"]
    assert "<b>" not in found[1]


def test_the_shares_of_a_query_come_to_one_and_none_is_of_filling(run):
    graph = run.model.main
    inputs = {"source": np.array([[4, 5, 3, 0, 0]], np.int32), "target": np.array([[2, 5, 4, 3]], np.int32)}
    for attention in attention_nodes(graph):
        shares = tensors_of(attention.graph, run.weights(), {"weights": attention.weights}, inputs)["weights"]
        assert shares.shape[-2:] == (4, 5)
        np.testing.assert_allclose(shares.sum(-1), 1, rtol=1e-5)
        assert not shares[..., 3:].any()


def test_a_network_of_one_sequence_shows_how_it_looks_at_itself(run):
    graph = run.model.main
    nodes = {name: node for name, node in graph.nodes.items() if name not in ("additive", "heads", "said")}
    [attention] = attention_nodes(replace(graph, nodes=nodes))
    assert attention.node == "own"
    assert str(attention.queries) == str(attention.keys) == "T"
