"""Cells as blocks and networks, and how a network of them is proven."""

from __future__ import annotations

import onnx

from nnspec.exporting.keras_reference import keras_reference
from nnspec.graph.model import Graph
from nnspec.keras_backend import to_keras
from nnspec.onnx_backend.emit import to_onnx
from nnspec.onnx_backend.proof import verify
from nnspec.testing.claims import check_symbolic, check_weights

from ..onnx_backend.nets import graph_of_text, random_weights

__all__ = ["BLOCKS", "HEAD", "TOKENS", "document", "proven"]

HEAD = "nnspec: 1\nname: net\n"

BLOCKS = {
    "minimal_gated": """
    params: {units: int}
    inputs: {x: null, h: [$units]}
    layers:
      - Concatenate:
        from: [x, h]
      - Dense: {units: $units, activation: sigmoid}
        name: forget
      - Multiply:
        from: [forget, h]
        name: kept
      - Concatenate:
        from: [x, kept]
      - Dense: {units: $units, activation: tanh}
        name: candidate
      - Subtract:
        from: [candidate, h]
        name: move
      - Multiply:
        from: [forget, move]
        name: change
      - Add:
        from: [h, change]
        name: new_h
    outputs: {output: new_h, h: new_h}
""",
    "norm_lstm": """
    params: {units: int}
    inputs: {x: [F], h: [$units], c: [$units]}
    layers:
      - Dense: {units: "${4 * units}", use_bias: false}
        from: x
      - LayerNormalization:
        name: of_x
      - Dense: {units: "${4 * units}", use_bias: false}
        from: h
      - LayerNormalization:
        name: of_h
      - Add:
        from: [of_x, of_h]
        name: gates
      - Slice: {start: 0, stop: $units, axis: 1}
        from: gates
        name: i
      - Activation: sigmoid
        name: input
      - Slice: {start: $units, stop: "${2 * units}", axis: 1}
        from: gates
        name: f
      - Activation: sigmoid
        name: forget
      - Slice: {start: "${2 * units}", stop: "${3 * units}", axis: 1}
        from: gates
        name: o
      - Activation: sigmoid
        name: out
      - Slice: {start: "${3 * units}", axis: 1}
        from: gates
        name: g
      - Activation: tanh
        name: candidate
      - Multiply:
        from: [forget, c]
        name: kept
      - Multiply:
        from: [input, candidate]
        name: added
      - Add:
        from: [kept, added]
        name: new_c
      - LayerNormalization
      - Activation: tanh
        name: calm
      - Multiply:
        from: [out, calm]
        name: new_h
    outputs: {output: new_h, h: new_h, c: new_c}
""",
    "attending": """
    params: {units: int}
    inputs: {x: null, h: [$units], memory: [S, $units]}
    layers:
      - RepeatVector: {n: 1}
        from: h
        name: query
      - Attention:
        from: {query: query, value: memory, key: memory}
      - Flatten:
        name: context
      - Concatenate:
        from: [x, context]
      - GRUCell: {units: $units}
        from: {x: concatenate, state: h}
    outputs: {output: gru_cell.output, h: gru_cell.state, context: context}
""",
    "conv_lstm": """
    params: {filters: int}
    inputs: {x: [H, W, C], h: [H, W, $filters], c: [H, W, $filters]}
    layers:
      - Concatenate:
        from: [x, h]
      - Conv2D: {filters: $filters, kernel_size: 3, padding: same, activation: sigmoid}
        from: concatenate
        name: input
      - Conv2D: {filters: $filters, kernel_size: 3, padding: same, activation: sigmoid}
        from: concatenate
        name: forget
      - Conv2D: {filters: $filters, kernel_size: 3, padding: same, activation: sigmoid}
        from: concatenate
        name: out
      - Conv2D: {filters: $filters, kernel_size: 3, padding: same, activation: tanh}
        from: concatenate
        name: candidate
      - Multiply:
        from: [forget, c]
        name: kept
      - Multiply:
        from: [input, candidate]
        name: added
      - Add:
        from: [kept, added]
        name: new_c
      - Activation: tanh
      - Multiply:
        from: [out, activation]
        name: new_h
    outputs: {output: new_h, h: new_h, c: new_c}
""",
}
TOKENS = "{tokens: {shape: [T], dtype: int32}}"


def document(inputs: str, layers: str, *blocks: str, more: str = "") -> str:
    """A spec with some of the blocks."""
    written = "".join(f"  {name}:{BLOCKS[name]}" for name in blocks)
    return HEAD + (f"blocks:\n{written}" if blocks else "") + more + f"inputs: {inputs}\nlayers:\n{layers.strip(chr(10))}\n"


def proven(text: str, *, opset: int = 23, seed: int = 0) -> tuple[Graph, onnx.ModelProto]:
    """The graph of a spec and its ONNX model, after shapes, masks, weights and values agree with Keras."""
    graph = graph_of_text(text)
    model = to_keras(graph, seed=1)
    check_symbolic(graph, model)
    check_weights(graph, model)
    weights = random_weights(graph, seed)
    written = to_onnx(graph, weights, masks=True, opset=opset)
    onnx.checker.check_model(written)
    parity = verify(graph, weights, written, keras_reference(graph, weights, masks=True), opset=opset)
    assert parity.agrees, parity.text()
    return graph, written
