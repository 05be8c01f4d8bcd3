"""Adam and its variants."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, Strict

from nnspec.layers.scalars import Flag, PositiveNumber
from nnspec.training.catalogue.optimizers.base import Decay, LearningRate, NonNegative, Optimizer


class _Moments(Optimizer):
    beta_1: Decay = Field(0.9, description="The decay rate of the first moment.")
    beta_2: Decay = Field(0.999, description="The decay rate of the second moment.")
    epsilon: PositiveNumber = Field(1e-7, description="A small constant for numerical stability.")


class Adam(_Moments):
    """Adaptive moment estimation (Kingma and Ba 2014)."""

    amsgrad: Flag = Field(False, description="Whether to use the maximum of past second moments (Reddi et al. 2018).")


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2017)."""

    weight_decay: NonNegative = Field(
        0.004, description="The weight decay, as a fraction of the weights times the learning rate."
    )


class Adamax(_Moments):
    """Adam with the infinity norm (Kingma and Ba 2014, section 7)."""


class Nadam(_Moments):
    """Adam with Nesterov's momentum (Dozat 2016)."""


class Lamb(_Moments):
    """Adam with layer-wise adaptive steps, for large batches (You et al. 2019)."""


class ScheduleFreeAdamW(_Moments):
    """AdamW with averaged iterates instead of a schedule (Defazio et al. 2024)."""

    learning_rate: LearningRate = Field(0.0025, description="The learning rate: a number or a schedule.")
    epsilon: PositiveNumber = Field(1e-8, description="A small constant for numerical stability.")
    warmup_steps: Annotated[int, Strict(), Field(ge=0)] = Field(0, description="The number of warm-up steps.")
