"""Writes data/mnist_few_labels: all training images of MNIST without labels, 500 with labels, and the test images.

Run ``python -m examples.fetch mnist`` first, then ``python examples/contrastive/split.py [SEED [FOLDER]]``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_MNIST = Path(__file__).parents[2] / "data" / "mnist"
_LABELED = 500


def write_split(folder: Path, seed: int) -> None:
    """Draws the labeled images and writes all files.

    Args:
        folder: Where the files are written: ``unlabeled.npz``, ``labeled.npz`` and ``test.npz``.
        seed: Which images are drawn.
    """
    images, labels = _images("train"), _labels("train")
    order = np.random.default_rng(seed).permutation(len(images))
    labeled = order[:_LABELED]
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "unlabeled.npz", image=_scaled(images[order]))
    np.savez(folder / "labeled.npz", image=_scaled(images[labeled]), digit=labels[labeled])
    np.savez(folder / "test.npz", image=_scaled(_images("t10k")), digit=_labels("t10k"))


def _images(part: str) -> NDArray[np.uint8]:
    return np.fromfile(_MNIST / f"{part}-images-idx3-ubyte", np.uint8, offset=16).reshape(-1, 28, 28)


def _labels(part: str) -> NDArray[np.uint8]:
    return np.fromfile(_MNIST / f"{part}-labels-idx1-ubyte", np.uint8, offset=8)


def _scaled(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    return (images[..., None] / 255).astype(np.float32)


if __name__ == "__main__":
    write_split(
        Path(sys.argv[2] if len(sys.argv) > 2 else "data/mnist_few_labels"), int(sys.argv[1]) if len(sys.argv) > 1 else 0
    )
