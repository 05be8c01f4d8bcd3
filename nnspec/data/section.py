"""The section ``data`` of a spec."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field, Strict, field_validator, model_validator

from nnspec.data.augmentations import Augment
from nnspec.data.readers import READERS
from nnspec.data.transforms import TRANSFORMS
from nnspec.layers.scalars import Flag, PositiveInt, PositiveNumber
from nnspec.types import Config, Family, Named
from nnspec.types.spelling import Misspelled


class Border(Config):
    """Increases the weight of narrow gaps between the objects of a mask (Ronneberger et al. 2015, equation 2).

    The weight of each background position is increased by ``w0 · exp(−(d1 + d2)² / (2 · sigma²))``, where d1 and d2 are its
    distances to the nearest and second nearest object.
    """

    w0: Annotated[float, Strict(), Field(ge=0, allow_inf_nan=False)] = Field(
        10.0, description="The maximum additional weight.", examples=[10]
    )
    sigma: PositiveNumber = Field(5.0, description="The width of the Gaussian, in pixels.", examples=[5])


class Weight(Config):
    """The loss weights of examples, or of the positions of a mask."""

    main_argument: ClassVar[str | None] = "column"

    column: Annotated[str, Strict()] | None = Field(
        None, description="A column with the weight of each example, or of each position.", examples=["importance"]
    )
    border: Border | None = Field(
        None, description="Additional weight at the gaps between the objects of a mask.", examples=[{"w0": 10, "sigma": 5}]
    )

    @model_validator(mode="after")
    def _one_of(self) -> Weight:
        if (self.column is None) == (self.border is None):
            raise ValueError("one of `column` and `border` must be given")
        return self


class _WithFold(Mapping[str, str]):
    """The modules of all readers, including those of plugins, and of `fold`."""

    def __init__(self, readers: Mapping[str, str]) -> None:
        self._readers = readers

    def __getitem__(self, name: str) -> str:
        return __name__ if name == "fold" else self._readers[name]

    def __contains__(self, name: object) -> bool:
        return name == "fold" or name in self._readers

    def __iter__(self) -> Iterator[str]:
        return chain(self._readers, ["fold"])

    def __len__(self) -> int:
        return len(self._readers) + 1


VALIDATIONS = Family(
    kind="reader or fold",
    modules=_WithFold(READERS.modules),
    aliases={**READERS.aliases, "k_fold": "fold"},
    replacements=READERS.replacements,
)
"""Every reader, and `fold`."""


class Fold(Config):
    """One fold of k-fold cross-validation on the training data; `nnspec crossval` holds out each fold in turn.

    Folds are stratified by class, and the rows of a `group` stay in the same fold. With `time`, and in a series, the folds
    are consecutive, and the model is trained only on rows before the fold (walk-forward validation).
    """

    number: Annotated[int, Strict(), Field(ge=1)] = Field(description="The number of the fold, from 1.", examples=[1])
    of: Annotated[int, Strict(), Field(ge=2)] = Field(description="The number of folds.", examples=[10])

    rolling: Flag = Field(
        False, description="With `time`: train on a window of constant size before the fold, instead of on all rows before it."
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> Fold:
        if self.number > self.of:
            raise ValueError(f"`number` must be at most `of`, {self.of}, but is {self.number}")
        return self


fold = Fold


AnyReader = Annotated[Config, Named(READERS)]
AnyValidation = Annotated[Config, Named(VALIDATIONS)]
AnyTransform = Annotated[Config, Named(TRANSFORMS)]
_Text = Annotated[str, Strict()]


def _with_sentences(step: Config) -> Config:
    return step.model_copy(update={"sentences": True}) if "sentences" in type(step).model_fields else step


class Columns(Config):
    """The source of an input: one column, or several stacked along a new last axis, followed by transforms."""

    main_argument: ClassVar[str | None] = "column"

    column: _Text | None = Field(None, description="The name of a column.", examples=["pixels"])
    columns: list[_Text] | None = Field(
        None, min_length=1, description="Several columns, stacked along a new last axis.", examples=[["age", "income"]]
    )
    at: Literal["past", "future"] | None = Field(
        None,
        description="For a series: which rows of a window to use. Inputs default to `past`, targets to `future`.",
    )
    transform: list[AnyTransform] = Field(
        [], description="Transforms, applied in order.", examples=[[{"impute": "median"}, "standardize"]]
    )

    @model_validator(mode="after")
    def _one_of(self) -> Columns:
        if self.column is not None and self.columns is not None:
            raise ValueError("only one of `column` and `columns` can be given")
        padded = [step for step in self.transform if isinstance(getattr(step, "length", None), list)]
        if padded:  # `pad: [8, 30]` requires sentences
            object.__setattr__(self, "transform", [_with_sentences(step) for step in self.transform])
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that are named; empty if they are to be inferred."""
        return tuple(self.columns or ()) if self.column is None else (self.column,)

    @property
    def needs_text(self) -> bool:
        """Whether its transforms take nothing but text."""
        return bool(self.transform) and getattr(self.transform[0], "needs_text", False)


