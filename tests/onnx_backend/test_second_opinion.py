"""tf2onnx converts the same Keras model; the two files answer the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
import tensorflow as tf

from nnspec.graph.model import Graph
from nnspec.keras_backend import set_weight_arrays, to_keras
from nnspec.onnx_backend.emit import to_onnx
from nnspec.onnx_backend.parity import measure
from nnspec.onnx_backend.proto import serialized
from nnspec.onnx_backend.samples import draw
from nnspec.runtime.session import Arrays, Run, open_session, runner

from .nets import graph_of, lenet, random_weights, tagger


def by_tf2onnx(graph: Graph, weights: Arrays) -> Run:
    tf2onnx = pytest.importorskip("tf2onnx")
    model = to_keras(graph, seed=1)
    set_weight_arrays(model, graph, weights)
    signature = [tf.TensorSpec(tensor.shape, tensor.dtype, name=name) for name, tensor in model.input.items()]

    @tf.function(input_signature=signature)
    def run(*tensors: Any) -> Any:
        [output] = model(dict(zip(model.input, tensors, strict=True))).values()
        return output

    converted: onnx.ModelProto = tf2onnx.convert.from_function(run, input_signature=signature, opset=18)[0]
    session = open_session(serialized(converted))
    return lambda inputs: {next(iter(graph.outputs)): session.run(None, {n: np.asarray(a) for n, a in inputs.items()})[0]}


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize(
    "graph",
    [
        lenet(),
        tagger(),
        graph_of("  - GRU: {units: 5, return_sequences: true}\n  - SimpleRNN: {units: 3}\n", "{x: [T, 4]}"),
        graph_of(
            "  - Conv1D: {filters: 4, kernel_size: 3, padding: causal}\n  - BatchNormalization\n  - ReLU\n", "{x: [T, 4]}"
        ),
    ],
    ids=["LeNet", "masked bidirectional LSTM", "GRU and SimpleRNN", "Conv1D"],
)
def test_tf2onnx_answers_the_same(graph: Graph) -> None:
    weights = random_weights(graph)
    ours = runner(serialized(to_onnx(graph, weights)))
    parity = measure(by_tf2onnx(graph, weights), ours, draw(graph))
    assert parity.agrees, parity.text()
