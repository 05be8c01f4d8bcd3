"""Classifiers of 500 labeled digits that start from a contrastively pre-trained encoder, against the same from scratch.

From scratch the network is trained in one phase for as many epochs as both phases have, at the higher rate, and keeps the
weights of its best epoch. Both are augmented with the transforms of the views. ``run.sh`` trains the encoder first.
Run ``python examples/contrastive/compare.py [SEEDS]``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

import keras

from nnspec.spec import load
from nnspec.training import evaluate, train
from nnspec.training.loop.progress import Quiet

_SPEC = Path(__file__).parents[2] / "specs" / "mnist_few_labels.nnspec.yaml"
_SCRATCH = ("layers[0].weights=null", "train.phases=[{epochs: 60, optimizer: {Adam: {learning_rate: 1e-3}}}]")


def accuracy(seed: int, *overrides: str) -> float:
    """The accuracy of one classifier on the test images.

    Args:
        seed: The seed of the training.
        overrides: What differs from the spec.
    """
    keras.backend.clear_session(free_memory=True)
    with TemporaryDirectory() as folder:
        run = train(load(_SPEC, [f"train.seed={seed}", *overrides]), out=Path(folder) / "run", progress=Quiet())
        return float(evaluate(run, part="test")["digit_sparse_categorical_accuracy"])


def main(seeds: int = 3) -> None:
    """Prints the accuracies of each seed and their means."""
    rows = []
    print("seed  pre-trained  from scratch")
    for seed in range(1, seeds + 1):
        rows.append((accuracy(seed), accuracy(seed, *_SCRATCH)))
        print(f"{seed:4}  {rows[-1][0]:11.4f}  {rows[-1][1]:12.4f}", flush=True)
    pretrained, scratch = map(fmean, zip(*rows, strict=True))
    print(f"mean  {pretrained:11.4f}  {scratch:12.4f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
