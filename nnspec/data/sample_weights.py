"""The loss weights of a target, under ``weight``: a column of the data, or the borders in its masks."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, Strict, model_validator

from nnspec.layers.scalars import PositiveNumber
from nnspec.types import Config


class Border(Config):
    """Increases the weight of narrow gaps between the objects of a mask (Ronneberger et al. 2015, equation 2).

    The weight of each background position is increased by ``w0 · exp(−(d1 + d2)² / (2 · sigma²))``, where d1 and d2 are its
    distances to the nearest and second nearest object.
    """

    w0: Annotated[float, Strict(), Field(ge=0, allow_inf_nan=False)] = Field(10.0, description="The maximum additional weight.")
    sigma: PositiveNumber = Field(5.0, description="The width of the Gaussian, in pixels.")


class Weight(Config):
    """The loss weights of examples, or of the positions of a mask."""

    main_argument: ClassVar[str | None] = "column"

    column: Annotated[str, Strict()] | None = Field(None, description="A column with the weight of each example.")
    border: Border | None = Field(None, description="Additional weight at the gaps between the objects of a mask.")

    @model_validator(mode="after")
    def _one_of(self) -> Weight:
        if (self.column is None) == (self.border is None):
            raise ValueError("one of `column` and `border` must be given")
        return self
