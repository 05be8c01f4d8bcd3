"""The activations that ONNX Runtime's recurrent operators compute themselves."""

from __future__ import annotations

import numpy as np
import pytest

from nnspec.exporting.keras_reference import keras_reference
from nnspec.onnx_backend.activation import CELL_ACTIVATIONS
from nnspec.onnx_backend.emit import to_onnx
from nnspec.onnx_backend.parity import measure
from nnspec.onnx_backend.proof import named_outputs

from .nets import graph_of, types


@pytest.mark.parametrize("layer", ["GRU", "LSTM"])
@pytest.mark.parametrize("name", [*CELL_ACTIVATIONS, "softplus"])
def test_a_cell_activation_is_keras_s_far_from_zero_too(layer: str, name: str) -> None:
    """The logarithm of 1 + exp(x) overflows float32 beyond 88, as ONNX Runtime's Softplus of a cell computes it."""
    graph = graph_of(
        f"  - {layer}: {{units: 1, use_bias: false, activation: {name}, recurrent_activation: {name}}}", "{x: [1, 1]}"
    )
    weights = {each: np.ones(weight.shape, np.float32) for each, weight, _ in graph.weights()}
    x = np.array([-200, -90, -30, -1, 0, 1, 30, 90, 200], np.float32).reshape(-1, 1, 1)
    parity = measure(keras_reference(graph, weights), named_outputs(graph, to_onnx(graph, weights)), [{"x": x}])
    assert parity.agrees, parity.text()


def test_a_common_cell_is_one_operator() -> None:
    graph = graph_of("  - GRU: {units: 1, activation: relu}", "{x: [T, 1]}")
    weights = {each: np.ones(weight.shape, np.float32) for each, weight, _ in graph.weights()}
    assert "GRU" in types(to_onnx(graph, weights))
