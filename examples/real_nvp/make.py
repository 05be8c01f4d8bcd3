"""Writes the digits of scikit-learn with uniform noise in [0, 1) into data/real_nvp.

A density of gray levels, which are integers, has no upper bound; with the noise, its mean log-likelihood is a lower bound of
that of the integers (Theis, van den Oord and Bethge 2016). The 1,797 digits are shuffled: 1,197 for training, 200 for
validation, 400 for the test. Run ``python examples/real_nvp/make.py``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

_SPLITS = {"train": slice(0, 1197), "validation": slice(1197, 1397), "test": slice(1397, None)}


def write_digits(folder: Path, seed: int = 0) -> None:
    """Writes the splits."""
    random = np.random.default_rng(seed)
    levels = load_digits().images
    noisy = (levels + random.random(levels.shape)).astype(np.float32)[random.permutation(len(levels))]
    # Rounded to float32, noise of nearly 1 is the next level.
    noisy = np.minimum(noisy, np.nextafter(np.floor(noisy) + 1, np.float32(0), dtype=np.float32))
    folder.mkdir(parents=True, exist_ok=True)
    for split, rows in _SPLITS.items():
        np.savez_compressed(folder / f"{split}.npz", image=noisy[rows])


if __name__ == "__main__":
    write_digits(Path(sys.argv[1] if len(sys.argv) > 1 else "data/real_nvp"))
