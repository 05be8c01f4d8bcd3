"""The ONNX operators of an example of a layer."""

from __future__ import annotations

import numpy as np

from nnspec.diagnostics import Span
from nnspec.graph.model import Graph, Node, Ref
from nnspec.onnx_backend.emit import to_onnx
from nnspec.reference.examples import Example

__all__ = ["operators"]


def operators(example: Example) -> list[str]:
    """The operators, in order; empty if the layer has no effect in inference."""
    inputs = {f"in_{port}": type_ for port, type_ in example.inputs.items()}
    refs = {port: Ref(f"in_{port}") for port in example.inputs}
    nowhere = Span.whole("")
    node = Node("layer", example.layer, refs, example.inputs, example.outputs, example.weights, "layer", False, nowhere, "")
    graph = Graph("layer", inputs, {"layer": node}, {output: Ref("layer", output) for output in example.outputs})
    weights = {f"layer/{weight.name}": np.ones(weight.shape, np.float32) for weight in example.weights}
    return [operation.op_type for operation in to_onnx(graph, weights).graph.node if operation.op_type != "Identity"]
