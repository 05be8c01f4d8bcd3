"""The perplexity of n-gram models of the data of a language model: what that has to be better than.

An n-gram's distribution is interpolated with that of the next shorter one (Witten and Bell 1991), down to the uniform one.
The end of a paragraph is a token, as in ``specs/language_model.nnspec.yaml``, and the first token of the text is not predicted.
Run ``python examples/language_model/ngrams.py`` for the characters of data/topics, or with the folder of a run for its tokens.
"""

from __future__ import annotations

import math
import sys
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from pathlib import Path

_LONGEST = 8


def perplexity(train: Sequence[Hashable], test: Sequence[Hashable], longest: int) -> list[float]:
    """The perplexity of a text by the tokens of another, for each length of n-gram from 1 on.

    Args:
        train: What is counted, a string or a tuple.
        test: The tokens to predict; a token that was not counted is one of the uniform distribution.
        longest: The largest n.

    Example:
        >>> [round(p, 2) for p in perplexity("abababab", "ababab", 2)]
        [2.14, 1.13]
    """
    followers: list[dict[Sequence[Hashable], Counter[Hashable]]] = [defaultdict(Counter) for _ in range(longest)]
    for i, token in enumerate(train):
        for n in range(min(longest, i + 1)):
            followers[n][train[i - n : i]][token] += 1
    tokens = len(set(train)) + 1
    logs = [0.0] * longest
    for i in range(1, len(test)):
        p = 1 / tokens
        for n in range(longest):
            counts = followers[n].get(test[max(i - n, 0) : i]) if n <= i else None
            if counts:
                total, kinds = counts.total(), len(counts)
                p = (counts[test[i]] + kinds * p) / (total + kinds)
            logs[n] -= math.log(p)
    return [math.exp(log / (len(test) - 1)) for log in logs]


def tokens(run: str) -> list[tuple[int, ...]]:
    """The tokens of the training and the test data of the run of a language model with windows."""
    from nnspec.training import Run
    from nnspec.training.evaluation.evaluate import examples_of

    found = []
    for parts in (("train", "validation"), ("test",)):
        texts = []
        for part in parts:
            examples = examples_of(Run.open(run), part)[1]
            [windows] = examples.batch(slice(0, len(examples))).inputs.values()
            texts += windows.ravel().tolist()
        found.append(tuple(texts))
    return found


def main(run: str | None = None) -> None:
    """Prints them."""
    train, test = (
        tokens(run) if run else ((Path("data/topics") / f"{part}.txt").read_text("utf-8") for part in ("train", "test"))
    )
    for n, value in enumerate(perplexity(train, test, _LONGEST), 1):
        print(f"{n}-grams: perplexity {value:.3f} per {'token' if run else 'character'}")


if __name__ == "__main__":
    main(*sys.argv[1:])
