"""Directional derivatives of networks with recurrences, by the backend's gradients and by central differences, in float64.

KERAS_BACKEND=jax python -m tests.cells.gradients
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from nnspec.exporting.keras_reference import float64_of_backend
from nnspec.graph.model import Graph
from nnspec.keras_backend import set_weight_arrays, to_keras
from nnspec.keras_backend.precision import in_float64, widened
from nnspec.onnx_backend.samples import draw

from ..backends import print_all
from ..functions.four_ways import gradient
from ..onnx_backend.nets import graph_of_text, random_weights
from .specs import TOKENS, document
from .test_agreement import EMBEDDED, SPECS

__all__ = ["ALL", "TOLERANCE", "derivatives"]

_BOTH = "  - Bidirectional: {layer: {RNN: {cell: {%s}, return_sequences: true}}, merge_mode: mul}\n"
_BUILT_IN = {
    f"{cell} {'masked' if masked else 'backward'}": document(
        TOKENS if masked else "{x: [T, 5]}",
        (EMBEDDED if masked else "")
        + f"  - RNN: {{cell: {{{cell}}}, return_sequences: true, go_backwards: {str(not masked).lower()}}}\n",
    )
    for cell in (
        "GRUCell: {units: 3}",
        "GRUCell: {units: 3, reset_after: false}",
        "LSTMCell: {units: 3}",
        "LSTMCell: {units: 3, peephole: true, coupled_gates: true}",
        "SimpleRNNCell: {units: 3}",
    )
    for masked in (False, True)
}
_PAPERS = {file.name: file.read_text(encoding="utf-8") for file in sorted((Path(__file__).parent / "papers").iterdir())}
ALL = {
    **SPECS,
    **_BUILT_IN,
    **_PAPERS,
    "both directions": document("{x: [T, 4]}", _BOTH % "minimal_gated: {units: 3}", "minimal_gated"),
    "both directions, masked": document(TOKENS, EMBEDDED + _BOTH % "LSTMCell: {units: 3}"),
    "at each step": document("{x: [S, T, 4]}", "  - TimeDistributed: {layer: {RNN: {cell: {GRUCell: {units: 3}}}}}\n"),
}
"""Every cell of the tests, by name."""


STEP, TOLERANCE = (1e-5, 1e-6) if keras.backend.backend() == "tensorflow" else (1e-3, 5e-3)
"""On JAX, Keras 3.15.1 computes ``tanh`` and others of float64 in float32, so differences are rough."""


def derivatives(text: str, step: float = STEP) -> tuple[float, float]:
    """The derivative of all outputs along one direction of all weights and inputs: by gradients, and by differences."""
    graph = graph_of_text(text)
    weights = random_weights(graph)
    with in_float64(), float64_of_backend():
        along = _Along(graph, weights)
        by_gradient = float(gradient(along, np.zeros(())))
        ends = [float(ops.convert_to_numpy(along(ops.convert_to_tensor(sign * step, "float64")))) for sign in (1, -1)]
    return by_gradient, (ends[0] - ends[1]) / (2 * step)


class _Along:
    """The outputs of a network, weighted and summed, as a function of the distance along a direction."""

    def __init__(self, graph: Graph, weights: dict[str, np.ndarray]) -> None:
        self.random = random = np.random.default_rng(3)
        wide = widened(graph)
        self.model: Any = to_keras(wide, seed=1)
        set_weight_arrays(self.model, wide, {name: array.astype("float64") for name, array in weights.items()})
        *_, drawn = draw(graph)
        self.inputs = {name: array.astype("float64") if array.dtype.kind == "f" else array for name, array in drawn.items()}
        self.directions = {
            name: random.normal(size=array.shape) for name, array in self.inputs.items() if array.dtype.kind == "f"
        }
        self.moves = [(v, ops.convert_to_numpy(v), random.normal(size=tuple(v.shape))) for v in self.model.trainable_variables]
        self.factors: dict[str, np.ndarray] = {}

    def __call__(self, distance: Any) -> Any:
        moved = [(v, value + distance * direction) for v, value, direction in self.moves]
        inputs = {
            name: array + distance * self.directions[name] if name in self.directions else ops.convert_to_tensor(array)
            for name, array in self.inputs.items()
        }
        with keras.StatelessScope(moved):
            outputs = self.model(inputs, training=False)
        total = ops.zeros((), dtype="float64")
        for name, y in sorted(outputs.items()):
            if "float" in keras.backend.standardize_dtype(y.dtype):
                if name not in self.factors:
                    self.factors[name] = self.random.normal(size=tuple(y.shape))
                total = total + ops.sum(y * ops.convert_to_tensor(self.factors[name], y.dtype))
        return total


if __name__ == "__main__":
    print_all(ALL, lambda name: derivatives(ALL[name])[0])
