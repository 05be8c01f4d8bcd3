"""Figures of sequences of tokens, which Keras has not. What the loss leaves out does not count in them."""

from __future__ import annotations

from typing import ClassVar

from nnspec.training.batches.targets import Expected, TargetKind
from nnspec.training.catalogue.metrics.base import Falling, FromLogits, Rising

__all__ = ["ExactMatch", "Perplexity"]


class Perplexity(Falling):
    """Among how many tokens, equally likely, the choice would be as hard: e to the mean cross-entropy of all positions."""

    target: ClassVar[TargetKind | None] = "class"
    expects: ClassVar[Expected] = "distribution"

    from_logits: FromLogits = False


class ExactMatch(Rising):
    """The share of the examples that are right at every position."""

    target: ClassVar[TargetKind | None] = "class"
