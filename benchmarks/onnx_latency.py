"""Latency in ONNX Runtime: our files against tf2onnx's of the same Keras model with the same weights.

Threads do not spin while they wait (sessions that run by turns disturb each other by half otherwise), each file is loaded twice
to show the noise, and figures are medians of runs by turns. The two files' answers are compared before anything is timed.

    python -m benchmarks onnx
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime

import nnspec
from benchmarks.rows import Row, interleaved
from nnspec.graph import Graph

BATCHES = (1, 32)
SECONDS = 4.0
"""How long a row is measured, about."""

STEPS = 100

LENET = """
inputs: {image: [28, 28, 1]}
layers:
  - Conv2D: {filters: 6, kernel_size: 5, padding: same, activation: tanh}
  - AveragePooling2D: {pool_size: 2}
  - Conv2D: {filters: 16, kernel_size: 5, activation: tanh}
  - AveragePooling2D: {pool_size: 2}
  - Flatten
  - Dense: {units: 120, activation: tanh}
  - Dense: {units: 84, activation: tanh}
  - Dense: {units: 10, activation: softmax}
"""

RESNET20 = """
blocks:
  conv_bn:
    params: {filters: int, kernel_size: 3, strides: 1}
    layers:
      - Conv2D: {filters: $filters, kernel_size: $kernel_size, strides: $strides, padding: same, use_bias: false}
      - BatchNormalization
  unit:
    params: {filters: int, strides: 1, project: false}
    layers:
      - conv_bn: {filters: $filters, strides: $strides}
        from: x
      - ReLU
      - conv_bn: {filters: $filters}
        name: body
      - conv_bn: {filters: $filters, kernel_size: 1, strides: $strides}
        from: x
        name: shortcut
        repeat: ${1 if project else 0}
      - Add:
        from: [body, shortcut]
      - ReLU:
        name: out
inputs: {image: [32, 32, 3]}
layers:
  - conv_bn: {filters: 16}
  - ReLU
  - unit: {filters: 16}
    repeat: 3
  - unit: {filters: 32, strides: 2, project: true}
  - unit: {filters: 32}
    repeat: 2
  - unit: {filters: 64, strides: 2, project: true}
  - unit: {filters: 64}
    repeat: 2
  - GlobalAveragePooling2D
  - Dense: {units: 10, activation: softmax}
"""

BILSTM = """
inputs: {tokens: {shape: [T], dtype: int32}}
layers:
  - Embedding: {input_dim: 1000, output_dim: 128, mask_zero: true}
  - Bidirectional: {layer: {LSTM: {units: 128, return_sequences: true}}}
  - Bidirectional: {layer: {LSTM: {units: 128, return_sequences: true}}}
"""

STACK = """
inputs: {{x: [T, 128]}}
layers:
  - {cell}: {{units: 128, return_sequences: true}}
  - {cell}: {{units: 128}}
"""

NETS = {
    "LeNet-5": LENET,
    "ResNet-20": RESNET20,
    "LSTM × 2, bidirectional, masked": BILSTM,
    "GRU × 2": STACK.format(cell="GRU"),
    "SimpleRNN × 2": STACK.format(cell="SimpleRNN"),
}


def rows() -> Iterator[Row]:
    """The rows of the table: each net at each batch size."""
    for name, layers in NETS.items():
        graph = _graph(layers)
        model, weights = _in_keras(graph)
        ours, peer = nnspec.to_onnx(graph, weights).SerializeToString(), _by_tf2onnx(model).SerializeToString()
        for batch in BATCHES:
            inputs = _inputs(graph, batch)
            yield _row(f"{name}, batch {batch}", ours, peer, inputs)


def _row(what: str, ours: bytes, peer: bytes, inputs: Mapping[str, np.ndarray]) -> Row:
    sessions = {"ours": _session(ours), "ours again": _session(ours), "peer": _session(peer), "peer again": _session(peer)}
    answers = {name: session.run(None, dict(inputs))[0] for name, session in sessions.items()}
    difference = np.abs(answers["ours"] - answers["peer"]).max() / np.abs(answers["peer"]).max()
    if difference > 1e-5:
        raise RuntimeError(f"{what}: the two files answer differently, by {difference:.1e}")
    runs = {name: lambda session=session: session.run(None, dict(inputs)) for name, session in sessions.items()}
    rounds = max(15, int(SECONDS / sum(interleaved(runs, 5).values())))
    taken = interleaved(runs, rounds)
    noise = max(abs(taken[name] - taken[f"{name} again"]) / taken[name] for name in ("ours", "peer"))
    return Row(what, taken["ours"] * 1e3, taken["peer"] * 1e3, "ms", "tf2onnx", noise=noise)


def _graph(layers: str) -> Graph:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "net.nnspec.yaml"
        file.write_text(f"nnspec: 1\nname: net\n{layers}", encoding="utf-8")
        return nnspec.compile(nnspec.load(file)).main


def _in_keras(graph: Graph) -> tuple[Any, dict[str, np.ndarray]]:
    from nnspec.keras_backend import weight_arrays

    model = nnspec.to_keras(graph, seed=1)
    return model, weight_arrays(model, graph)


def _by_tf2onnx(model: Any) -> onnx.ModelProto:
    import tensorflow as tf
    import tf2onnx

    signature = [tf.TensorSpec(tensor.shape, tensor.dtype, name=name) for name, tensor in model.input.items()]

    @tf.function(input_signature=signature)
    def run(*tensors: Any) -> Any:
        [output] = model(dict(zip(model.input, tensors, strict=True)), training=False).values()
        return output

    converted: onnx.ModelProto = tf2onnx.convert.from_function(run, input_signature=signature, opset=18)[0]
    return converted


def _session(model: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _inputs(graph: Graph, batch: int) -> dict[str, np.ndarray]:
    """Random inputs; sequences of tokens are padded on the right, each to another length."""
    random = np.random.default_rng(0)
    [(name, kind)] = graph.inputs.items()
    shape = (batch, *(size if isinstance(size, int) else STEPS for size in kind.shape))
    if not kind.is_integer:
        return {name: random.standard_normal(shape).astype("float32")}
    tokens = random.integers(1, 1000, shape).astype(kind.dtype)
    for row in range(batch):
        tokens[row, STEPS - (row * 7) % (STEPS // 2) :] = 0
    return {name: tokens}
