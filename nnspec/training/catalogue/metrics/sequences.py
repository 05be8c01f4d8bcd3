"""Metrics of token sequences, which Keras does not have. Positions that the loss ignores do not count."""

from __future__ import annotations

from typing import ClassVar

from nnspec.training.batches.targets import Expected, TargetKind
from nnspec.training.catalogue.metrics.base import Falling, FromLogits, Rising

__all__ = ["ExactMatch", "Perplexity"]


class Perplexity(Falling):
    """Perplexity: the exponential of the mean cross-entropy of all positions."""

    target: ClassVar[TargetKind | None] = "class"
    expects: ClassVar[Expected] = "distribution"

    from_logits: FromLogits = False


class ExactMatch(Rising):
    """The share of examples that are correct at every position."""

    target: ClassVar[TargetKind | None] = "class"
