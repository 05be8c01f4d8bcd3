"""Writes scikit-learn's 1,797 digits into data/digits_500: 1,397 without labels, 500 of these with, and 400 to test on.

Run ``python examples/pretraining/split.py [SEED [FOLDER]]``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

_TEST, _LABELLED = 400, 500


def write_split(folder: Path, seed: int) -> None:
    """Draws the parts; none of what is tested on is in the others.

    Args:
        folder: Where the files are written: ``unlabelled.npz``, ``labelled.npz`` and ``test.npz``.
        seed: Which draw.
    """
    digits = load_digits()
    image = (digits.images[..., None] / 16).astype(np.float32)
    order = np.random.default_rng(seed).permutation(len(image))
    test, rest = order[:_TEST], order[_TEST:]
    labelled = rest[:_LABELLED]
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "unlabelled.npz", image=image[rest])
    np.savez(folder / "labelled.npz", image=image[labelled], digit=digits.target[labelled])
    np.savez(folder / "test.npz", image=image[test], digit=digits.target[test])


if __name__ == "__main__":
    write_split(Path(sys.argv[2] if len(sys.argv) > 2 else "data/digits_500"), int(sys.argv[1]) if len(sys.argv) > 1 else 0)
