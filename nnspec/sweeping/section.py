"""The section ``sweep`` of a document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field, Strict, model_validator

from nnspec.layers.scalars import Flag, Number, PositiveInt, WholeNumber
from nnspec.types import Config

__all__ = ["Range", "SweepSection"]

_Text = Annotated[str, Strict()]
_Whole = Annotated[int, Strict()]
_Value = bool | _Whole | Number | _Text | None


class Range(Config):
    """Which values are tried in one place of the document."""

    main_argument: ClassVar[str | None] = "choice"

    int: Annotated[list[_Whole], Field(min_length=2, max_length=2)] | None = Field(
        None, description="Whole numbers from the first to the second, both included."
    )
    float: Annotated[list[Number], Field(min_length=2, max_length=2)] | None = Field(
        None, description="Numbers from the first to the second."
    )
    choice: Annotated[list[_Value], Field(min_length=1)] | None = Field(None, description="One of these.")
    log: Flag = Field(False, description="Whether each doubling is as likely as the next, as suits learning rates.")
    step: Annotated[Number, Field(gt=0)] | None = Field(None, description="How far values lie from each other.")

    @model_validator(mode="after")
    def _is_a_range(self) -> Range:
        if sum(kind is not None for kind in (self.int, self.float, self.choice)) != 1:
            raise ValueError("one of `int`, `float` and `choice` must be given")
        limits = self.limits
        if limits is None and (self.log or self.step is not None):
            raise ValueError("`log` and `step` are for a range of numbers")
        if limits is not None and not limits[0] < limits[1]:
            raise ValueError(f"{limits[0]} is not below {limits[1]}")
        if limits is not None and self.log and limits[0] <= 0:
            raise ValueError("with `log` both ends must be above 0")
        if self.log and self.step is not None:
            raise ValueError("only one of `log` and `step` can be given")
        if self.int is not None and self.step is not None and self.step != round(self.step):
            raise ValueError("whole numbers lie whole steps apart")
        return self

    @property
    def limits(self) -> tuple[Any, Any] | None:
        """The ends of a range of numbers; None for a choice."""
        ends = self.int if self.int is not None else self.float
        return (ends[0], ends[1]) if ends is not None else None

    @property
    def samples(self) -> list[Any]:
        """Values that show whether all would do: the ends, or each choice."""
        return list(self.choice if self.choice is not None else self.limits or ())


class SweepSection(Config):
    """What ``nnspec sweep`` tries, and how it chooses (Akiba et al. 2019; Bergstra et al. 2011)."""

    unsupported: ClassVar[Mapping[str, str]] = {
        "parameters": "it is called `over`",
        "metric": "it is called `monitor`",
        "method": "values are drawn by a tree-structured Parzen estimator; `choice` with few values is tried like any other",
    }

    over: Annotated[dict[_Text, Range], Field(min_length=1)] = Field(
        description="Ranges by the path of a value, as `--set` takes it: `params.width`, `train.optimizer.Adam.learning_rate`."
    )
    trials: PositiveInt = Field(20, description="How many trainings there are.")
    monitor: _Text | None = Field(
        None, description="The metric that says which training is best; by default the one that says which weights are."
    )
    prune: Flag = Field(True, description="Whether a training that falls behind the median of those before it is broken off.")
    seed: WholeNumber = Field(0, description="Makes the values that are tried repeatable.")
