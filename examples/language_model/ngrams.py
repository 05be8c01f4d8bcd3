"""The perplexity of n-gram models of characters on data/topics: what a language model has to be better than.

An n-gram's distribution is interpolated with that of the next shorter one (Witten and Bell 1991), down to the uniform one.
The end of a paragraph is a character, as in ``specs/language_model.nnspec.yaml``, and the first of the text is not said.
Run ``python examples/language_model/ngrams.py``.
"""

from __future__ import annotations

import math
import sys
from collections import Counter, defaultdict
from pathlib import Path

_LONGEST = 8


def perplexity(train: str, test: str, longest: int) -> list[float]:
    """The perplexity of a text by the characters of another, for each length of n-gram from 1 on.

    Args:
        train: What is counted.
        test: What is said; a character that was not counted is one of the uniform distribution.
        longest: The largest n.

    Example:
        >>> [round(p, 2) for p in perplexity("abababab", "ababab", 2)]
        [2.14, 1.13]
    """
    followers: list[dict[str, Counter[str]]] = [defaultdict(Counter) for _ in range(longest)]
    for i, char in enumerate(train):
        for n in range(min(longest, i + 1)):
            followers[n][train[i - n : i]][char] += 1
    characters = len(set(train)) + 1
    logs = [0.0] * longest
    for i in range(1, len(test)):
        p = 1 / characters
        for n in range(longest):
            counts = followers[n].get(test[max(i - n, 0) : i]) if n <= i else None
            if counts:
                total, kinds = counts.total(), len(counts)
                p = (counts[test[i]] + kinds * p) / (total + kinds)
            logs[n] -= math.log(p)
    return [math.exp(log / (len(test) - 1)) for log in logs]


def main(folder: str = "data/topics") -> None:
    """Prints them."""
    train, test = ((Path(folder) / f"{part}.txt").read_text("utf-8") for part in ("train", "test"))
    for n, value in enumerate(perplexity(train, test, _LONGEST), 1):
        print(f"{n}-grams: perplexity {value:.3f} a character")


if __name__ == "__main__":
    main(*sys.argv[1:])
