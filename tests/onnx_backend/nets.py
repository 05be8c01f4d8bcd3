"""Graphs and weights for the tests here; no Keras, so that a fresh process has them at once."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx

import nnspec
from nnspec.graph.model import Graph

LENET = """
  - Conv2D: {filters: 6, kernel_size: 5, padding: same, activation: tanh}
  - AveragePooling2D: {pool_size: 2}
  - Conv2D: {filters: 16, kernel_size: 5, activation: tanh}
  - AveragePooling2D: {pool_size: 2}
  - Flatten
  - Dense: {units: 120, activation: tanh}
  - Dense: {units: 84, activation: tanh}
  - Dense: {units: 10, activation: softmax}
    name: digit
"""

TAGGER = """
  - Embedding: {input_dim: 11, output_dim: 4, mask_zero: true}
  - Bidirectional: {layer: {LSTM: {units: 3, return_sequences: true}}}
  - Bidirectional: {layer: {LSTM: {units: 3, return_sequences: true}}}
  - Dense: {units: 5, activation: softmax}
    name: labels
"""


def graph_of(layers: str, inputs: str = "{x: [4]}", outputs: str | None = None) -> Graph:
    """The graph of a list of steps."""
    text = f"nnspec: 1\nname: net\ninputs: {inputs}\nlayers:\n{layers.strip(chr(10))}\n"
    text += f"outputs: {outputs}\n" if outputs else ""
    return graph_of_text(text)


def graph_of_text(text: str) -> Graph:
    """The graph of a whole document."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "net.nnspec.yaml"
        file.write_text(text, encoding="utf-8")
        return nnspec.compile(nnspec.load(file)).main


def lenet() -> Graph:
    return graph_of(LENET, "{image: [28, 28, 1]}")


def tagger() -> Graph:
    return graph_of(TAGGER, "{tokens: {shape: [T], dtype: int32}}")


def random_weights(graph: Graph, seed: int = 0) -> dict[str, np.ndarray]:
    """Weights by the spec's names; variances are positive."""
    random = np.random.default_rng(seed)
    return {
        name: (
            random.uniform(0.5, 2.0, weight.shape)
            if "variance" in weight.name
            else random.normal(0, 1 / np.sqrt(max(1, np.prod(weight.shape[:-1]))), weight.shape)
        ).astype("float32")
        for name, weight, _ in graph.weights()
    }


def types(model: onnx.ModelProto) -> list[str]:
    """The operators of a model's nodes, in their order."""
    return [node.op_type for node in model.graph.node]
