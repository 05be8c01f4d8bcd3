"""The kinds of targets and outputs that losses and metrics take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from nnspec.data.kinds import TargetKind
from nnspec.types import Config, Dim, TensorType

__all__ = ["Compares", "Expected", "TargetKind", "comparable"]

Expected = Literal["distribution", "probability", "logits", "number", "class"]
"""The kind of an output: a distribution over the last axis, independent probabilities, logits, numbers, class indices."""

_SERVES: dict[TargetKind, frozenset[TargetKind]] = {
    "class": frozenset({"class", "label", "integer"}),
    "distribution": frozenset({"distribution", "probability", "number", "non_negative", "sign"}),
    "probability": frozenset({"distribution", "probability", "number", "non_negative", "sign"}),
    "sign": frozenset({"sign", "number"}),
    "number": frozenset({"number"}),
    "non_negative": frozenset({"number", "non_negative"}),
    "label": frozenset({"label"}),
    "sequence": frozenset({"sequence"}),
    "integer": frozenset({"integer", "class", "label"}),
}


def comparable(given: TargetKind, wanted: TargetKind) -> bool:
    """Whether a metric of one kind can use the target of a loss of another.

    Example:
        >>> comparable("class", "distribution"), comparable("distribution", "number")
        (False, True)
    """
    return wanted in _SERVES[given]


class Compares(Config):
    """A loss or a metric, which compares an output with a target."""

    unsupported: ClassVar[Mapping[str, str]] = {
        "dtype": "remove it: losses and metrics are computed in float32",
        "name": "remove it: metrics are named after the output and the metric",
        "reduction": "remove it: a loss is averaged over the examples",
    }

    target: ClassVar[TargetKind | None] = "number"
    """The kind of its target; None if it needs none."""

    expects: ClassVar[Expected] = "number"
    """The default kind of output that it expects."""

    instead: ClassVar[tuple[str, ...]] = ()
    """The equivalents for other kinds of targets."""

    is_binary: ClassVar[bool] = False
    """Whether each unit is an independent binary classification."""

    @property
    def title(self) -> str:
        """Its name in messages."""
        return type(self).__name__

    def misfit(self, output: TensorType) -> tuple[str, str] | None:
        """Why it does not apply to the shape of an output, and what to do; None if it does.

        Args:
            output: The type of the output.
        """
        del output
        return None

    def target_shape(self, output: TensorType) -> tuple[int | Dim, ...] | None:
        """The shape of one target; None for that of its kind.

        Args:
            output: The type of the output that it is compared with.
        """
        del output
        return None

    def target_kind(self) -> TargetKind | None:
        """The kind of its target, according to its arguments."""
        return self.target

    def takes_any_numbers(self) -> bool:
        """Whether its target may be numbers of any kind, such as one-hot vectors, so that a metric says of which."""
        return False

    def expected(self) -> Expected:
        """The kind of output that it expects, according to its arguments."""
        return "logits" if getattr(self, "from_logits", False) else self.expects

    def least_last_axis(self) -> int:
        """The smallest valid size of the output's class axis: 2 for classes."""
        return 2 if self.target_kind() in ("class", "distribution") else 1
