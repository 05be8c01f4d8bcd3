"""Writes random sequences with the same reversed and sorted into data/sequences.

``train.jsonl`` has 120,000 rows of 1 to 40 tokens, ``test.jsonl`` 1,000 more of the same, and ``longer.jsonl`` 1,000 of 41
to 60: lengths that are never trained. The columns are ``letters`` and ``reversed`` (any letters), ``numbers`` and ``sorted``
(numbers of two digits, each at most once). Run ``python examples/sequences/make.py``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from string import ascii_lowercase

import numpy as np

_PARTS = {"train": (120_000, 1, 40), "test": (1_000, 1, 40), "longer": (1_000, 41, 60)}
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
            for length in draw.integers(shortest, longest + 1, count):
                letters = "".join(draw.choice(list(ascii_lowercase), length))
                numbers = draw.permutation(_NUMBERS)[:length]
                row = {"letters": letters, "reversed": letters[::-1]}
                row |= {"numbers": _text(numbers), "sorted": _text(np.sort(numbers))}
                file.write(json.dumps(row) + "\n")


def _text(numbers: np.ndarray) -> str:
    return " ".join(f"{number:02}" for number in numbers)


if __name__ == "__main__":
    write_sequences(Path(sys.argv[1] if len(sys.argv) > 1 else "data/sequences"))
