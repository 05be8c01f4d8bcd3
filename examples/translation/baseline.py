"""What a dictionary alone makes of the test data: a baseline for the nets.

Of the rows that are trained on, each German text knows its English. A text that is known is looked up; of one that is not,
each word is; a word that is not is split into two that are known, the longest first; what is left is copied. The answers go
through the figures that ``nnspec evaluate`` prints of a run. Run ``python examples/translation/baseline.py``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from sacrebleu import corpus_bleu, corpus_chrf

_SHORTEST_PART = 3


def rows(file: Path) -> list[tuple[str, str]]:
    """German and English of a file's rows."""
    found = (json.loads(line) for line in file.read_text("utf-8").splitlines())
    return [(row["german"], row["english"]) for row in found]


def translated(text: str, known: dict[str, str], *, splits: bool) -> str:
    """A text by the dictionary, and copied where that does not know it.

    Args:
        text: The German text.
        known: English by German in small letters.
        splits: Whether a word that is not known is split into two that are.
    """
    if text.lower() in known:
        return known[text.lower()]
    words = text.split()
    if len(words) > 1:
        return " ".join(translated(word, known, splits=splits) for word in words)
    for end in range(len(text) - _SHORTEST_PART, _SHORTEST_PART - 1, -1) if splits else ():
        parts = [text[:end].lower(), text[end:].lower()]
        # A compound may be held together by an s: Arbeit-s-amt.
        parts[0] = parts[0] if parts[0] in known else parts[0].removesuffix("s")
        if all(part in known for part in parts):
            return " ".join(known[part] for part in parts)
    return text


def main(folder: str = "data/german_english") -> None:
    """Prints the figures of copying alone, with the dictionary, and with compounds split."""
    known: dict[str, str] = {}
    for german, english in rows(Path(folder) / "train.jsonl"):
        known.setdefault(german.lower(), english)
    test = rows(Path(folder) / "test.jsonl")
    wanted = [english for _, english in test]
    for name, table, splits in (
        ("copied", {}, False),
        ("dictionary", known, False),
        ("dictionary, compounds split", known, True),
    ):
        given = [translated(german, table, splits=splits) for german, _ in test]
        exact = sum(a == b for a, b in zip(given, wanted, strict=True)) / len(test)
        bleu, chrf = corpus_bleu(given, [wanted]).score, corpus_chrf(given, [wanted]).score
        print(f"{name}: exact {exact:.2%}, BLEU {bleu:.2f}, chrF {chrf:.2f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
