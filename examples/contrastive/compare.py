"""Classifiers of 500 labeled digits that start from a contrastively pre-trained encoder, against the same from scratch.

For each seed the images are drawn anew (``split.py``), and both specs are trained with that seed. From scratch the network is
trained in one phase for as many epochs as both phases have, at the higher rate, and keeps the weights of its best epoch. Both
are augmented with the transforms of the views.
Run ``python examples/contrastive/compare.py [SEEDS [FIRST]]``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

import keras
from split import write_split

from nnspec.spec import load
from nnspec.training import Run, evaluate, train
from nnspec.training.loop.progress import Quiet

_SPECS = Path(__file__).parents[2] / "specs"
_ONE_PHASE = "train.phases=[{epochs: 60, optimizer: {Adam: {learning_rate: 1e-3}}}]"


def accuracies(seed: int, folder: Path) -> tuple[float, float]:
    """The accuracy on the test images: pre-trained, and from scratch.

    Args:
        seed: The seed of the draw and of the trainings.
        folder: Where files and runs are written.
    """
    write_split(folder, seed)

    def run(spec: str, name: str, *overrides: str) -> Run:
        keras.backend.clear_session(free_memory=True)
        read = load(_SPECS / f"{spec}.nnspec.yaml", [f"train.seed={seed}", *overrides], root=Path("/"))
        return train(read, out=folder / name, progress=Quiet())

    def accuracy(name: str, *overrides: str) -> float:
        data = [f"data.{key}={{npz: {folder / file}.npz}}" for key, file in (("train", "labeled"), ("test", "test"))]
        return float(
            evaluate(run("mnist_few_labels", name, *data, *overrides), part="test")["digit_sparse_categorical_accuracy"]
        )

    encoder = run("mnist_contrastive", "encoder", f"data.train={{npz: {folder / 'unlabeled.npz'}}}")
    pretrained = accuracy("pretrained", f"layers[0].weights={{file: {encoder.path}, prefix: encoder}}")
    return pretrained, accuracy("scratch", "layers[0].weights=null", _ONE_PHASE)


def main(seeds: int = 3, first: int = 1) -> None:
    """Prints the accuracies of each seed and their means."""
    rows = []
    print("seed  pre-trained  from scratch")
    for seed in range(first, first + seeds):
        with TemporaryDirectory() as folder:
            rows.append(accuracies(seed, Path(folder)))
        print(f"{seed:4}  {rows[-1][0]:11.4f}  {rows[-1][1]:12.4f}", flush=True)
    pretrained, scratch = map(fmean, zip(*rows, strict=True))
    print(f"mean  {pretrained:11.4f}  {scratch:12.4f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
