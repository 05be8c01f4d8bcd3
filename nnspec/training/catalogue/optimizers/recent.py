"""Optimizers for large models."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, Strict

from nnspec.layers.scalars import Flag, Number, PositiveInt, PositiveNumber
from nnspec.training.catalogue.optimizers.base import Decay, NonNegative, Optimizer


class Adafactor(Optimizer):
    """Adam with a factored second moment, for large matrices (Shazeer and Stern 2018)."""

    beta_2_decay: Annotated[float, Strict(), Field(lt=0)] = Field(
        -0.8, description="The exponent of the decay rate of the second moment."
    )
    epsilon_1: PositiveNumber = Field(1e-30, description="A small constant for numerical stability.")
    epsilon_2: PositiveNumber = Field(0.001, description="The lower bound of the parameter scale.")
    clip_threshold: PositiveNumber = Field(1.0, description="The root mean square above which an update is scaled down.")
    relative_step: Flag = Field(True, description="Whether the learning rate is at most 1 / sqrt(step).")


class Lion(Optimizer):
    """Updates by the sign of the momentum (Chen et al. 2023); use a learning rate 3 to 10 times smaller than for Adam."""

    beta_1: Annotated[float, Strict(), Field(gt=0, le=1)] = Field(0.9, description="The share of the momentum in an update.")
    beta_2: Decay = Field(0.99, description="The decay rate of the momentum.")


class Muon(Optimizer):
    """Orthogonalized momentum for matrices, Adam for other weights (Jordan et al. 2024)."""

    adam_beta_1: Decay = Field(0.9, description="Adam's decay rate of the first moment.")
    adam_beta_2: Decay = Field(0.999, description="Adam's decay rate of the second moment.")
    adam_weight_decay: NonNegative = Field(0.004, description="The weight decay of weights that Adam trains.")
    epsilon: PositiveNumber = Field(1e-7, description="A small constant for numerical stability.")
    weight_decay: NonNegative = Field(
        0.004, description="The weight decay, as a fraction of the weights times the learning rate."
    )
    exclude_layers: list[str] | None = Field(None, description="Regular expressions; Adam trains weights with matching names.")
    exclude_embeddings: Flag = Field(True, description="Whether Adam trains embeddings.")
    muon_a: Number = Field(3.4445, description="First coefficient of the Newton–Schulz iteration.")
    muon_b: Number = Field(-4.775, description="Second coefficient.")
    muon_c: Number = Field(2.0315, description="Third coefficient.")
    adam_lr_ratio: PositiveNumber = Field(1.0, description="Adam's learning rate, as a multiple of `learning_rate`.")
    momentum: Decay = Field(0.95, description="The momentum.")
    ns_steps: PositiveInt = Field(5, description="The number of Newton–Schulz iterations.")
    nesterov: Flag = Field(True, description="Whether to use Nesterov momentum.")
    rms_rate: PositiveNumber | None = Field(
        0.2, description="The root mean square that updates are scaled to; null: scale by the shape of the matrix."
    )
