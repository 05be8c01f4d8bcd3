"""The share of a file's sequences that a run says exactly, by their length.

The decoder reads the true tokens; its answers to them are right everywhere exactly where decoding greedily comes to them.
Run ``python examples/sequences/exact.py runs/reverse data/sequences/longer.jsonl``.
"""

from __future__ import annotations

import sys

import numpy as np

from nnspec.data.deriving import next_token
from nnspec.data.recipe import open_data, read_inputs
from nnspec.training import Run
from nnspec.training.evaluation import trained_model


def main(path: str, file: str) -> None:
    """Prints the share of all, and of each range of ten lengths."""
    run = Run.open(path)
    table, name = open_data(file)
    inputs = read_inputs(table, name, run.recipe(), run.model.main.inputs)
    said = np.asarray(trained_model(run).predict(inputs, verbose=0)["logits"]).argmax(-1)
    true = next_token(inputs["target"], 0)
    right = ((said == true) | (true == 0)).all(1)
    lengths = (inputs["target"] != 0).sum(1) - 2
    print(f"{right.sum():,} of {len(right):,} are exact: {right.mean():.2%}")
    for low in range(1, int(lengths.max()) + 1, 10):
        own = right[(lengths >= low) & (lengths < low + 10)]
        if len(own):
            print(f"  of {low} to {low + 9} letters: {own.sum():,} of {len(own):,}, {own.mean():.2%}")


if __name__ == "__main__":
    main(*sys.argv[1:])