class TargetColumns(Columns):
    """The source of a target, with its crop and its weights."""

    crop: PositiveInt | None = Field(
        None,
        description="The number of rows and columns removed from each side of a mask, after `augment`, to match an output of "
        "convolutions without padding.",
        examples=[92],
    )
    weight: Weight | None = Field(
        None, description="The loss weights of examples, or of the positions of a mask.", examples=["importance"]
    )


class Window(Config):
    """Examples that are cut from the joined rows of a split, such as the contexts of word2vec."""

    of: _Text | None = Field(None, description="The input whose rows are joined. Default: the only input.", examples=["words"])
    length: PositiveInt = Field(description="The number of values of an example.", examples=[11])
    stride: PositiveInt = Field(1, description="The number of values between the starts of consecutive examples.", examples=[5])


class ClassBatches(Config):
    """Training batches with the same number of examples of each class in them, for losses that compare examples."""

    of: _Text = Field(
        description="The target, input or column of `train` that contains the class of an example.", examples=["person"]
    )
    each: Annotated[int, Strict(), Field(ge=2)] = Field(
        description="The number of examples of each class of a batch; it divides `batch_size`.", examples=[4]
    )


class DataSection(Config):
    """The data of a spec: how they are read and split, and which columns are inputs and targets."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"train": {"csv": "data/train.csv"}, "validation": 0.1, "targets": {"price": {"column": "price"}}}]
        }
    )

    train: AnyReader | None = Field(None, description="The reader of the training data.", examples=[{"csv": "data/train.csv"}])
    validation: Annotated[float, Strict(), Field(gt=0, lt=1)] | AnyValidation | None = Field(
        None,
        description="The validation data, which are monitored but not trained on: a fraction of `train`, one of its folds, or "
        "a reader.",
        examples=[0.1],
    )
    group: _Text | None = Field(
        None,
        description="A column of `train` that identifies groups, such as patients or documents. All rows of a group are in the "
        "same split.",
        examples=["patient"],
    )
    time: _Text | None = Field(
        None,
        description="A column of `train` with numbers or ISO 8601 dates. The latest rows become the validation data.",
        examples=["date"],
    )
    test: AnyValidation | None = Field(
        None,
        description="The test data, on which a finished run is evaluated: a reader, or a fold of `train` that is held out.",
        examples=[{"csv": "data/test.csv"}],
    )
    window: Window | None = Field(
        None,
        description="Cuts examples of a fixed length from the joined rows of each split. Default: each row is an example.",
        examples=[{"of": "words", "length": 11}],
    )
    batches: ClassBatches | None = Field(
        None,
        description="Samples training batches by class, each with several examples of some classes. Default: each epoch "
        "contains every example once, in random order.",
        examples=[{"of": "person", "each": 4}],
    )
    inputs: dict[str, Columns] = Field(
        {},
        description="The columns of each input. Default: the column with the input's name.",
        examples=[{"facts": {"columns": ["age", "income"], "transform": ["standardize"]}}],
    )
    targets: dict[str, TargetColumns] = Field(
        {},
        description="The target columns of each output.",
        examples=[{"kind": {"column": "label", "transform": ["label_encode"]}}],
    )
    augment: list[Augment] = Field(
        [],
        description="Random augmentations of the training examples, applied in order.",
        examples=[[{"RandomFlip": {"mode": "horizontal"}, "on": ["image", "mask"]}]],
    )

    @field_validator("test", mode="before")
    @classmethod
    def _no_fraction(cls, value: Any) -> Any:
        if isinstance(value, int | float) and not isinstance(value, bool):
            parts = round(1 / value) if 0 < value <= 0.5 else 5
            meant = f"{{fold: {{number: 1, of: {parts}}}}}"
            raise Misspelled(f"`test` must be a reader or a fold, not {value:g}", f"did you mean `test: {meant}`?")
        return value

    @model_validator(mode="after")
    def _one_order(self) -> DataSection:
        if self.group is not None and self.time is not None:
            raise ValueError("only one of `group` and `time` can be given")
        return self
