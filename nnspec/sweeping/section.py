"""The section ``sweep`` of a document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Field, Strict, model_validator

from nnspec.layers.scalars import Flag, Number, PositiveInt, WholeNumber
from nnspec.types import Config

_Text = Annotated[str, Strict()]
_Whole = Annotated[int, Strict()]
_Value = bool | _Whole | Number | _Text | None


class Range(Config):
    """The values to try for one path."""

    main_argument: ClassVar[str | None] = "choice"

    int: Annotated[list[_Whole], Field(min_length=2, max_length=2)] | None = Field(
        None, description="Integers from the first to the second, inclusive.", examples=[[16, 256]]
    )
    float: Annotated[list[Number], Field(min_length=2, max_length=2)] | None = Field(
        None, description="Numbers from the first to the second.", examples=[[0.0001, 0.01]]
    )
    choice: Annotated[list[_Value], Field(min_length=1)] | None = Field(
        None, description="A list of values.", examples=[[16, 32, 64]]
    )
    log: Flag = Field(False, description="Whether to sample on a logarithmic scale, as suits learning rates.")
    step: Annotated[Number, Field(gt=0)] | None = Field(None, description="The step between values.", examples=[16])

    @model_validator(mode="after")
    def _is_a_range(self) -> Range:
        if sum(kind is not None for kind in (self.int, self.float, self.choice)) != 1:
            raise ValueError("one of `int`, `float` and `choice` must be given")
        limits = self.limits
        if limits is None and (self.log or self.step is not None):
            raise ValueError("`log` and `step` are for a range of numbers")
        if limits is not None and not limits[0] < limits[1]:
            raise ValueError(f"the lower end {limits[0]} must be below the upper end {limits[1]}")
        if limits is not None and self.log and limits[0] <= 0:
            raise ValueError("with `log`, both ends must be above 0")
        if self.log and self.step is not None:
            raise ValueError("only one of `log` and `step` can be given")
        if self.int is not None and self.step is not None and self.step != round(self.step):
            raise ValueError("the `step` of a range of integers must be an integer")
        return self

    @property
    def limits(self) -> tuple[Any, Any] | None:
        """The ends of a range of numbers; None for a choice."""
        ends = self.int if self.int is not None else self.float
        return (ends[0], ends[1]) if ends is not None else None

    @property
    def samples(self) -> list[Any]:
        """Values to check before training: the ends, or each choice."""
        return list(self.choice if self.choice is not None else self.limits or ())


class SweepSection(Config):
    """The hyperparameter search of ``nnspec sweep`` (Akiba et al. 2019; Bergstra et al. 2011)."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"over": {"params.width": [16, 32, 64]}, "trials": 20}]})

    unsupported: ClassVar[Mapping[str, str]] = {
        "parameters": "it is called `over`",
        "metric": "it is called `monitor`",
        "method": "remove it: values are drawn by a tree-structured Parzen estimator",
    }

    over: Annotated[dict[_Text, Range], Field(min_length=1)] = Field(
        description="Ranges by path, as for `--set`: `params.width`, `train.optimizer.Adam.learning_rate`.",
        examples=[{"params.width": [16, 32, 64]}],
    )
    trials: PositiveInt = Field(20, description="The number of trials.", examples=[50])
    monitor: _Text | None = Field(
        None,
        description="The metric to optimize; by default the one that selects the best weights.",
        examples=["val_digit_sparse_categorical_accuracy"],
    )
    prune: Flag = Field(
        True, description="Whether to stop trials that are worse than the median of previous trials at the same epoch."
    )
    seed: WholeNumber = Field(0, description="The seed of the sampled values.", examples=[7])
