"""How the learning rate changes from step to step: Keras's schedules."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, Strict, model_validator

from nnspec.layers.scalars import Flag, Number, PositiveInt, PositiveNumber
from nnspec.types import Config, Family

__all__ = ["SCHEDULES", "Schedule"]

_NAMES = (
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
)

SCHEDULES = Family(
    kind="learning-rate schedule",
    modules=dict.fromkeys(_NAMES, __name__),
    aliases={
        "CosineAnnealing": "CosineDecay",
        "CosineAnnealingLR": "CosineDecay",
        "CosineAnnealingWarmRestarts": "CosineDecayRestarts",
        "ExponentialLR": "ExponentialDecay",
        "LinearDecay": "PolynomialDecay",
        "MultiStepLR": "PiecewiseConstantDecay",
        "SGDRDecay": "CosineDecayRestarts",
        "StepLR": "ExponentialDecay",
    },
)
"""Every learning-rate schedule by name."""

_Floor = Annotated[float, Strict(), Field(ge=0, allow_inf_nan=False)]


class Schedule(Config):
    """A learning rate as a function of the step, which counts updates of the weights from 0."""


class _Decay(Schedule):
    initial_learning_rate: PositiveNumber = Field(description="The rate at step 0.")


class CosineDecay(Schedule):
    """Falls along half a cosine (Loshchilov and Hutter 2016), after a linear warm-up where one is asked for."""

    initial_learning_rate: _Floor = Field(description="The rate at step 0; with a warm-up, where that begins.")
    decay_steps: PositiveInt = Field(description="Steps over which it falls, the warm-up not counted.")
    alpha: _Floor = Field(0.0, description="The lowest rate, as a fraction of the highest.")
    warmup_target: PositiveNumber | None = Field(None, description="The rate the warm-up ends at; null for no warm-up.")
    warmup_steps: Annotated[int, Strict(), Field(ge=0)] = Field(0, description="Steps of the warm-up.")


class CosineDecayRestarts(_Decay):
    """Falls along half a cosine again and again (SGDR, Loshchilov and Hutter 2016)."""

    first_decay_steps: PositiveInt = Field(description="Steps of the first period.")
    t_mul: PositiveNumber = Field(2.0, description="Each period is this many times as long as the one before.")
    m_mul: PositiveNumber = Field(1.0, description="Each period begins at this many times the rate of the one before.")
    alpha: _Floor = Field(0.0, description="The lowest rate, as a fraction of the first.")


class ExponentialDecay(_Decay):
    """``initial_learning_rate * decay_rate ** (step / decay_steps)``."""

    decay_steps: PositiveInt = Field(description="Steps after which the rate has been multiplied once.")
    decay_rate: PositiveNumber = Field(description="What it is multiplied by.")
    staircase: Flag = Field(False, description="Whether it falls in jumps, every `decay_steps`.")


class InverseTimeDecay(_Decay):
    """``initial_learning_rate / (1 + decay_rate * step / decay_steps)``."""

    decay_steps: PositiveInt = Field(description="Steps after which `decay_rate` has been added once.")
    decay_rate: PositiveNumber = Field(description="What is added to the divisor.")
    staircase: Flag = Field(False, description="Whether it falls in jumps, every `decay_steps`.")


class PiecewiseConstantDecay(Schedule):
    """One rate up to each boundary."""

    boundaries: list[PositiveInt] = Field(min_length=1, description="The last steps of each rate but the last, rising.")
    values: list[_Floor] = Field(min_length=2, description="The rates: one more than there are boundaries.")

    @model_validator(mode="after")
    def _one_more(self) -> PiecewiseConstantDecay:
        if len(self.values) != len(self.boundaries) + 1:
            given = f"{len(self.values)} values and {len(self.boundaries)} boundaries"
            raise ValueError(f"`values` must be one more than `boundaries`; there are {given}")
        if any(a >= b for a, b in zip(self.boundaries, self.boundaries[1:], strict=False)):
            raise ValueError("`boundaries` must rise")
        return self


class PolynomialDecay(_Decay):
    """Falls to `end_learning_rate` along a power of the steps that are left; linear by default."""

    decay_steps: PositiveInt = Field(description="Steps over which it falls.")
    end_learning_rate: _Floor = Field(0.0001, description="The rate at the end.")
    power: Number = Field(1.0, description="The power.")
    cycle: Flag = Field(False, description="Whether it restarts, over a longer stretch, when it has ended.")
