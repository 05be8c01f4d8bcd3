"""Adam and its descendants: running moments of the gradient."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, Strict

from nnspec.layers.scalars import Flag, PositiveNumber
from nnspec.training.catalogue.optimizers.base import Decay, LearningRate, NonNegative, Optimizer

__all__ = ["Adam", "AdamW", "Adamax", "Lamb", "Nadam", "ScheduleFreeAdamW"]


class _Moments(Optimizer):
    beta_1: Decay = Field(0.9, description="The share of the first moment that is kept.")
    beta_2: Decay = Field(0.999, description="The share of the second moment that is kept.")
    epsilon: PositiveNumber = Field(1e-7, description="Keeps the divisor from 0.")


class Adam(_Moments):
    """Running first and second moments of the gradient (Kingma and Ba 2014)."""

    amsgrad: Flag = Field(False, description="Whether the largest second moment so far is used (Reddi et al. 2018).")


class AdamW(Adam):
    """Adam with weight decay apart from the gradient (Loshchilov and Hutter 2017)."""

    weight_decay: NonNegative = Field(
        0.004, description="What each step takes off a weight, as a fraction of it times the rate."
    )


class Adamax(_Moments):
    """Adam with the infinity norm (Kingma and Ba 2014, section 7)."""


class Nadam(_Moments):
    """Adam with Nesterov's momentum (Dozat 2016)."""


class Lamb(_Moments):
    """Adam with a step scaled to each layer's weights, for large batches (You et al. 2019)."""


class ScheduleFreeAdamW(_Moments):
    """AdamW that averages its iterates, in place of a schedule (Defazio et al. 2024)."""

    learning_rate: LearningRate = Field(0.0025, description="How far a step goes; a number or a schedule.")
    epsilon: PositiveNumber = Field(1e-8, description="Keeps the divisor from 0.")
    warmup_steps: Annotated[int, Strict(), Field(ge=0)] = Field(0, description="Steps over which the rate rises to its value.")
