"""Gradient descent and adaptive variants."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, Strict

from nnspec.layers.scalars import Flag, Fraction, PositiveNumber
from nnspec.training.catalogue.optimizers.base import Decay, LearningRate, NonNegative, Optimizer


class SGD(Optimizer):
    """Stochastic gradient descent, optionally with momentum."""

    learning_rate: LearningRate = Field(0.01, description="The learning rate: a number or a schedule.")
    momentum: Fraction = Field(0.0, description="The momentum.")
    nesterov: Flag = Field(False, description="Whether to use Nesterov momentum.")


class RMSprop(Optimizer):
    """Divides the gradient by its running root mean square (Hinton 2012)."""

    rho: Decay = Field(0.9, description="The decay rate of the running mean.")
    momentum: Fraction = Field(0.0, description="The momentum.")
    epsilon: PositiveNumber = Field(1e-7, description="A small constant for numerical stability.")
    centered: Flag = Field(False, description="Whether to normalize by the variance instead of the second moment.")


class Adagrad(Optimizer):
    """Divides the gradient by the root of the sum of past squared gradients (Duchi et al. 2011)."""

    initial_accumulator_value: NonNegative = Field(0.1, description="The initial value of the sum of squares.")
    epsilon: PositiveNumber = Field(1e-7, description="A small constant for numerical stability.")


class Adadelta(Optimizer):
    """Adagrad over a window of past gradients (Zeiler 2012)."""

    rho: Decay = Field(0.95, description="The decay rate of the running means.")
    epsilon: PositiveNumber = Field(1e-7, description="A small constant for numerical stability.")


class Ftrl(Optimizer):
    """Follow the regularized leader, for wide sparse models (McMahan et al. 2013)."""

    learning_rate_power: Annotated[float, Strict(), Field(le=0)] = Field(
        -0.5, description="The power by which the learning rate decreases; 0: constant."
    )
    initial_accumulator_value: NonNegative = Field(0.1, description="The initial value of the sum of squares.")
    l1_regularization_strength: NonNegative = Field(0.0, description="The L1 penalty.")
    l2_regularization_strength: NonNegative = Field(0.0, description="The L2 penalty.")
    l2_shrinkage_regularization_strength: NonNegative = Field(0.0, description="The L2 shrinkage penalty.")
    beta: NonNegative = Field(0.0, description="The beta of the paper, added to the root of the sum of squares.")
