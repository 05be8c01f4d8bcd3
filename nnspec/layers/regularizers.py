"""Regularizers: penalties on weights and outputs that are added to the loss, as in Keras."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, Strict

from nnspec.types import Config

_Factor = Annotated[float, Strict(), Field(ge=0, allow_inf_nan=False)]


class Regularizer(Config):
    """Base class of regularizers."""

    def refuses(self, shape: tuple[int, ...]) -> str | None:
        """Return why it cannot penalize an array of this shape, or None if it can."""
        del shape
        return None


class L1(Regularizer):
    """The sum of absolute values, times a factor."""

    main_argument: ClassVar[str | None] = "l1"

    l1: _Factor = Field(0.01, description="The factor.")


class L2(Regularizer):
    """The sum of squares, times a factor."""

    main_argument: ClassVar[str | None] = "l2"

    l2: _Factor = Field(0.01, description="The factor.")


class L1L2(Regularizer):
    """The sum of absolute values and the sum of squares, each times a factor."""

    l1: _Factor = Field(0.0, description="The factor on the absolute values.")
    l2: _Factor = Field(0.0, description="The factor on the squares.")


class OrthogonalRegularizer(Regularizer):
    """Penalizes rows or columns of a matrix that are not orthogonal to each other."""

    factor: _Factor = Field(0.01, description="The factor.")
    mode: Literal["rows", "columns"] = Field("rows", description="Whether rows or columns should be orthogonal.")

    def refuses(self, shape: tuple[int, ...]) -> str | None:
        return None if len(shape) == 2 else "penalizes only matrices"
