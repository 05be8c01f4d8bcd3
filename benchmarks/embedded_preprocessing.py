"""What the numeric transforms cost in the exported graph: raw values in, against the same net on values transformed before.

The peer's time is that of the net alone, and of NumPy's transforms before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import onnxruntime

import nnspec
from benchmarks.rows import Row, interleaved
from nnspec.data.recipe import Step
from nnspec.data.transforms.numbers import impute, rescale, standardize
from nnspec.exporting.embedded_preprocessing import PreprocessedInput
from nnspec.onnx_backend import to_onnx

ROUNDS = 2000
BATCHES = (1, 32)


def rows() -> Iterator[Row]:
    """LeNet-5 on bytes, and a table with missing values."""
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (32, 28, 28, 1)).astype(np.uint8)
    yield from _measured("LeNet-5, bytes", "specs/lenet5.nnspec.yaml", (Step(rescale(scale=1 / 255, offset=0), {}),), pixels)
    table = random.normal(40, 12, (32, 30)).astype(np.float32)
    steps = (
        Step(impute(strategy="mean"), {"value": [40.0] * 30}),
        Step(standardize(axis=-1), {"mean": [40.0] * 30, "std": [12.0] * 30}),
    )
    yield from _measured("MLP, 30 columns, impute and standardize", "benchmarks/mlp.nnspec.yaml", steps, table)


def _measured(what: str, spec: str, steps: tuple[Step, ...], raw: np.ndarray) -> Iterator[Row]:
    graph = nnspec.compile(nnspec.load(spec)).main
    random = np.random.default_rng(1)
    weights = {identity: random.normal(0, 0.1, weight.shape).astype(np.float32) for identity, weight, _ in graph.weights()}
    [(name, given)] = graph.inputs.items()
    entry = PreprocessedInput.of(name, given, steps, raw, may_miss=False)
    ours, alone = (
        _session(to_onnx(graph, weights, preprocessing=preprocessing)) for preprocessing in ({name: entry.entry}, {})
    )
    for batch in BATCHES:
        values = raw[:batch]
        made = entry.apply(values)
        runs = {
            "ours": partial(ours.run, None, {name: values}),
            "again": partial(ours.run, None, {name: values}),
            "alone": partial(alone.run, None, {name: made}),
            "NumPy before": lambda values=values: alone.run(None, {name: entry.apply(values)}),
        }
        taken = interleaved(runs, ROUNDS)
        noise = abs(taken["ours"] - taken["again"]) / taken["ours"]
        for peer in ("alone", "NumPy before"):
            yield Row(f"{what}, batch {batch}", taken["ours"] * 1e3, taken[peer] * 1e3, "ms", f"the net, {peer}", noise=noise)


def _session(model: object) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])  # type: ignore[attr-defined]
