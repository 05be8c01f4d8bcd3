"""What may stand under ``weight`` of a target: a column of the data, or what a mask's own borders make."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, Strict, model_validator

from nnspec.layers.scalars import PositiveNumber
from nnspec.types import Config

__all__ = ["Border", "Weight"]


class Border(Config):
    """Makes narrow gaps between the objects of a mask count more (Ronneberger et al. 2015, equation 2).

    To how much a position of the background counts is added ``w0 · exp(−(d1 + d2)² / (2 · sigma²))``, d1 and d2 being how far
    it is from the nearest object and from the second nearest.
    """

    w0: Annotated[float, Strict(), Field(ge=0, allow_inf_nan=False)] = Field(
        10.0, description="What is added where the gap is narrowest."
    )
    sigma: PositiveNumber = Field(5.0, description="How fast that falls off with the distances, in pixels.")


class Weight(Config):
    """How much each example, or each position of it, counts in the loss."""

    main_argument: ClassVar[str | None] = "column"

    column: Annotated[str, Strict()] | None = Field(None, description="A column that says how much each example counts.")
    border: Border | None = Field(None, description="The gaps between the objects of a mask count more.")

    @model_validator(mode="after")
    def _one_of(self) -> Weight:
        if (self.column is None) == (self.border is None):
            raise ValueError("one of `column` and `border` must be given")
        return self
