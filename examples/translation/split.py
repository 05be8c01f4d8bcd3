"""Writes the short entries of a German–English dictionary (`trans-de-en`, Frank Richter's) as rows into data/german_english.

A line of the dictionary has several entries, ``|`` between them, and an entry several ways of saying it, ``;`` between them.
Of each entry the first way in German and the first in English are a row, without what stands in brackets (genders, fields,
explanations), where both have at most 28 characters. A German text has one row, the first. What is tested on and validated
with, 2,000 rows each, is drawn with a fixed seed, by lines: no entry of a line that is tested on is trained on. A third column,
``plain``, is the German without capitals and umlauts, letter by letter.
Run ``python examples/translation/split.py DE_EN_FILE``.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

_LONGEST = 28
_HELD_OUT = 2_000
_BRACKETS = re.compile(r"\{[^}]*\}|\[[^\]]*\]|\([^)]*\)|<[^>]*>|/[^/]*/")
_WITHOUT_UMLAUTS = str.maketrans("äöüßé", "aouse")
_PLAIN = re.compile(r"[A-Za-zÄÖÜäöüßé' -]+")


def first_way(entry: str) -> str:
    """The first way of saying an entry, without what stands in brackets.

    Example:
        >>> first_way("Aalreuse {f}; Aalkorb {m} [zool.]")
        'Aalreuse'
    """
    return " ".join(_BRACKETS.sub(" ", entry).partition(";")[0].replace("’", "'").split())


def entries(line: str) -> Iterator[tuple[str, str]]:
    """The short entries of a line, German and English."""
    german, _, english = line.partition("::")
    for pair in zip(german.split("|"), english.split("|"), strict=False):
        source, target = map(first_way, pair)
        if all(len(text) <= _LONGEST and _PLAIN.fullmatch(text) for text in (source, target)):
            yield source, target


def write_split(dictionary: Path, folder: Path, seed: int = 0) -> None:
    """Writes ``train.jsonl``, ``validation.jsonl`` and ``test.jsonl``.

    Args:
        dictionary: The dictionary's file.
        folder: Where to.
        seed: Which draw.
    """
    text = dictionary.read_text("utf-8")
    lines = [found for line in text.splitlines() if not line.startswith("#") and (found := list(entries(line)))]
    known: set[str] = set()
    rows: dict[str, list[tuple[str, str]]] = {"test": [], "validation": [], "train": []}
    for i in np.random.default_rng(seed).permutation(len(lines)):
        part = next((part for part in ("test", "validation") if len(rows[part]) < _HELD_OUT), "train")
        for source, target in lines[i]:
            if source.lower() not in known:
                known.add(source.lower())
                rows[part].append((source, target))
    folder.mkdir(parents=True, exist_ok=True)
    for part, found in rows.items():
        texts = [
            {"german": source, "english": target, "plain": source.lower().translate(_WITHOUT_UMLAUTS)}
            for source, target in found
        ]
        lines = (json.dumps(text, ensure_ascii=False) + "\n" for text in texts)
        (folder / f"{part}.jsonl").write_text("".join(lines), encoding="utf-8")
        print(f"{part}: {len(found):,} rows")


if __name__ == "__main__":
    write_split(Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) > 2 else "data/german_english"))
