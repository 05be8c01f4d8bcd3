"""The share of the words that a run says wrong, of the words it was never trained on.

A word is right where the likeliest phonemes, one after another, are one of its pronunciations. The decoder's answers to a
pronunciation are right at every position exactly where decoding greedily comes to it, so that no decoding is needed.
Run ``python examples/phonemes/errors.py runs/phonemes``.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

from nnspec.training import Run
from nnspec.training.evaluation import examples_of, trained_model

_AT_ONCE = 1024


def right_rows(run: Run) -> np.ndarray:
    """Which rows of the test data are right at every position that counts, (rows,) of booleans."""
    _, examples = examples_of(run, "test")
    model, right = trained_model(run), []
    for start in range(0, len(examples), _AT_ONCE):
        batch = examples.batch(slice(start, start + _AT_ONCE))
        said = np.asarray(model.predict_on_batch(dict(batch.inputs))["logits"]).argmax(-1)
        true = batch.targets["logits"]
        right.append(((said == true) | (true == 0)).all(1))
    return np.concatenate(right)


def main(path: str, file: str = "data/cmudict/test.jsonl") -> None:
    """Prints the word error."""
    words: dict[str, bool] = defaultdict(bool)
    rows = [json.loads(line) for line in Path(file).read_text("utf-8").splitlines()]
    for row, right in zip(rows, right_rows(Run.open(path)), strict=True):
        words[row["word"]] |= bool(right)
    wrong = sum(not right for right in words.values())
    print(f"{wrong:,} of {len(words):,} words are said wrong: word error {wrong / len(words):.2%}")


if __name__ == "__main__":
    main(*sys.argv[1:])
