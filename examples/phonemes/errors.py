"""The share of the words that a run says wrong, of the words it was never trained on: greedily, and by the beam of its spec.

A word is right where the phonemes that are generated are one of its pronunciations; the phoneme error is counted against the
nearest. Run ``python examples/phonemes/errors.py runs/phonemes``.
"""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from pathlib import Path

from nnspec import Generator
from nnspec.exporting.sequence_metrics import edit_distance

_AT_ONCE = 256


def main(path: str, file: str = "data/cmudict/test.jsonl") -> None:
    """Prints the errors."""
    ways: dict[str, list[list[str]]] = defaultdict(list)
    for line in Path(file).read_text("utf-8").splitlines():
        row = json.loads(line)
        ways[row["word"]].append(row["phonemes"].split())
    # Words of one length together: a batch is as long as its longest.
    words = sorted(ways, key=lambda word: (len(word), word))
    generator = Generator(path)
    beam = generator.procedure.way
    for name, way in {"greedy": None, f"beam {getattr(beam, 'width', 0)}": beam}.items():
        began = time.perf_counter()
        said = [(one.text or "").split() for one in generator.texts(words, way=way, batch_size=_AT_ONCE)]
        nearest = [min((edit_distance(a, b), len(b)) for b in ways[word]) for word, a in zip(words, said, strict=True)]
        wrong = sum(edits > 0 for edits, _ in nearest)
        edits, wanted = (sum(column) for column in zip(*nearest, strict=True))
        print(
            f"{name}: {wrong:,} of {len(words):,} words are said wrong: word error {wrong / len(words):.2%}, "
            f"phoneme error {edits / wanted:.2%} ({time.perf_counter() - began:.0f} s)"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
