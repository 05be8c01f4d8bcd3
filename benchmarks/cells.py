"""Cells: a GRU written with expressions against the built-in one, and a Neural Turing Machine as one loop against its steps.

python -m benchmarks cells
python -m benchmarks cells --rounds 30 --steps 20
"""

from __future__ import annotations

import argparse
import re
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

import nnspec
from nnspec.graph.model import Graph
from nnspec.keras_backend import to_keras
from nnspec.keras_backend.weights import weight_arrays
from nnspec.onnx_backend import to_onnx

BATCH, STEPS, FEATURES, UNITS = 32, 64, 64, 128
MACHINE = Path(__file__).parents[1] / "tests" / "proof" / "sketches" / "neural_turing_machine.nnspec.yaml"

_HEAD = f"nnspec: 1\nname: net\ninputs: {{x: [T, {FEATURES}]}}\n"
BUILT_IN = f"{_HEAD}layers:\n  - GRU: {{units: {UNITS}, reset_after: false}}\n  - Dense: {{units: 1}}\n"
WRITTEN = f"""{_HEAD}blocks:
  gru:
    inputs: {{x: [F], h: [{UNITS}]}}
    layers:
      - Concatenate:
        from: [x, h]
      - Dense: {{units: {2 * UNITS}, activation: sigmoid}}
        name: gates
      - Compute: gates[:, {UNITS}:] * h
        name: kept
      - Concatenate:
        from: [x, kept]
      - Dense: {{units: {UNITS}, activation: tanh}}
        name: candidate
      - Compute: gates[:, :{UNITS}] * h + (1 - gates[:, :{UNITS}]) * candidate
        name: new_h
    outputs: {{output: new_h, h: new_h}}
layers:
  - RNN: {{cell: gru}}
  - Dense: {{units: 1}}
"""


def main(arguments: list[str]) -> int:
    """Prints the ratios."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks cells", description="Speed of cells.")
    parser.add_argument("--rounds", type=int, default=15, help="measurements of each, by turns")
    parser.add_argument("--steps", type=int, default=20, help="steps of the unrolled machine")
    given = parser.parse_args(arguments)
    nets = {name: _main(text) for name, text in (("built-in", BUILT_IN), ("written", WRITTEN))}
    _compare("training step, batch 32, 64 steps", {name: _training(graph) for name, graph in nets.items()}, given.rounds)
    for batch in (1, BATCH):
        runs = {name: _latency(graph, batch) for name, graph in nets.items()}
        _compare(f"ONNX latency, batch {batch}, 64 steps", runs, given.rounds)
    text = MACHINE.read_text(encoding="utf-8")
    loops = {"one loop": lambda: _build(text), "unrolled": lambda: _build(unrolled(text, given.steps))}
    _compare(f"building a Neural Turing Machine, {given.steps} steps unrolled", loops, 2)
    return 0


def _main(text: str) -> Graph:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.nnspec.yaml"
        path.write_text(text, encoding="utf-8")
        return nnspec.compile(nnspec.load(path)).main


def _training(graph: Graph) -> Callable[[], None]:
    import keras
    import tensorflow as tf

    model = to_keras(graph, seed=1)
    optimizer = keras.optimizers.SGD(0.01)
    x = tf.constant(np.random.default_rng(1).normal(size=(BATCH, STEPS, FEATURES)), tf.float32)

    @tf.function
    def step() -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(next(iter(model({"x": x}).values()))))
        optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_weights), model.trainable_weights, strict=True))
        return loss

    return lambda: float(step())  # type: ignore[return-value]


def _latency(graph: Graph, batch: int) -> Callable[[], None]:
    model = to_keras(graph, seed=1)
    session = onnxruntime.InferenceSession(to_onnx(graph, weight_arrays(model, graph)).SerializeToString())
    x = np.random.default_rng(1).normal(size=(batch, STEPS, FEATURES)).astype(np.float32)
    return lambda: session.run(None, {"x": x})  # type: ignore[no-any-return]


def unrolled(text: str, steps: int) -> str:
    """The machine with its loop written out: each step reads one position of the sequence and the states before it."""
    head, _, _ = text.partition("  - RNN:")
    head = re.sub(r"sequence: \[T,", f"sequence: [{steps},", head)
    lines, before = [], None
    for number in range(steps):
        states = {"memory": "blank", "w_read": "first", "w_write": "first"} if before is None else {}
        if before is not None:
            states = {name: f"{before}.{name}" for name in ("h", "c", "memory", "read", "w_read", "w_write")}
        else:
            lines += ["  - Compute: zeros([width]) + zeros_like(sequence[:, 0, :1])\n    name: none\n"]
            lines += ["  - Compute: zeros([heads, word]) + zeros_like(sequence[:, :1, :1])\n    name: nothing\n"]
            states |= {"h": "none", "c": "none", "read": "nothing"}
        lines.append(f"  - Compute: sequence[:, {number}]\n    name: x{number}\n")
        fed = ", ".join(f"{name}: {source}" for name, source in {"x": f"x{number}", **states}.items())
        lines.append(f"  - machine:\n    name: m{number}\n    from: {{{fed}}}\n")
        before = f"m{number}"
    return f"{head}{''.join(lines)}outputs: {{bits: {before}.output}}\n"


def _build(text: str) -> None:
    graph = _main(text)
    model = to_keras(graph, seed=1)
    to_onnx(graph, weight_arrays(model, graph))


def _compare(what: str, runs: dict[str, Callable[[], Any]], rounds: int) -> None:
    """Time two runs by turns, and print the medians and their ratio."""
    found: dict[str, list[float]] = {name: [] for name in runs}
    for run in runs.values() if rounds > 2 else ():
        run()
    for _ in range(rounds):
        for name, run in runs.items():
            started = time.perf_counter()
            run()
            found[name].append(time.perf_counter() - started)
    first, second = ((name, statistics.median(times)) for name, times in found.items())
    shown = f"{first[0]} {first[1] * 1e3:.2f} ms, {second[0]} {second[1] * 1e3:.2f} ms"
    print(f"{what}: {shown}, ratio {second[1] / first[1]:.2f}", flush=True)
