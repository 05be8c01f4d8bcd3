"""Prints the share of wrong bits of an exported model, for each file of sequences.

Run ``python examples/copy_task/wrong_bits.py runs/copy_task/model.onnx data/copy_task/test.npz data/copy_task/longer.npz``.
"""

from __future__ import annotations

import sys

import numpy as np

from nnspec import Predictor


def main(model: str, *files: str) -> None:
    """Prints the shares."""
    predictor = Predictor(model)
    for file in files:
        with np.load(file) as data:
            given = {name: data[name] for name in data.files}
        counted = given["recall"] > 0
        wrong = ((predictor.predict({"sequence": given["sequence"]})["bits"] > 0.5) != (given["bits"] > 0.5))[counted]
        lengths = counted.sum(1)
        print(f"{file}: lengths {lengths.min()} to {lengths.max()}, {wrong.sum():,} of {wrong.size:,} bits wrong", end=" ")
        print(f"({wrong.mean():.3%})")


if __name__ == "__main__":
    main(*sys.argv[1:])
