"""Encoders and decoders whose inputs go through one network: each is fed its own."""

from __future__ import annotations

from pathlib import Path

import pytest

import nnspec
from nnspec.exporting.decoder_proof import prove_decoder
from nnspec.graph import compile
from tests.generation.documents import models_of, reference_of

CASE = (Path(__file__).parents[1] / "cases" / "text" / "encoder_shares_a_network.nnspec.yaml").read_text("utf-8")

ENCODER = CASE[CASE.index("  encoder:\n") : CASE.index("  decoder:\n")]
MAIN = CASE[CASE.index("inputs:\n  turn_1") : CASE.index("generate:")]

THREE = (
    CASE.replace("two: {shape: [$words], dtype: int32}", "two: {shape: [$words], dtype: int32}\n      three: {shape: [$words], dtype: int32}")
    .replace("from: two\n", "from: two\n      - utterance:\n        name: third\n        from: three\n")
    .replace("from: [first, second]", "from: [first, second, third]")
    .replace("turn_2: {shape: [$words], dtype: int32}", "turn_2: {shape: [$words], dtype: int32}\n  turn_3: {shape: [$words], dtype: int32}")
    .replace("{one: turn_1, two: turn_2}", "{one: turn_3, two: turn_1, three: turn_2}")
)  # fmt: skip

NESTED = CASE.replace(
    ENCODER,
    """  pair:
    inputs:
      left: {shape: [$words], dtype: int32}
      right: {shape: [$words], dtype: int32}
    layers:
      - utterance:
        name: first
        from: right
      - utterance:
        name: second
        from: left
      - Concatenate:
        from: [first, second]
  encoder:
    inputs:
      one: {shape: [$words], dtype: int32}
      two: {shape: [$words], dtype: int32}
    layers:
      - pair:
        from: {left: two, right: one}
      - Dense: {units: $width, activation: tanh}
        name: context
    outputs: {final: context}
""",
)

# The decoder reads its tokens, and its input, through the encoder's own table.
DECODER_TOO = CASE.replace(
    "  decoder:\n    inputs:\n      tokens: {shape: [T], dtype: int32}\n      state: [$width]\n    layers:\n"
    "      - Embedding: {input_dim: $vocabulary, output_dim: 8, mask_zero: true}\n        from: tokens\n",
    "  table:\n    inputs: {words: {shape: [L], dtype: int32}}\n    layers:\n"
    "      - Embedding: {input_dim: $vocabulary, output_dim: 8, mask_zero: true}\n"
    "  decoder:\n    inputs:\n      tokens: {shape: [T], dtype: int32}\n      state: [$width]\n    layers:\n"
    "      - table:\n        name: embedding\n        from: tokens\n",
).replace(
    "      - Embedding: {input_dim: $vocabulary, output_dim: 8, mask_zero: true}\n      - GRU", "      - table:\n      - GRU"
)

WITHOUT_WEIGHTS = CASE.replace(
    ENCODER,
    """  encoder:
    inputs:
      one: {shape: [$words], dtype: int32}
      two: {shape: [$words], dtype: int32}
    layers:
      - Concatenate: {axis: 1}
        from: [one, two]
      - utterance_of_all:
      - Dense: {units: $width, activation: tanh}
        name: context
    outputs: {final: context}
  utterance_of_all:
    inputs: {words: {shape: [L], dtype: int32}}
    layers:
      - Embedding: {input_dim: $vocabulary, output_dim: 8, mask_zero: true}
      - GRU: {units: $width}
""",
)

TWO = {"one": "turn_1", "two": "turn_2"}
DOCUMENTS = {
    "the encoder's inputs": (CASE, TWO),
    "in the other order": (CASE.replace("{one: turn_1, two: turn_2}", "{one: turn_2, two: turn_1}"), {"one": "turn_2", "two": "turn_1"}),
    "three of them": (THREE, {"one": "turn_3", "two": "turn_1", "three": "turn_2"}),
    "a network in a network": (NESTED, TWO),
    "the decoder's too": (DECODER_TOO, TWO),
    "inputs that no weights read": (WITHOUT_WEIGHTS, TWO),
}  # fmt: skip


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_input_is_fed_its_own_and_every_way_of_decoding_gives_the_same_tokens(name: str) -> None:
    text, sources = DOCUMENTS[name]
    models = models_of(text)
    assert models.decoding.sources == sources
    parity = prove_decoder(models, reference_of(models))
    assert parity.agrees
    assert parity.tokens > 50


def test_a_use_knows_what_feeds_it(tmp_path: Path) -> None:
    (tmp_path / "net.nnspec.yaml").write_text(NESTED)
    uses = compile(nnspec.load(tmp_path / "net.nnspec.yaml")).main.uses
    found = {use.name: {port: str(ref) for port, ref in use.inputs.items()} for use in uses}
    assert found["encoder/pair/first"] == {"words": "turn_1"}
    assert found["encoder/pair/second"] == {"words": "turn_2"}
    assert found["encoder"] == {"one": "turn_1", "two": "turn_2"}
