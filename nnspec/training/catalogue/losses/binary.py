"""Losses of binary targets."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from nnspec.layers.scalars import Flag, Fraction, WholeNumber
from nnspec.training.catalogue.losses.base import Focus, FromLogits, Loss, Share, Smoothing
from nnspec.training.catalogue.targets import Expected, TargetKind


class BinaryCrossentropy(Loss):
    """Binary cross-entropy of each element; targets are 0 or 1."""

    target: ClassVar[TargetKind | None] = "probability"
    expects: ClassVar[Expected] = "probability"
    instead: ClassVar[tuple[str, ...]] = ("SparseCategoricalCrossentropy",)
    is_binary: ClassVar[bool] = True

    from_logits: FromLogits = False
    label_smoothing: Smoothing = 0.0
    axis: WholeNumber = Field(-1, description="The axis to average over.")


class BinaryFocalCrossentropy(Loss):
    """Binary cross-entropy of each element that down-weights easy examples (Lin et al. 2017)."""

    target: ClassVar[TargetKind | None] = "probability"
    expects: ClassVar[Expected] = "probability"
    instead: ClassVar[tuple[str, ...]] = ("CategoricalFocalCrossentropy",)
    is_binary: ClassVar[bool] = True

    apply_class_balancing: Flag = Field(False, description="Whether 1 is weighted by `alpha` and 0 by `1 - alpha`.")
    alpha: Fraction = Field(0.25, description="The weight of 1.")
    gamma: Focus = 2.0
    from_logits: FromLogits = False
    label_smoothing: Smoothing = 0.0
    axis: WholeNumber = Field(-1, description="The axis to average over.")


class Hinge(Loss):
    """Hinge loss; targets are −1 or 1, or 0 or 1."""

    target: ClassVar[TargetKind | None] = "sign"
    instead: ClassVar[tuple[str, ...]] = ("CategoricalHinge",)


class SquaredHinge(Loss):
    """Squared hinge loss; targets are −1 or 1, or 0 or 1."""

    target: ClassVar[TargetKind | None] = "sign"
    instead: ClassVar[tuple[str, ...]] = ("CategoricalHinge",)


class Dice(Loss):
    """One minus the Dice coefficient of the output and a mask (Milletari et al. 2016), over the whole batch by default."""

    target: ClassVar[TargetKind | None] = "probability"
    expects: ClassVar[Expected] = "probability"
    by_position: ClassVar[bool] = False

    axis: WholeNumber | list[WholeNumber] | None = Field(
        None, description="The axes to sum over; null: all, including the batch axis."
    )


class Tversky(Loss):
    """Dice loss with separate weights for false positives and false negatives (Salehi et al. 2017)."""

    target: ClassVar[TargetKind | None] = "probability"
    expects: ClassVar[Expected] = "probability"
    by_position: ClassVar[bool] = False

    alpha: Share = Field(0.5, description="The weight of false positives.")
    beta: Share = Field(0.5, description="The weight of false negatives.")
    axis: WholeNumber | list[WholeNumber] | None = Field(
        None, description="The axes to sum over; null: all, including the batch axis."
    )
