"""The base class of metrics, and common arguments."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from nnspec.layers.scalars import Flag, WholeNumber
from nnspec.training.batches.targets import Compares

__all__ = ["ClassAxis", "Falling", "FromLogits", "Metric", "Rising", "snake_case"]


ClassAxis = Annotated[WholeNumber, Field(description="The class axis.")]
FromLogits = Annotated[Flag, Field(description="Whether the output is logits instead of probabilities.")]


class Metric(Compares):
    """A metric over the examples of an epoch."""

    better: ClassVar[Literal["max", "min"] | None] = None
    """Whether higher or lower values are better; None if that cannot be inferred."""

    relative: ClassVar[bool] = True
    """Whether adding a constant to outputs and targets changes the metric; if not, offsets of units are not applied."""

    @classmethod
    def monitored(cls) -> str:
        """Its name in the log after that of the output, as in ``digit_sparse_categorical_accuracy``."""
        return snake_case(cls.__name__)


class Rising(Metric):
    """A metric to maximize."""

    better: ClassVar[Literal["max", "min"] | None] = "max"


class Falling(Metric):
    """A metric to minimize."""

    better: ClassVar[Literal["max", "min"] | None] = "min"


def snake_case(name: str) -> str:
    """The name of a class in Keras's logs."""
    return re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)).lower()
