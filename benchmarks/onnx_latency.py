"""Latency in ONNX Runtime: our files against tf2onnx's of the same Keras model, and against PyTorch's export of the same net.

Threads do not spin while they wait (sessions that run by turns disturb each other by half otherwise), each file is loaded twice
to show the noise, and figures are medians of runs by turns. Our file's answers are compared with tf2onnx's before anything is
timed. PyTorch lives in an environment of its own, with torch, onnx and onnxscript; without it that peer is left out.

    python -m benchmarks onnx
    python -m benchmarks onnx --nets gru,bilstm --seconds 1 --torch /opt/torch/bin/python
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime

import nnspec
from benchmarks.onnx_nets import NETS, Net
from benchmarks.rows import Row, interleaved
from nnspec.graph import Graph
from nnspec.graph.model import Ref
from nnspec.graph.tables import table_rows

BATCHES = (1, 32)
LEAST_ROUNDS = 15

Arrays = Mapping[str, np.ndarray]


def rows(*arguments: str) -> Iterator[Row]:
    """The rows of the table: each net at each batch size against each peer.

    Args:
        arguments: As on the command line.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks onnx")
    parser.add_argument("--nets", type=lambda text: text.split(","), default=list(NETS), help=f"some of {', '.join(NETS)}")
    parser.add_argument("--batches", type=lambda text: [int(n) for n in text.split(",")], default=list(BATCHES))
    parser.add_argument("--seconds", type=float, default=6.0, help="how long a net is measured at one batch size, about")
    parser.add_argument("--torch", metavar="PYTHON", help="an interpreter that has torch, onnx and onnxscript")
    given = parser.parse_args(arguments)
    if unknown := set(given.nets) - set(NETS):
        parser.error(f"there is no net {', '.join(sorted(unknown))}: {', '.join(NETS)}")
    with tempfile.TemporaryDirectory() as folder:
        exported = _by_torch(given.torch, Path(folder), given.nets) if given.torch else None
        for name in given.nets:
            yield from _of_net(name, given.batches, given.seconds, exported)


def _of_net(name: str, batches: Sequence[int], seconds: float, exported: Path | None) -> Iterator[Row]:
    net = NETS[name]
    graph = net.graph()
    model, weights = _in_keras(graph)
    ours, theirs = nnspec.to_onnx(graph, weights).SerializeToString(), _by_tf2onnx(model).SerializeToString()
    for batch in batches:
        inputs = _inputs(net, graph, batch)
        sessions = {"ours": ours, "tf2onnx": theirs}
        if exported is not None:
            sessions["PyTorch"] = (exported / f"{name}-{batch}.onnx").read_bytes()
        yield from _measured(f"{net.name}, batch {batch}", sessions, inputs, seconds)


def _measured(what: str, files: Mapping[str, bytes], inputs: Arrays, seconds: float) -> Iterator[Row]:
    sessions = {f"{name}{again}": _session(file) for name, file in files.items() for again in ("", " again")}
    fed = {name: _fed(session, inputs) for name, session in sessions.items()}
    answers = {name: session.run(None, fed[name])[0] for name, session in sessions.items()}
    difference = np.abs(answers["ours"] - answers["tf2onnx"]).max() / np.abs(answers["tf2onnx"]).max()
    if difference > 1e-4:
        raise RuntimeError(f"{what}: the two files answer differently, by {difference:.1e}")
    runs = {name: lambda session=session, name=name: session.run(None, fed[name]) for name, session in sessions.items()}
    taken = interleaved(runs, max(LEAST_ROUNDS, int(seconds / sum(interleaved(runs, 5).values()))))
    for peer in [name for name in files if name != "ours"]:
        noise = max(abs(taken[name] - taken[f"{name} again"]) / taken[name] for name in ("ours", peer))
        yield Row(what, taken["ours"] * 1e3, taken[peer] * 1e3, "ms", peer, noise=noise)


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


def _by_torch(python: str, folder: Path, names: Sequence[str]) -> Path:
    """The folder into which PyTorch has written ``NET-BATCH.onnx``.

    Raises:
        RuntimeError: With what it said, where it failed.
    """
    script = Path(__file__).with_name("torch_nets.py")
    done = subprocess.run([python, str(script), str(folder), *names], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"PyTorch wrote no files: {done.stderr.strip()[-500:]}")
    return folder


def _session(model: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _fed(session: onnxruntime.InferenceSession, inputs: Arrays) -> dict[str, np.ndarray]:
    """The one input as a file wants it: under its own name, PyTorch's with channels first and tokens in 64 bits."""
    [array] = inputs.values()
    [wanted] = session.get_inputs()
    fixed = [size if isinstance(size, int) else None for size in wanted.shape]
    fits = all(size in (None, own) for size, own in zip(fixed, array.shape, strict=True))
    if not fits:
        array = np.ascontiguousarray(np.moveaxis(array, -1, 1))
    dtype = {"tensor(int64)": "int64", "tensor(int32)": "int32", "tensor(float)": "float32"}[wanted.type]
    return {wanted.name: array.astype(dtype)}


def _inputs(net: Net, graph: Graph, batch: int) -> Arrays:
    """Random inputs; sequences of tokens that carry a mask are padded on the right, each to another length."""
    random = np.random.default_rng(0)
    [(name, kind)] = graph.inputs.items()
    shape = (batch, *(size if isinstance(size, int) else net.steps for size in kind.shape))
    if not kind.is_integer:
        return {name: random.standard_normal(shape).astype("float32")}
    words = table_rows(graph)[Ref(name)]
    tokens = random.integers(1, words, shape).astype(kind.dtype)
    if any(type.mask is not None for node in graph.nodes.values() for type in node.outputs.values()):
        for row in range(batch):
            tokens[row, net.steps - (row * 7) % (net.steps // 2) :] = 0
    return {name: tokens}
