"""What a loss or a metric compares an output with, and what it takes the output for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from nnspec.data.kinds import TargetKind
from nnspec.types import Config

__all__ = ["Compares", "Expected", "TargetKind", "comparable"]

Expected = Literal["distribution", "probability", "logits", "number", "class"]
"""What an output is taken for: probabilities over the last axis, a probability each, logits, any numbers, class indices."""

_SERVES: dict[TargetKind, frozenset[TargetKind]] = {
    "class": frozenset({"class", "label"}),
    "distribution": frozenset({"distribution", "probability", "number", "non_negative", "sign"}),
    "probability": frozenset({"distribution", "probability", "number", "non_negative", "sign"}),
    "sign": frozenset({"sign", "number"}),
    "number": frozenset({"number"}),
    "non_negative": frozenset({"number", "non_negative"}),
    "label": frozenset({"label"}),
    "sequence": frozenset({"sequence"}),
}


def comparable(given: TargetKind, wanted: TargetKind) -> bool:
    """Whether a target made for a loss of one kind serves a metric of another.

    Example:
        >>> comparable("class", "distribution"), comparable("distribution", "number")
        (False, True)
    """
    return wanted in _SERVES[given]


class Compares(Config):
    """A loss or a metric: it compares an output with a target."""

    unsupported: ClassVar[Mapping[str, str]] = {
        "dtype": "take it away: losses and metrics are computed in float32",
        "name": "take it away: figures are named after the output and the metric",
        "reduction": "take it away: a loss is averaged over the examples",
    }

    target: ClassVar[TargetKind | None] = "number"
    """What it compares with; None for one that needs no target."""

    expects: ClassVar[Expected] = "number"
    """What it takes the output for, where no argument says otherwise."""

    instead: ClassVar[tuple[str, ...]] = ()
    """Those that ask the same of another kind of target."""

    each_alone: ClassVar[bool] = False
    """Whether each unit is a yes or no of its own, whatever the others say."""

    def target_kind(self) -> TargetKind | None:
        """What it compares with, its arguments considered."""
        return self.target

    def expected(self) -> Expected:
        """What it takes the output for, its arguments considered."""
        return "logits" if getattr(self, "from_logits", False) else self.expects

    def least_last_axis(self) -> int:
        """The smallest size of the output's last axis that means anything: 2 where classes stand along it."""
        return 2 if self.target_kind() in ("class", "distribution") else 1
