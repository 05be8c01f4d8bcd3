"""Writes random sequences with the same reversed and sorted into data/sequences.

``test.jsonl`` has 1,000 rows of 1 to 40 tokens, and ``longer.jsonl`` 1,000 of 41 to 60. What is learned from is 120,000 rows
of 1 to 40 tokens, harder than those: a row of ``few_letters.jsonl`` has 4 to 12 different letters, and one of ``gaps.jsonl``
leaves out numbers that follow each other, up to 60 of them, and half have at most 10 tokens. The columns are ``letters`` and
``reversed``, ``numbers`` and ``sorted`` (numbers of two digits, each at most once). Run ``python examples/sequences/make.py``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from string import ascii_lowercase

import numpy as np

_PARTS = {
    "test": (1_000, 1, 40),
    "longer": (1_000, 41, 60),
    "few_letters": (120_000, 1, 40),
    "gaps": (120_000, 1, 40),
}
_NUMBERS = 100


def write_sequences(folder: Path, seed: int = 0) -> None:
    """Writes the parts.

    Args:
        folder: Where to.
        seed: Which draw.
    """
    draw = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    for part, (count, shortest, longest) in _PARTS.items():
        with (folder / f"{part}.jsonl").open("w", encoding="utf-8") as file:
            lengths = draw.integers(shortest, longest + 1, count)
            if part == "gaps":
                lengths = 1 + (lengths - 1) ** 2 // (longest - 1)
            for length in lengths:
                alphabet = list(ascii_lowercase)
                if part == "few_letters":
                    alphabet = list(draw.permutation(alphabet)[: draw.integers(4, 13)])
                letters = "".join(draw.choice(alphabet, length))
                numbers = draw.permutation(_NUMBERS)
                if part == "gaps":
                    start, gap = draw.integers(_NUMBERS), draw.integers(_NUMBERS - longest + 1)
                    numbers = numbers[(numbers - start) % _NUMBERS >= gap]
                numbers = numbers[:length]
                row = {"letters": letters, "reversed": letters[::-1]}
                row |= {"numbers": _text(numbers), "sorted": _text(np.sort(numbers))}
                file.write(json.dumps(row) + "\n")


def _text(numbers: np.ndarray) -> str:
    return " ".join(f"{number:02}" for number in numbers)


if __name__ == "__main__":
    write_sequences(Path(sys.argv[1] if len(sys.argv) > 1 else "data/sequences"))
