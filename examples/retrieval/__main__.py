"""``python -m examples.retrieval RUN``: the recall of a dual encoder on held-out questions, and that of BM25."""

from __future__ import annotations

import json
import math
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from examples.fetch.__main__ import DATA

_WORD = re.compile(r"\w+")
_K1, _B = 1.5, 0.75


def encoded(run: str, file: Path, rows: int) -> np.ndarray:
    """Scores each answer of a file for each question by the similarity of their vectors."""
    from nnspec.exporting.run_predictions import predict_run

    neighbors = predict_run(run, str(file), neighbors=rows, among=str(file)).neighbors
    assert neighbors is not None
    scores = np.zeros((rows, rows))
    np.put_along_axis(scores, neighbors.rows, neighbors.similarity.astype(np.float64), 1)
    return scores


def bm25(questions: list[str], answers: list[str]) -> np.ndarray:
    """Scores each answer for each question (Robertson and Zaragoza 2009)."""
    documents = [Counter(_words(answer)) for answer in answers]
    lengths = np.array([sum(document.values()) for document in documents])
    places: dict[str, list[tuple[int, int]]] = {}
    for place, document in enumerate(documents):
        for word, count in document.items():
            places.setdefault(word, []).append((place, count))
    scores = np.zeros((len(questions), len(answers)))
    for row, question in enumerate(questions):
        for word in _words(question):
            found = places.get(word, [])
            rarity = math.log(1 + (len(answers) - len(found) + 0.5) / (len(found) + 0.5))
            for place, count in found:
                norm = count + _K1 * (1 - _B + _B * lengths[place] / lengths.mean())
                scores[row, place] += rarity * count * (_K1 + 1) / norm
    return scores


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def recalls(scores: np.ndarray) -> dict[str, float]:
    """The share of questions whose answer is the first, or among the first ten."""
    own = scores[np.arange(len(scores)), np.arange(len(scores))]
    ranks = (scores > own[:, None]).sum(1)
    return {f"recall@{k}": round(float((ranks < k).mean()), 3) for k in (1, 10)}


def main(arguments: list[str]) -> int:
    """Prints both recalls over the test questions and their answers."""
    run = arguments[0] if arguments else "runs/dual_encoder"
    file = DATA / "docstrings/test.jsonl"
    rows: list[dict[str, Any]] = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    print(f"{len(rows):,} questions and answers")
    words = bm25([row["question"] for row in rows], [row["answer"] for row in rows])
    vectors = encoded(run, file, len(rows))
    for name, scores in (("BM25", words), ("dual encoder", vectors)):
        print(name, recalls(scores))
    # Ranks are added, so that the scales of the scores do not matter.
    ranks = [-np.argsort(np.argsort(-scores, axis=1), axis=1) for scores in (words, vectors)]
    print("both", recalls(sum(1 / (60 - rank) for rank in ranks)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
