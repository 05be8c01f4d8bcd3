"""``python -m examples.word2vec``: word vectors of nnspec and of gensim, trained on the same text, and how good both are."""

from __future__ import annotations

import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from examples.fetch.__main__ import DATA
from examples.fetch.__main__ import main as fetch

SPECS = Path(__file__).parents[2] / "specs"
RUNS = Path(__file__).parents[2] / "runs"
WIDTH, REACH, NEGATIVES, VOCABULARY, MIN_COUNT = 100, 5, 10, 20_000, 5
PASSES_OF_GENSIM = 1, 7
"""How often gensim reads the text: as often as nnspec, and about as long."""
FREQUENT = 1e-4
"""Words more frequent than this share are dropped at random (Mikolov et al. 2013, equation 5), once for both sides."""


def write_text(file: Path) -> int:
    """Writes the 20 newsgroups as one message a line, without rare words, and with fewer of the frequent ones.

    Returns:
        The number of words.
    """
    fetch(["newsgroups"])
    texts = [text for part in ("train", "test") for text in _texts(DATA / f"newsgroups/{part}.jsonl")]
    counts = Counter(word for words in texts for word in words)
    ordered = sorted(counts, key=lambda word: (-counts[word], word))[: VOCABULARY - 4]
    total = sum(counts.values())
    kept = {word: (FREQUENT * total / counts[word]) ** 0.5 for word in ordered if counts[word] >= MIN_COUNT}
    draw = random.Random(1)
    lines = [" ".join(word for word in words if draw.random() < kept.get(word, 0)) for words in texts]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(filter(None, lines)) + "\n", encoding="utf-8")
    return sum(len(line.split()) for line in lines)


def _texts(file: Path) -> Iterator[list[str]]:
    with file.open(encoding="utf-8") as rows:
        for row in rows:
            yield json.loads(row)["text"].split()


def trained(name: str) -> tuple[list[str], np.ndarray]:
    """Trains a spec, unless its run is there, and returns its words and their vectors."""
    from nnspec.spec import load
    from nnspec.training import Run, train

    folder = RUNS / name
    run = Run.open(folder) if folder.exists() else train(load(SPECS / f"{name}.nnspec.yaml"), out=folder)
    [vectors] = [array for key, array in run.weights().items() if key.startswith("word/")]
    words = run.transforms()["inputs.words"][0]["learned"]["vocabulary"]
    return words[4:], vectors[4 : len(words)]


def scores(vectors: Any) -> dict[str, float]:
    """Scores gensim's ``KeyedVectors``: Spearman's correlation with human judgments, and the share of right analogies."""
    from gensim.test.utils import datapath

    found = {}
    for title, file in (("WordSim-353", "wordsim353.tsv"), ("SimLex-999", "simlex999.txt")):
        _, spearman, missing = vectors.evaluate_word_pairs(datapath(file))
        found[title] = float(spearman[0])
        found[f"{title} covered"] = 1 - missing / 100
    found["analogies"], sections = vectors.evaluate_word_analogies(datapath("questions-words.txt"), restrict_vocab=VOCABULARY)
    found["questions"] = sum(len(sections[-1][key]) for key in ("correct", "incorrect"))
    return found


def show(title: str, seconds: float, vectors: Any) -> None:
    """Prints the scores of vectors."""
    found = {"seconds": round(seconds), **{key: round(value, 3) for key, value in scores(vectors).items()}}
    print(f"{title}: {json.dumps(found)}", flush=True)


def main(names: list[str]) -> int:
    """Compares; ``names`` are specs, by default both."""
    try:
        from gensim.models import KeyedVectors, Word2Vec
    except ImportError:
        print("this requires gensim: pip install gensim", file=sys.stderr)
        return 2
    text = DATA / "word2vec/text.txt"
    print(f"{write_text(text):,} words", flush=True)
    lines = [line.split() for line in text.read_text("utf-8").splitlines()]
    for name in names or ["word2vec", "cbow"]:
        begun = time.monotonic()
        words, vectors = trained(name)
        own = KeyedVectors(WIDTH)
        own.add_vectors(words, vectors)
        show(f"{name}, nnspec", time.monotonic() - begun, own)
        kind = {"sg": int(name == "word2vec"), "negative": 5 if name == "word2vec" else NEGATIVES, "sample": 0}
        for epochs in PASSES_OF_GENSIM:
            begun = time.monotonic()
            theirs = Word2Vec(
                lines, vector_size=WIDTH, window=REACH, min_count=MIN_COUNT, epochs=epochs, workers=2, seed=1, **kind
            )
            show(f"{name}, gensim, epochs: {epochs}", time.monotonic() - begun, theirs.wv)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
