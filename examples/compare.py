"""Holds a run's Keras model against its ONNX file on the test data: how far apart they are, and where their classes differ.

The file reads its inputs from the data by what it says of itself; Keras has those that the training has.

Run ``python -m examples.compare runs/lenet5 runs/lenet5/lenet5.onnx``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from nnspec import Predictor
from nnspec.cli.frameworks import load_frameworks
from nnspec.data.kinds import DecisionRule
from nnspec.data.recipe import read_inputs
from nnspec.data.units import in_units
from nnspec.onnx_backend.parity import Parity, measure
from nnspec.runtime.predicting import input_types
from nnspec.runtime.session import Run as Answers
from nnspec.training import Run

__all__ = ["compare"]

_BATCH = 256


def compare(run_path: str | Path, onnx_path: str | Path) -> tuple[Parity, dict[str, int]]:
    """The parity on the test data, and of each output that says classes how many of them differ."""
    from nnspec.exporting.keras_reference import keras_reference
    from nnspec.training.evaluation.evaluate import answers_of, raw_rows, units_of_run

    run, predictor = Run.open(run_path), Predictor(onnx_path)
    table, inputs = raw_rows(run)
    units = units_of_run(run)
    raw = [*_batches(read_inputs(table, "the data", predictor.recipe, input_types(predictor)))]
    trained_on = {id(batch): given for batch, given in zip(raw, _batches(inputs), strict=True)}
    last: dict[str, np.ndarray] = {}

    def of_batch(answer: Answers) -> Answers:
        def run_on(batch: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
            # What is no batch is the last one, a unit in the last place away: its trained inputs stand for it.
            last.update(trained_on.get(id(batch), {}))
            return in_units(answer(dict(last)), units)

        return run_on

    keras = keras_reference(run.main, run.weights()).around(of_batch)
    saying = {name: answer for name, answer in answers_of(run).items() if answer.kind != "number"}
    differing = dict.fromkeys(saying, 0)
    for batch in raw:
        right, theirs = keras(batch), predictor.predict(batch)
        for name, answer in saying.items():
            differing[name] += int((_said(right[name], answer) != _said(theirs[name], answer)).sum())
    return measure(keras, predictor.predict, raw), differing


def _batches(arrays: Mapping[str, np.ndarray]) -> Iterator[dict[str, np.ndarray]]:
    for start in range(0, len(next(iter(arrays.values()))), _BATCH):
        yield {name: array[start : start + _BATCH] for name, array in arrays.items()}


def _said(values: np.ndarray, answer: DecisionRule) -> np.ndarray:
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
