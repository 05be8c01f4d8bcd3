"""Time to write the ONNX model of ResNet-50 from its spec and its weights, in a process that has no TensorFlow, against tf2onnx.

Ours is all that ``nnspec export`` does but the proof: the spec is read and compiled, the weights are read, the graph is
lowered, the file is written. Of tf2onnx only the conversion of a Keras model that stands in memory is counted.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

import nnspec
from benchmarks.rows import Row

SPEC = Path(__file__).parent.parent / "specs" / "resnet50.nnspec.yaml"
ROUNDS = 3
OURS = """
import json, sys, time
from pathlib import Path
sys.modules.update(dict.fromkeys(("tensorflow", "keras", "jax", "torch")))
start = time.perf_counter()
import nnspec
from safetensors.numpy import load_file
graph = nnspec.compile(nnspec.load(sys.argv[1])).main
model = nnspec.to_onnx(graph, load_file(sys.argv[2]))
Path(sys.argv[3]).write_bytes(model.SerializeToString())
print(json.dumps(time.perf_counter() - start))
"""
THEIRS = """
import json, sys, time
import tensorflow as tf, tf2onnx, nnspec
model = nnspec.to_keras(nnspec.compile(nnspec.load(sys.argv[1])).main, seed=1)
signature = [tf.TensorSpec(tensor.shape, tensor.dtype, name=name) for name, tensor in model.input.items()]
run = tf.function(lambda image: model({"image": image}, training=False)["label"], input_signature=signature)
start = time.perf_counter()
tf2onnx.convert.from_function(run, input_signature=signature, opset=18, output_path=sys.argv[3])
print(json.dumps(time.perf_counter() - start))
"""


def rows() -> Iterator[Row]:
    """The row of the table."""
    with tempfile.TemporaryDirectory() as folder:
        weights, file = Path(folder) / "weights.safetensors", Path(folder) / "model.onnx"
        graph = nnspec.compile(nnspec.load(SPEC)).main
        random = np.random.default_rng(0)
        arrays = {name: random.standard_normal(weight.shape, "float32") for name, weight, _ in graph.weights()}
        save_file(arrays, weights)
        taken: dict[str, list[float]] = {OURS: [], THEIRS: []}
        for _ in range(ROUNDS):
            for script, seconds in taken.items():
                arguments = [sys.executable, "-c", script, str(SPEC), str(weights), str(file)]
                done = subprocess.run(arguments, check=True, capture_output=True, text=True)
                seconds.append(json.loads(done.stdout.splitlines()[-1]))
    ours, theirs = (float(np.median(seconds)) for seconds in taken.values())
    yield Row("export ResNet-50, parity apart", ours, theirs, "s", "tf2onnx's conversion alone")
