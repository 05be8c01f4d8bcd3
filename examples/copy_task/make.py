"""Writes random sequences to copy into data/copy_task.

Each row has the bits of a sequence, a delimiter, and as many empty steps, at which the bits are to be returned; rows of shorter
sequences end with more empty steps, of which ``recall`` is 0. ``train.npz``, ``validation.npz`` and ``test.npz`` have 1 to 10
steps of 8 bits, ``longer.npz`` has 20. Run ``python examples/copy_task/make.py``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_BITS = 8
_SPLITS = {"train": (40_000, 1, 10), "validation": (1_000, 1, 10), "test": (1_000, 1, 10), "longer": (1_000, 20, 20)}


def sequences(count: int, shortest: int, longest: int, seed: int) -> dict[str, NDArray[np.float32]]:
    """Returns random sequences.

    Args:
        count: The number of sequences.
        shortest: The smallest length.
        longest: The greatest length.
        seed: The seed.
    """
    random = np.random.default_rng(seed)
    steps = 2 * longest + 1
    found = {name: np.zeros((count, steps, size), np.float32) for name, size in (("sequence", _BITS + 1), ("bits", _BITS))}
    recall = np.zeros((count, steps), np.float32)
    for row, length in enumerate(random.integers(shortest, longest + 1, count)):
        bits = random.integers(0, 2, (length, _BITS))
        after = slice(length + 1, 2 * length + 1)
        found["sequence"][row, :length, :_BITS] = bits
        found["sequence"][row, length, _BITS] = 1
        found["bits"][row, after] = bits
        recall[row, after] = 1
    return {**found, "recall": recall}


def write_sequences(folder: Path) -> None:
    """Writes the splits, each with its own seed."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed, (split, sizes) in enumerate(_SPLITS.items()):
        np.savez_compressed(folder / f"{split}.npz", **sequences(*sizes, seed))


if __name__ == "__main__":
    write_sequences(Path(sys.argv[1] if len(sys.argv) > 1 else "data/copy_task"))
