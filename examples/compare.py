"""Holds a run's Keras model against its ONNX file on the test data: how far apart they are, and where their classes differ.

Run ``python -m examples.compare runs/lenet5 runs/lenet5/lenet5.onnx``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from nnspec import Predictor
from nnspec.cli.frameworks import load_frameworks
from nnspec.data.kinds import Answer
from nnspec.onnx_backend.parity import Parity, measure
from nnspec.training import Run

__all__ = ["compare"]

_BATCH = 256


def compare(run_path: str | Path, onnx_path: str | Path) -> tuple[Parity, dict[str, int]]:
    """The parity on the test data, and of each output that says classes how many of them differ."""
    from nnspec.runtime.answers import answering
    from nnspec.training.evaluation import answers_of, examples_of, trained_model

    run = Run.open(run_path)
    _, examples = examples_of(run)
    keras, onnx = answering(trained_model(run)), Predictor(onnx_path).predict
    cases = [dict(examples.batch(slice(start, start + _BATCH)).inputs) for start in range(0, len(examples), _BATCH)]
    saying = {name: answer for name, answer in answers_of(run).items() if answer.kind != "number"}
    differing = dict.fromkeys(saying, 0)
    for case in cases:
        ours, theirs = keras(case), onnx(case)
        for name, answer in saying.items():
            differing[name] += int((_said(ours[name], answer) != _said(theirs[name], answer)).sum())
    return measure(keras, onnx, cases), differing


def _said(values: np.ndarray, answer: Answer) -> np.ndarray:
    return values.argmax(-1) if answer.kind == "class" else values > answer.above


def main(run_path: str, onnx_path: str) -> int:
    """Prints the figures; the status is 1 where an answer differs."""
    load_frameworks("train", "serve")
    parity, differing = compare(run_path, onnx_path)
    print(parity.text())
    for name, count in differing.items():
        print(f"classes of `{name}` that differ: {count}")
    return 0 if parity.agrees and not any(differing.values()) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
