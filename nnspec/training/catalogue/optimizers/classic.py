"""Gradient descent and its rescalings by past gradients."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, Strict

from nnspec.layers.scalars import Flag, Fraction, PositiveNumber
from nnspec.training.catalogue.optimizers.base import Decay, LearningRate, NonNegative, Optimizer

__all__ = ["Adadelta", "Adagrad", "Ftrl", "RMSprop", "SGD"]


class SGD(Optimizer):
    """Gradient descent, with momentum where asked for; the gradient is of one batch."""

    learning_rate: LearningRate = Field(0.01, description="How far a step goes; a number or a schedule.")
    momentum: Fraction = Field(0.0, description="The share of the last step that is kept.")
    nesterov: Flag = Field(False, description="Whether the gradient is taken ahead, where momentum leads.")


class RMSprop(Optimizer):
    """Divides by a running root mean square of the gradient (Hinton 2012)."""

    rho: Decay = Field(0.9, description="The share of the running mean that is kept.")
    momentum: Fraction = Field(0.0, description="The share of the last step that is kept.")
    epsilon: PositiveNumber = Field(1e-7, description="Keeps the divisor from 0.")
    centered: Flag = Field(False, description="Whether the mean is taken off: by the variance, not the second moment.")


class Adagrad(Optimizer):
    """Divides by the root of all squared gradients so far (Duchi et al. 2011)."""

    initial_accumulator_value: NonNegative = Field(0.1, description="What the sum of squares starts from.")
    epsilon: PositiveNumber = Field(1e-7, description="Keeps the divisor from 0.")


class Adadelta(Optimizer):
    """Adagrad over a window, in the unit of the weights (Zeiler 2012)."""

    rho: Decay = Field(0.95, description="The share of the running means that is kept.")
    epsilon: PositiveNumber = Field(1e-7, description="Keeps the divisor from 0.")


class Ftrl(Optimizer):
    """Follow the regularized leader, for wide sparse models (McMahan et al. 2013)."""

    learning_rate_power: Annotated[float, Strict(), Field(le=0)] = Field(-0.5, description="How the rate falls; 0 keeps it.")
    initial_accumulator_value: NonNegative = Field(0.1, description="What the sum of squares starts from.")
    l1_regularization_strength: NonNegative = Field(0.0, description="The L1 penalty.")
    l2_regularization_strength: NonNegative = Field(0.0, description="The L2 penalty.")
    l2_shrinkage_regularization_strength: NonNegative = Field(
        0.0, description="The L2 penalty on the size of the gradient's step."
    )
    beta: NonNegative = Field(0.0, description="The paper's beta, added to the root of the sum of squares.")
