"""The share of a file's sequences that a run generates exactly, by their length.

Beside it stands the share at which the trained network, given the true tokens, has the next one likeliest at every position:
decoding greedily comes to the true sequence exactly there, so that the two must be the same.
Run ``python examples/sequences/exact.py runs/reverse data/sequences/longer.jsonl``.
"""

from __future__ import annotations

import sys

import numpy as np
from nnspec.data.targets.from_inputs import next_token

from nnspec import Generator
from nnspec.data.recipe import open_data, read_inputs
from nnspec.training import Run
from nnspec.training.evaluation.evaluate import trained_model


def main(path: str, file: str) -> None:
    """Prints the share of all, and of each range of ten lengths."""
    run = Run.open(path)
    table, name = open_data(file)
    inputs = read_inputs(table, name, run.recipe(), run.model.main.inputs)
    true = next_token(inputs["target"], 0)
    forced = np.asarray(trained_model(run).predict(inputs, verbose=0)["logits"]).argmax(-1)
    told = ((forced == true) | (true == 0)).all(1)
    end = Generator(path).procedure.end
    generated = Generator(path).generate({"source": inputs["source"]}, way=None, batch_size=256)
    wanted = [tuple(int(t) for t in row[: int(np.argmax(row == end))]) for row in true]
    right = np.array([one.ended and one.tokens == tokens for one, tokens in zip(generated, wanted, strict=True)])
    lengths = np.array([len(tokens) for tokens in wanted])
    print(f"{right.sum():,} of {len(right):,} are exact: {right.mean():.2%} (given the true tokens {told.sum():,})")
    for low in range(1, int(lengths.max()) + 1, 10):
        own = right[(lengths >= low) & (lengths < low + 10)]
        if len(own):
            print(f"  of {low} to {low + 9} tokens: {own.sum():,} of {len(own):,}, {own.mean():.2%}")


if __name__ == "__main__":
    main(*sys.argv[1:])
