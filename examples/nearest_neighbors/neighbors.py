"""Nearest neighbors of digits by an embedding that was trained with triplets.

`digits_triplet` is trained on 1,257 of the 1,797 digits of scikit-learn. Each of the other 540 is given the digit of its
nearest neighbor among the training images: by the 16 numbers of the embedding, by those of an untrained network, and by the 64
pixels.
Run ``python examples/nearest_neighbors/neighbors.py [SEEDS]``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

import nnspec
from nnspec.training.loop.progress import Quiet

_ROOT = Path(__file__).parents[2]


def train_embedding(images: NDArray[np.float32], digits: NDArray[np.int32], seed: int) -> None:
    """Train into the run that the embedding starts from."""
    with TemporaryDirectory(dir=_ROOT) as folder:
        file = Path(folder) / "digits.npz"
        np.savez(file, image=images, target=digits)
        source = f"data.train={{npz: ../{file.relative_to(_ROOT).as_posix()}}}"
        spec = nnspec.load(_ROOT / "specs" / "digits_triplet.nnspec.yaml", [source, f"train.seed={seed}"])
        nnspec.train(spec, out=_ROOT / "runs" / "digits_triplet", overwrite=True, progress=Quiet())


def embedded(images: NDArray[np.float32], seed: int, *overrides: str) -> NDArray[np.float32]:
    """Return the vectors of images, from the exported embedding."""
    spec = nnspec.load(Path(__file__).with_name("embedding.nnspec.yaml"), overrides)
    with TemporaryDirectory() as folder:
        nnspec.build(spec, Path(folder), seed=seed)
        return nnspec.Predictor(Path(folder) / "model.onnx").predict({"image": images})["embedding"]


def main(seeds: int = 3) -> None:
    """Print the accuracies of each seed and their means."""
    data = load_digits()
    images, digits = (data.images[..., None] / 16).astype(np.float32), data.target.astype(np.int32)
    rows = []
    print("seed  embedding  untrained  pixels")
    for seed in range(1, seeds + 1):
        known, new, labels, wanted = train_test_split(images, digits, test_size=0.3, random_state=seed, stratify=digits)
        train_embedding(known, labels, seed)
        scores = []
        for network in ((), ("weights=null",), None):
            vectors = known, new
            if network is not None:
                vectors = embedded(known, seed, *network), embedded(new, seed, *network)
            neighbors = KNeighborsClassifier(1).fit(vectors[0].reshape(len(known), -1), labels)
            scores.append(float(neighbors.score(vectors[1].reshape(len(new), -1), wanted)))
        rows.append(scores)
        print(f"{seed:4}  {scores[0]:9.4f}  {scores[1]:9.4f}  {scores[2]:6.4f}", flush=True)
    means = list(map(fmean, zip(*rows, strict=True)))
    print(f"mean  {means[0]:9.4f}  {means[1]:9.4f}  {means[2]:6.4f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
