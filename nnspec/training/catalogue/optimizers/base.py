"""The base class of optimizers, with their common arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field, Strict, model_validator

from nnspec.layers.scalars import Flag, Fraction, PositiveInt, PositiveNumber
from nnspec.training.catalogue.schedules import SCHEDULES
from nnspec.types import Config, Named

LearningRate = PositiveNumber | Annotated[Config, Named(SCHEDULES)]
"""A positive number, or a schedule."""

NonNegative = Annotated[float, Strict(), Field(ge=0, allow_inf_nan=False)]
Decay = Annotated[float, Strict(), Field(ge=0, lt=1)]


class Optimizer(Config):
    """An optimizer."""

    unsupported: ClassVar[Mapping[str, str]] = {
        "decay": "give `learning_rate` a schedule: `learning_rate: {InverseTimeDecay: {…}}`",
        "lr": "it is called `learning_rate`",
        "name": "remove it: it has no use in a spec",
    }

    learning_rate: LearningRate = Field(0.001, description="The learning rate: a number or a schedule.")
    weight_decay: NonNegative | None = Field(
        None, description="The weight decay, as a fraction of the weights times the learning rate."
    )
    clipnorm: PositiveNumber | None = Field(None, description="The largest L2 norm of the gradient of one weight.")
    clipvalue: PositiveNumber | None = Field(None, description="The largest absolute value of an element of a gradient.")
    global_clipnorm: PositiveNumber | None = Field(None, description="The largest L2 norm of all gradients together.")
    use_ema: Flag = Field(False, description="Whether to keep a moving average of the weights, which is evaluated and saved.")
    ema_momentum: Fraction = Field(0.99, description="The momentum of the moving average.")
    ema_overwrite_frequency: PositiveInt | None = Field(
        None, description="The number of steps after which the average replaces the weights."
    )
    loss_scale_factor: PositiveNumber | None = Field(
        None, description="A factor for the loss, by which gradients are divided again."
    )
    gradient_accumulation_steps: Annotated[int, Strict(), Field(ge=2)] | None = Field(
        None, description="The number of steps whose gradients are averaged before an update."
    )

    @model_validator(mode="after")
    def _one_clip(self) -> Optimizer:
        given = [name for name in ("clipnorm", "clipvalue", "global_clipnorm") if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"only one kind of clipping can be used, not both `{given[0]}` and `{given[1]}`")
        return self
