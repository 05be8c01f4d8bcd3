"""What an optimizer is: the arguments that all have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field, Strict, model_validator

from nnspec.layers.scalars import Flag, Fraction, PositiveInt, PositiveNumber
from nnspec.training.catalogue.schedules import SCHEDULES
from nnspec.types import Config, Named

__all__ = ["Decay", "LearningRate", "NonNegative", "Optimizer"]


LearningRate = PositiveNumber | Annotated[Config, Named(SCHEDULES)]
"""A positive number, or a schedule."""

NonNegative = Annotated[float, Strict(), Field(ge=0, allow_inf_nan=False)]
Decay = Annotated[float, Strict(), Field(ge=0, lt=1)]


class Optimizer(Config):
    """A rule that changes the weights at each step."""

    unsupported: ClassVar[Mapping[str, str]] = {
        "decay": "give `learning_rate` a schedule: `learning_rate: {InverseTimeDecay: {…}}`",
        "lr": "it is called `learning_rate`",
        "name": "take it away: it has no use in a spec",
    }

    learning_rate: LearningRate = Field(0.001, description="How far a step goes; a number or a schedule.")
    weight_decay: NonNegative | None = Field(
        None, description="What each step takes off a weight, as a fraction of it times the rate."
    )
    clipnorm: PositiveNumber | None = Field(None, description="The longest a gradient of one weight may be.")
    clipvalue: PositiveNumber | None = Field(None, description="The largest an element of a gradient may be.")
    global_clipnorm: PositiveNumber | None = Field(None, description="The longest all gradients together may be.")
    use_ema: Flag = Field(
        False, description="Whether a moving average of the weights is kept, and is what is evaluated and saved."
    )
    ema_momentum: Fraction = Field(0.99, description="The share of the average that each step keeps.")
    ema_overwrite_frequency: PositiveInt | None = Field(
        None, description="Every how many steps the average replaces the weights."
    )
    loss_scale_factor: PositiveNumber | None = Field(None, description="The loss is multiplied by it, the gradients divided.")
    gradient_accumulation_steps: Annotated[int, Strict(), Field(ge=2)] | None = Field(
        None, description="Over how many steps gradients are averaged before the weights change."
    )

    @model_validator(mode="after")
    def _one_clip(self) -> Optimizer:
        given = [name for name in ("clipnorm", "clipvalue", "global_clipnorm") if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"only one kind of clipping can be used, not both `{given[0]}` and `{given[1]}`")
        return self
