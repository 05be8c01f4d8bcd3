"""The section ``data`` of a document."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, Strict, field_validator, model_validator

from nnspec.data.augmentations import Augment
from nnspec.data.readers import READERS
from nnspec.data.transforms import TRANSFORMS
from nnspec.data.validation import VALIDATIONS
from nnspec.data.weighing import Weight
from nnspec.layers.scalars import PositiveInt
from nnspec.types import Config, Named

__all__ = ["AnyReader", "Columns", "DataSection", "TargetColumns"]

AnyReader = Annotated[Config, Named(READERS)]
AnyValidation = Annotated[Config, Named(VALIDATIONS)]
"""A reader, or a fold of the training data."""
AnyTransform = Annotated[Config, Named(TRANSFORMS)]
_Text = Annotated[str, Strict()]


class Columns(Config):
    """What feeds an input: one column, or several stacked along a new last axis; then transforms, in order."""

    main_argument: ClassVar[str | None] = "column"

    column: _Text | None = Field(None, description="The column.")
    columns: list[_Text] | None = Field(None, min_length=1, description="Several columns, stacked along a new last axis.")
    at: Literal["past", "future"] | None = Field(
        None, description="Of a series: whose rows; an input has those of the past by default, a target those of the future."
    )
    transform: list[AnyTransform] = Field([], description="What is done to their values, in order.")

    @model_validator(mode="after")
    def _one_of(self) -> Columns:
        if self.column is not None and self.columns is not None:
            raise ValueError("only one of `column` and `columns` can be given")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The columns named; none where they go without saying."""
        return tuple(self.columns or ()) if self.column is None else (self.column,)


class TargetColumns(Columns):
    """What a loss compares an output with, and how much of it counts."""

    crop: PositiveInt | None = Field(
        None,
        description="How much is cut from each side of a mask after `augment`: what convolutions without padding leave out.",
    )
    weight: Weight | None = Field(None, description="How much each example, or each position of a mask, counts in the loss.")


class DataSection(Config):
    """Where the data come from, and which column is what."""

    train: AnyReader | None = Field(None, description="What the model is trained on.")
    validation: Annotated[float, Strict(), Field(gt=0, lt=1)] | AnyValidation | None = Field(
        None, description="What is watched and never trained on: a fraction of `train`, one of its folds, or a reader."
    )
    group: _Text | None = Field(
        None, description="A column of `train` whose rows of one value are never drawn apart: a patient, a document."
    )
    time: _Text | None = Field(
        None, description="A column of `train` by which the last rows are kept for validation: numbers, or dates as ISO 8601."
    )
    test: AnyValidation | None = Field(
        None, description="What a finished run is evaluated on: a reader, or a fold of `train` that is left out of it."
    )
    inputs: dict[str, Columns] = Field({}, description="The columns of each input; by default those of its name.")
    targets: dict[str, TargetColumns] = Field({}, description="The columns each output is compared with.")
    augment: list[Augment] = Field([], description="Random changes of the training examples, in order.")

    @field_validator("test", mode="before")
    @classmethod
    def _no_fraction(cls, value: Any) -> Any:
        if isinstance(value, int | float) and not isinstance(value, bool):
            parts = round(1 / value) if 0 < value <= 0.5 else 5
            meant = f"{{fold: {{number: 1, of: {parts}}}}}"
            raise ValueError(f"`test` must be a reader or a fold, not {value:g}; did you mean `test: {meant}`?")
        return value

    @model_validator(mode="after")
    def _one_order(self) -> DataSection:
        if self.group is not None and self.time is not None:
            raise ValueError("only one of `group` and `time` can be given")
        return self
