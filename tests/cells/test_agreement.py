"""Recurrences of cells: inferred shapes, Keras and ONNX Runtime agree."""

from __future__ import annotations

import pytest

from .specs import TOKENS, document, proven

EMBEDDED = "  - Embedding: {input_dim: 30, output_dim: 5, mask_zero: true}\n    from: tokens\n"
LAST = "  - Dense: {units: 2}\n"

SPECS = {
    "all steps": document(
        "{x: [T, 4]}", "  - RNN: {cell: {minimal_gated: {units: 3}}, return_sequences: true}", "minimal_gated"
    ),
    "the last step": document("{x: [T, 4]}", "  - RNN: {cell: {minimal_gated: {units: 3}}}", "minimal_gated"),
    "a fixed length": document("{x: [7, 4]}", "  - RNN: {cell: {minimal_gated: {units: 3}}}", "minimal_gated"),
    "masked, the last step": document(TOKENS, EMBEDDED + "  - RNN: {cell: {minimal_gated: {units: 3}}}", "minimal_gated"),
    "masked, all steps": document(
        TOKENS, EMBEDDED + "  - RNN: {cell: {minimal_gated: {units: 3}}, return_sequences: true}\n" + LAST, "minimal_gated"
    ),
    "masked with an initial state": document(
        TOKENS[:-1] + ", start: [3]}",
        EMBEDDED
        + "  - RNN: {cell: {minimal_gated: {units: 3}}, return_sequences: true, return_state: true}\n"
        + "    from: {x: embedding, h: start}\noutputs: {all: rnn.output, last: rnn.h}",
        "minimal_gated",
    ),
    "masked, zeros": document(
        TOKENS,
        EMBEDDED + "  - RNN: {cell: {minimal_gated: {units: 3}}, return_sequences: true, zero_output_for_mask: true}\n" + LAST,
        "minimal_gated",
    ),
    "masked, zeros, the last step": document(
        TOKENS, EMBEDDED + "  - RNN: {cell: {minimal_gated: {units: 3}}, zero_output_for_mask: true}", "minimal_gated"
    ),
    "masked backward": document(
        TOKENS,
        EMBEDDED + "  - RNN: {cell: {minimal_gated: {units: 3}}, return_sequences: true, go_backwards: true}\n",
        "minimal_gated",
    ),
    "backward, the last step": document(
        "{x: [T, 4]}", "  - RNN: {cell: {minimal_gated: {units: 3}}, go_backwards: true}", "minimal_gated"
    ),
    "two states": document(
        "{x: [T, 4]}",
        "  - RNN: {cell: {norm_lstm: {units: 3}}, return_sequences: true, return_state: true}\n"
        "outputs: {all: rnn.output, h: rnn.h, c: rnn.c}",
        "norm_lstm",
    ),
    "attention to a masked memory": document(
        TOKENS[:-1] + ", source: {shape: [S], dtype: int32}}",
        EMBEDDED
        + "  - Embedding: {input_dim: 30, output_dim: 4, mask_zero: true}\n    from: source\n    name: memory\n"
        + "  - RNN: {cell: {attending: {units: 4}}, return_sequences: true}\n    from: {x: embedding, memory: memory}\n"
        + "outputs: {all: rnn.output, seen: rnn.context}",
        "attending",
    ),
    "attention to a memory": document(
        "{x: [T, 3], memory: [S, 4]}",
        "  - RNN: {cell: {attending: {units: 4}}}\n    from: {x: x, memory: memory}\noutputs: {last: rnn.output, seen: rnn.context}",
        "attending",
    ),
    "images": document("{x: [T, H, W, 2]}", "  - RNN: {cell: {conv_lstm: {filters: 3}}, return_sequences: true}", "conv_lstm"),
    "pooled images": document(
        TOKENS[:-1] + ", x: [T, H, W, 2]}",
        "  - TimeDistributed: {layer: {AveragePooling2D: {pool_size: 2}}}\n    from: x\n    name: pooled\n"
        "  - Embedding: {input_dim: 30, output_dim: 5, mask_zero: true}\n    from: tokens\n"
        "  - RNN: {cell: film, sequences: [x, word]}\n    from: {x: pooled, word: embedding}\n",
        "conv_lstm",
        more=(
            "  film:\n    inputs: {x: [H, W, C], word: [5], h: [H, W, 3], c: [H, W, 3]}\n    layers:\n      - conv_lstm: {filters: 3}\n"
            "        from: {x: x, h: h, c: c}\n      - Dense: {units: 3}\n        from: word\n      - Reshape: {target_shape: [1, 1, 3]}\n"
            "      - Multiply:\n        from: [reshape, conv_lstm.output]\n"
            "    outputs: {output: multiply, h: conv_lstm.h, c: conv_lstm.c}\n"
        ),
    ),
    "images, the last step": document("{x: [T, 6, 5, 2]}", "  - RNN: {cell: {conv_lstm: {filters: 3}}}", "conv_lstm"),
    "a built-in cell": document("{x: [T, 4]}", "  - RNN: {cell: {GRUCell: {units: 3}}, return_sequences: true}"),
    "an LSTM cell": document(
        TOKENS,
        EMBEDDED
        + "  - RNN: {cell: {LSTMCell: {units: 3, peephole: true}}, return_state: true}\noutputs: {last: rnn.output, c: rnn.state_c}",
    ),
    "a simple cell": document("{x: [T, 4]}", "  - RNN: {cell: {SimpleRNNCell: {units: 3, use_bias: false}}}"),
    "a cell of features": document(
        "{x: [T], h: [1]}",
        "  - RNN: {cell: adder, return_sequences: true}\n    from: {x: x, h: h}",
        more=(
            "blocks:\n  adder:\n    inputs: {x: [], h: [1]}\n    layers:\n      - Reshape: {target_shape: [1]}\n        from: x\n"
            "      - Add:\n        from: [reshape, h]\n    outputs: {sum: add, h: add}\n"
        ),
    ),
    "two sequences": document(
        "{a: [T, 4], b: [T, 2]}",
        "  - RNN: {cell: pair, sequences: [b, a]}\n    from: {a: a, b: b}",
        more=(
            "blocks:\n  pair:\n    inputs: {a: null, b: null, h: [3]}\n    layers:\n      - Concatenate:\n        from: [a, b, h]\n"
            "      - Dense: {units: 3, activation: tanh}\n    outputs: {output: dense, h: dense}\n"
        ),
    ),
    "a network": document(
        "{x: [T, 4]}",
        "  - RNN: {cell: unit, return_sequences: true}\n  - RNN: {cell: unit, go_backwards: true}",
        more=(
            "networks:\n  unit:\n    inputs: {x: [4], h: [4]}\n    layers:\n      - Concatenate:\n        from: [x, h]\n"
            "      - Dense: {units: 4, activation: tanh}\n    outputs: {output: dense, h: dense}\n"
        ),
    ),
    "tokens in the cell": document(
        TOKENS,
        "  - RNN: {cell: {reader: {units: 3}}}",
        more=(
            "blocks:\n  reader:\n    params: {units: int}\n    inputs: {x: [], h: [$units]}\n    layers:\n"
            "      - Embedding: {input_dim: 9, output_dim: 3}\n        from: x\n      - GRUCell: {units: $units}\n"
            "        from: {x: embedding, state: h}\n    outputs: {output: gru_cell.output, h: gru_cell.state}\n"
        ).replace("x: []", "x: {shape: [], dtype: int32}"),
    ),
    "a loop in a loop": document(
        "{x: [T, S, 2]}",
        "  - RNN: {cell: outer, return_sequences: true}",
        more=(
            "blocks:\n  outer:\n    inputs: {x: [S, 2], h: [3]}\n    layers:\n      - RNN: {cell: {GRUCell: {units: 3}}}\n"
            "        from: {x: x, state: h}\n    outputs: {output: rnn, h: rnn}\n"
        ),
    ),
    "a layer loop in a loop": document(
        "{x: [T, S, 2]}",
        "  - RNN: {cell: outer, return_sequences: true}",
        more=(
            "blocks:\n  outer:\n    inputs: {x: [S, 2], h: [3]}\n    layers:\n      - GRU: {units: 3}\n"
            "        from: {x: x, state: h}\n    outputs: {output: gru, h: gru}\n"
        ),
    ),
}


@pytest.mark.parametrize("name", SPECS)
def test_a_recurrence_agrees_in_shapes_masks_weights_and_values(name: str) -> None:
    proven(SPECS[name])


@pytest.mark.parametrize("opset", [17, 21, 26])
def test_every_version_of_the_operators_agrees(opset: int) -> None:
    for name in ("attention to a masked memory", "masked backward", "images"):
        proven(SPECS[name], opset=opset)
