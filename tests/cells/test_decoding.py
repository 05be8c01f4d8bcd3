"""Decoding token by token with cells: their states are carried, as those of the built-in recurrent layers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from nnspec.api import validate
from tests.generation.documents import RECURRENT, models_of, tokens_by

BLOCK = """blocks:
  attending:
    params: {units: int}
    inputs: {x: null, h: [$units], memory: [S, $units]}
    layers:
      - Concatenate:
        from: [x, h]
      - GRUCell: {units: $units}
        from: {x: concatenate, state: h}
      - Reshape: {target_shape: [1, $units]}
        from: gru_cell.output
        name: query
      - Attention:
        from: {query: query, value: memory, key: memory}
      - Flatten:
        name: context
      - Add:
        from: [context, gru_cell.output]
        name: new
    outputs: {output: new, h: new}
"""
DECODER = (
    RECURRENT.replace("networks:\n", BLOCK + "networks:\n", 1)
    .replace(
        "      - LSTM: {units: 6, return_sequences: true, return_state: true}\n        from: {x: embedding, state_h: h, state_c: c}",
        "      - RNN: {cell: {attending: {units: 6}}, return_sequences: true, return_state: true}\n"
        "        from: {x: embedding, h: h, memory: memory}\n        name: cells",
    )
    .replace("lstm.output, value: memory", "cells.output, value: memory")
    .replace("{x: lstm.output, state: g}", "{x: cells.output, state: g}")
    .replace("h: lstm.state_h, c: lstm.state_c, g: gru.state", "h: cells.h, g: gru.state")
    .replace("memory: [S, 6], h: [6], c: [6]", "memory: [S, 6], h: [6]")
    .replace(", c: encoder.c, g: zeros", ", g: zeros")
    .replace("begin: {h: h, c: c}", "begin: {h: h}")
    .replace("carry: {h: h, c: c, g: g}", "carry: {h: h, g: g}")
)


def test_in_graph_step_by_step_and_in_keras_the_tokens_are_the_same() -> None:
    found = tokens_by(models_of(DECODER), 6)
    assert found["in graph"] == found["in Keras"]
    assert found["stepped"] == found["in Keras"]
    assert len({tuple(row) for row in found["in Keras"]}) > 1


def test_a_state_that_is_not_carried_is_an_error(write: Callable[[str], Path]) -> None:
    text = DECODER.replace("carry: {h: h, g: g}", "carry: {g: g}").replace("  begin: {h: h}\n", "")
    text = text.replace("from: {x: embedding, h: h, memory: memory}", "from: {x: embedding, memory: memory}").replace(
        ", h: cells.h, g", ", g"
    )
    text = text.replace("memory: [S, 6], h: [6]", "memory: [S, 6]").replace("h: encoder.h, g: zeros", "g: zeros")
    found = [d for d in validate(write(text)) if d.is_error]
    assert any("its `h` is not carried" in d.message for d in found), [d.message for d in found]
