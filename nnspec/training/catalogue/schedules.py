"""Keras's learning-rate schedules."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, Strict, model_validator

from nnspec.layers.scalars import Flag, Number, PositiveInt, PositiveNumber
from nnspec.types import Config, Family

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
    inexact=frozenset({"StepLR"}),  # ExponentialDecay is continuous by default
)
"""Every learning-rate schedule by name."""

_Floor = Annotated[float, Strict(), Field(ge=0, allow_inf_nan=False)]


class Schedule(Config):
    """A learning rate as a function of the step, which counts updates from 0."""


class _Decay(Schedule):
    initial_learning_rate: _Floor = Field(description="The learning rate at step 0.", examples=[1e-3])


class CosineDecay(Schedule):
    """Cosine decay (Loshchilov and Hutter 2016), optionally after a linear warm-up."""

    initial_learning_rate: _Floor = Field(description="The learning rate at step 0, before any warm-up.", examples=[1e-3])
    decay_steps: PositiveInt = Field(description="The number of decay steps, without the warm-up.", examples=[10_000])
    alpha: _Floor = Field(0.0, description="The lowest learning rate, as a fraction of the highest.")
    warmup_target: PositiveNumber | None = Field(None, description="The learning rate after the warm-up; null: no warm-up.")
    warmup_steps: Annotated[int, Strict(), Field(ge=0)] = Field(0, description="The number of warm-up steps.")


class CosineDecayRestarts(_Decay):
    """Cosine decay with restarts (SGDR, Loshchilov and Hutter 2016)."""

    first_decay_steps: PositiveInt = Field(description="The number of steps of the first period.", examples=[1000])
    t_mul: PositiveNumber = Field(2.0, description="The ratio of the lengths of consecutive periods.")
    m_mul: PositiveNumber = Field(1.0, description="The ratio of the initial learning rates of consecutive periods.")
    alpha: _Floor = Field(0.0, description="The lowest learning rate, as a fraction of the initial one.")


class ExponentialDecay(_Decay):
    """``initial_learning_rate * decay_rate ** (step / decay_steps)``."""

    decay_steps: PositiveInt = Field(
        description="The number of steps in which the learning rate is multiplied once.", examples=[1000]
    )
    decay_rate: PositiveNumber = Field(description="The factor.", examples=[0.9])
    staircase: Flag = Field(False, description="Whether to decay in discrete steps, every `decay_steps`.")


class InverseTimeDecay(_Decay):
    """``initial_learning_rate / (1 + decay_rate * step / decay_steps)``."""

    decay_steps: PositiveInt = Field(description="The number of steps in which `decay_rate` is added once.", examples=[1000])
    decay_rate: PositiveNumber = Field(description="The term that is added to the divisor.", examples=[0.5])
    staircase: Flag = Field(False, description="Whether to decay in discrete steps, every `decay_steps`.")


class PiecewiseConstantDecay(Schedule):
    """A constant learning rate up to each boundary."""

    boundaries: list[PositiveInt] = Field(
        min_length=1,
        description="The last step of each learning rate except the last one, in increasing order.",
        examples=[[1000, 2000]],
    )
    values: list[_Floor] = Field(
        min_length=2, description="The learning rates, one more than there are boundaries.", examples=[[1e-3, 1e-4, 1e-5]]
    )

    @model_validator(mode="after")
    def _one_more(self) -> PiecewiseConstantDecay:
        if len(self.values) != len(self.boundaries) + 1:
            given = f"{len(self.values)} values and {len(self.boundaries)} boundaries"
            raise ValueError(f"`values` must have one element more than `boundaries`; got {given}")
        if any(a >= b for a, b in zip(self.boundaries, self.boundaries[1:], strict=False)):
            raise ValueError("`boundaries` must be increasing")
        return self


class PolynomialDecay(_Decay):
    """Polynomial decay to `end_learning_rate`; linear by default."""

    decay_steps: PositiveInt = Field(description="The number of decay steps.", examples=[10_000])
    end_learning_rate: _Floor = Field(0.0001, description="The final learning rate.")
    power: Number = Field(1.0, description="The power of the polynomial.")
    cycle: Flag = Field(False, description="Whether to restart with a longer period at the end.")
