"""What a metric is, and the arguments that several have."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from nnspec.layers.scalars import Flag, WholeNumber
from nnspec.training.batches.targets import Compares

__all__ = ["ClassAxis", "Falling", "FromLogits", "Metric", "Rising", "snake_case"]


ClassAxis = Annotated[WholeNumber, Field(description="The axis the classes stand along.")]
FromLogits = Annotated[Flag, Field(description="Whether the output is logits, not probabilities.")]


class Metric(Compares):
    """A metric over all examples of an epoch."""

    better: ClassVar[Literal["max", "min"] | None] = None
    """Which way it improves; None if that cannot be predicted."""

    relative: ClassVar[bool] = True
    """Whether it changes if the same number is added to outputs and targets; if not, the numbers are spared the addition."""

    @classmethod
    def monitored(cls) -> str:
        """What it is called in logs, behind the output's name: ``digit_sparse_categorical_accuracy``."""
        return snake_case(cls.__name__)


class Rising(Metric):
    """More is better."""

    better: ClassVar[Literal["max", "min"] | None] = "max"


class Falling(Metric):
    """Less is better."""

    better: ClassVar[Literal["max", "min"] | None] = "min"


def snake_case(name: str) -> str:
    """A class's name as Keras writes it in logs."""
    return re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)).lower()
