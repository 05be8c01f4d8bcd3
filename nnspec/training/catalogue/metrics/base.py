"""The base class of metrics, and common arguments."""

from __future__ import annotations

from typing import ClassVar, Literal

from nnspec.layers import snake_name
from nnspec.training.catalogue.targets import Compares


class Metric(Compares):
    """A metric over the examples of an epoch."""

    better: ClassVar[Literal["max", "min"] | None] = None
    """Whether higher or lower values are better; None if that cannot be inferred."""

    relative: ClassVar[bool] = True
    """Whether adding a constant to outputs and targets changes the metric; if not, offsets of units are not applied."""

    def monitored(self) -> str:
        """Its name in the log after that of the output, as in ``digit_sparse_categorical_accuracy``."""
        return snake_name(type(self).__name__)


class Rising(Metric):
    """A metric to maximize."""

    better: ClassVar[Literal["max", "min"] | None] = "max"


class Falling(Metric):
    """A metric to minimize."""

    better: ClassVar[Literal["max", "min"] | None] = "min"
