"""BLEU of answering every test scene with the same caption of the training set: the most frequent ones, and the best of all.

python -m examples.captions.frequent
"""

from __future__ import annotations

import csv
from collections import Counter

from examples.captions.compose import DATA

__all__ = ["main"]


def main() -> None:
    """Print the scores of the three most frequent captions, and of the one with the highest score."""
    import sacrebleu

    train, test = (_captions(split) for split in ("train", "test"))
    frequent = [caption for caption, _ in Counter(train).most_common()]
    scored = [(sacrebleu.corpus_bleu([one] * len(test), [test]).score, test.count(one) / len(test), one) for one in frequent]
    for score, exact, caption in scored[:3]:
        print(f"{caption!r}: BLEU {score:.1f}, exact {exact:.3f}")
    score, exact, caption = max(scored)
    print(f"best of {len(scored)}, {caption!r}: BLEU {score:.1f}, exact {exact:.3f}")


def _captions(split: str) -> list[str]:
    with (DATA / "captions" / f"{split}.csv").open(encoding="utf-8", newline="") as file:
        return [row["caption"] for row in csv.DictReader(file)]


if __name__ == "__main__":
    main()
