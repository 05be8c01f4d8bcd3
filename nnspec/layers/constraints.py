"""What weights are held to after every step: Keras's constraints."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, Strict

from nnspec.layers.scalars import Fraction, WholeNumber
from nnspec.types import Config

__all__ = ["Constraint", "MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm"]

_Norm = Annotated[float, Strict(), Field(ge=0, allow_inf_nan=False)]


class Constraint(Config):
    """A projection of a weight onto allowed values."""

    def refuses(self, shape: tuple[int, ...]) -> str | None:
        """Why it cannot hold an array of this shape, or None where it can."""
        del shape
        return None


class NonNeg(Constraint):
    """Negative values become 0."""


class _AlongAxis(Constraint):
    """Acts on the norm of each vector along some axes."""

    axis: WholeNumber | list[WholeNumber] = Field(
        0, description="The axis or axes along which a norm is taken: 0 for a Dense kernel, [0, 1, 2] for a Conv2D kernel."
    )

    def refuses(self, shape: tuple[int, ...]) -> str | None:
        rank = len(shape)
        axes = self.axis if isinstance(self.axis, list) else [self.axis]
        return None if all(-rank <= axis < rank for axis in axes) else f"names an axis that an array of {rank} axes has not"


class MaxNorm(_AlongAxis):
    """Norms of at most a value (Srivastava et al. 2014)."""

    main_argument: ClassVar[str | None] = "max_value"

    max_value: _Norm = Field(2, description="The largest norm allowed.")


class UnitNorm(_AlongAxis):
    """Norms of 1."""


class MinMaxNorm(_AlongAxis):
    """Norms between two values."""

    min_value: _Norm = Field(0.0, description="The smallest norm allowed.")
    max_value: _Norm = Field(1.0, description="The largest norm allowed.")
    rate: Fraction = Field(1.0, description="How far a step moves towards the allowed norm; 1: all the way.")
