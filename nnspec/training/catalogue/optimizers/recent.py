"""Optimizers for large models."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, Strict

from nnspec.layers.scalars import Flag, Number, PositiveInt, PositiveNumber
from nnspec.training.catalogue.optimizers.base import Decay, NonNegative, Optimizer

__all__ = ["Adafactor", "Lion", "Muon"]


class Adafactor(Optimizer):
    """Adam's second moment in factored form, for large matrices (Shazeer and Stern 2018)."""

    beta_2_decay: Annotated[float, Strict(), Field(lt=0)] = Field(
        -0.8, description="The power of the step in the second moment's decay."
    )
    epsilon_1: PositiveNumber = Field(1e-30, description="Keeps the divisor from 0.")
    epsilon_2: PositiveNumber = Field(0.001, description="The smallest a weight is taken to be.")
    clip_threshold: PositiveNumber = Field(1.0, description="The root mean square above which a step is shortened.")
    relative_step: Flag = Field(True, description="Whether the rate is at most 1 / sqrt(step).")


class Lion(Optimizer):
    """The sign of the momentum alone (Chen et al. 2023); wants a rate 3 to 10 times smaller than Adam."""

    beta_1: Annotated[float, Strict(), Field(gt=0, le=1)] = Field(0.9, description="The share of the momentum in a step.")
    beta_2: Decay = Field(0.99, description="The share of the momentum that is kept.")


class Muon(Optimizer):
    """Orthogonalized momentum for matrices, Adam for the rest (Jordan et al. 2024)."""

    adam_beta_1: Decay = Field(0.9, description="Adam's share of the first moment that is kept.")
    adam_beta_2: Decay = Field(0.999, description="Adam's share of the second moment that is kept.")
    adam_weight_decay: NonNegative = Field(0.004, description="Weight decay of what Adam trains.")
    epsilon: PositiveNumber = Field(1e-7, description="Keeps the divisor from 0.")
    weight_decay: NonNegative = Field(
        0.004, description="What each step takes off a weight, as a fraction of it times the rate."
    )
    exclude_layers: list[str] | None = Field(
        None, description="Regular expressions: weights whose names match are left to Adam."
    )
    exclude_embeddings: Flag = Field(True, description="Whether embeddings are left to Adam.")
    muon_a: Number = Field(3.4445, description="First coefficient of the Newton–Schulz iteration.")
    muon_b: Number = Field(-4.775, description="Second coefficient.")
    muon_c: Number = Field(2.0315, description="Third coefficient.")
    adam_lr_ratio: PositiveNumber = Field(1.0, description="Adam's rate, as a multiple of `learning_rate`.")
    momentum: Decay = Field(0.95, description="The share of the last step that is kept.")
    ns_steps: PositiveInt = Field(5, description="Newton–Schulz iterations.")
    nesterov: Flag = Field(True, description="Whether the gradient is taken ahead, where momentum leads.")
    rms_rate: PositiveNumber | None = Field(
        0.2, description="The root mean square steps are scaled to; null: by the matrix's shape."
    )
