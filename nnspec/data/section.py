"""The section ``data`` of a spec."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, Strict, field_validator, model_validator

from nnspec.data.augmentations import Augment
from nnspec.data.readers import READERS
from nnspec.data.sample_weights import Weight
from nnspec.data.transforms import TRANSFORMS
from nnspec.data.validation import VALIDATIONS
from nnspec.layers.scalars import PositiveInt
from nnspec.types import Config, Named

AnyReader = Annotated[Config, Named(READERS)]
AnyValidation = Annotated[Config, Named(VALIDATIONS)]
AnyTransform = Annotated[Config, Named(TRANSFORMS)]
_Text = Annotated[str, Strict()]


class Columns(Config):
    """The source of an input: one column, or several stacked along a new last axis, followed by transforms."""

    main_argument: ClassVar[str | None] = "column"

    column: _Text | None = Field(None, description="The name of a column.")
    columns: list[_Text] | None = Field(None, min_length=1, description="Several columns, stacked along a new last axis.")
    at: Literal["past", "future"] | None = Field(
        None,
        description="For a series: which rows of a window to use. Inputs default to `past`, targets to `future`.",
    )
    transform: list[AnyTransform] = Field([], description="Transforms, applied in order.")

    @model_validator(mode="after")
    def _one_of(self) -> Columns:
        if self.column is not None and self.columns is not None:
            raise ValueError("only one of `column` and `columns` can be given")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that are named; empty if they are to be inferred."""
        return tuple(self.columns or ()) if self.column is None else (self.column,)


class TargetColumns(Columns):
    """The source of a target, with its crop and its weights."""

    crop: PositiveInt | None = Field(
        None,
        description="The number of rows and columns removed from each side of a mask, after `augment`, to match an output of "
        "convolutions without padding.",
    )
    weight: Weight | None = Field(None, description="The loss weights of examples, or of the positions of a mask.")


class DataSection(Config):
    """The data of a spec: how they are read and split, and which columns are inputs and targets."""

    train: AnyReader | None = Field(None, description="The reader of the training data.")
    validation: Annotated[float, Strict(), Field(gt=0, lt=1)] | AnyValidation | None = Field(
        None,
        description="The validation data, which are monitored but not trained on: a fraction of `train`, one of its folds, or "
        "a reader.",
    )
    group: _Text | None = Field(
        None,
        description="A column of `train` that identifies groups, such as patients or documents. All rows of a group are in the "
        "same split.",
    )
    time: _Text | None = Field(
        None,
        description="A column of `train` with numbers or ISO 8601 dates. The latest rows become the validation data.",
    )
    test: AnyValidation | None = Field(
        None,
        description="The test data, on which a finished run is evaluated: a reader, or a fold of `train` that is held out.",
    )
    inputs: dict[str, Columns] = Field({}, description="The columns of each input. Default: the column with the input's name.")
    targets: dict[str, TargetColumns] = Field({}, description="The target columns of each output.")
    augment: list[Augment] = Field([], description="Random augmentations of the training examples, applied in order.")

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
