"""Weight constraints, applied after every training step, as in Keras."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, Strict

from nnspec.layers.scalars import Fraction, WholeNumber
from nnspec.types import Config

_Norm = Annotated[float, Strict(), Field(ge=0, allow_inf_nan=False)]


class Constraint(Config):
    """Base class of constraints: a projection of a weight onto allowed values."""

    def refuses(self, shape: tuple[int, ...]) -> str | None:
        """Return why it cannot constrain an array of this shape, or None if it can."""
        del shape
        return None


class NonNeg(Constraint):
    """Sets negative values to 0."""


class _AlongAxis(Constraint):
    """Base class of constraints on the norm along some axes."""

    axis: WholeNumber | list[WholeNumber] = Field(
        0, description="The axis or axes of the norm: 0 for a Dense kernel, [0, 1, 2] for a Conv2D kernel."
    )

    def refuses(self, shape: tuple[int, ...]) -> str | None:
        rank = len(shape)
        axes = self.axis if isinstance(self.axis, list) else [self.axis]
        return (
            None if all(-rank <= axis < rank for axis in axes) else f"uses an axis that an array of {rank} axes does not have"
        )


class MaxNorm(_AlongAxis):
    """Limits norms to a maximum (Srivastava et al. 2014)."""

    main_argument: ClassVar[str | None] = "max_value"

    max_value: _Norm = Field(2, description="The largest norm allowed.")


class UnitNorm(_AlongAxis):
    """Normalizes norms to 1."""


class MinMaxNorm(_AlongAxis):
    """Keeps norms between two values."""

    min_value: _Norm = Field(0.0, description="The smallest norm allowed.")
    max_value: _Norm = Field(1.0, description="The largest norm allowed.")
    rate: Fraction = Field(1.0, description="How far each step moves toward the allowed norm; 1: fully.")
