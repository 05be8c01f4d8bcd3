"""Losses of multiclass targets."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, Strict

from nnspec.layers.scalars import WholeNumber
from nnspec.training.catalogue.losses.base import ClassAxis, Focus, FromLogits, Loss, Share, Smoothing
from nnspec.training.catalogue.targets import Expected, TargetKind


class SparseCategoricalCrossentropy(Loss):
    """Cross-entropy over classes; targets are class indices."""

    target: ClassVar[TargetKind | None] = "class"
    expects: ClassVar[Expected] = "distribution"
    instead: ClassVar[tuple[str, ...]] = ("CategoricalCrossentropy", "BinaryCrossentropy")

    from_logits: FromLogits = False
    ignore_class: WholeNumber | None = Field(None, description="A class index to ignore, often −1 or 255.")
    axis: ClassAxis = -1


class CategoricalGeneralizedCrossEntropy(Loss):
    """A loss between cross-entropy and absolute error, for noisy labels (Zhang and Sabuncu 2018)."""

    target: ClassVar[TargetKind | None] = "class"
    expects: ClassVar[Expected] = "distribution"
    instead: ClassVar[tuple[str, ...]] = ("CategoricalCrossentropy", "BinaryCrossentropy")

    q: Annotated[float, Strict(), Field(gt=0, lt=1)] = Field(
        0.5, description="0 approaches cross-entropy, 1 approaches absolute error."
    )


class CategoricalCrossentropy(Loss):
    """Cross-entropy over classes; targets are one-hot."""

    target: ClassVar[TargetKind | None] = "distribution"
    expects: ClassVar[Expected] = "distribution"
    instead: ClassVar[tuple[str, ...]] = ("SparseCategoricalCrossentropy", "BinaryCrossentropy")

    from_logits: FromLogits = False
    label_smoothing: Smoothing = 0.0
    axis: ClassAxis = -1


class CategoricalFocalCrossentropy(Loss):
    """Cross-entropy that down-weights easy examples (Lin et al. 2017); targets are one-hot."""

    target: ClassVar[TargetKind | None] = "distribution"
    expects: ClassVar[Expected] = "distribution"
    instead: ClassVar[tuple[str, ...]] = ("SparseCategoricalCrossentropy", "BinaryFocalCrossentropy")

    alpha: Share | list[Share] = Field(0.25, description="The weight of the classes: a number, or a list.")
    gamma: Focus = 2.0
    from_logits: FromLogits = False
    label_smoothing: Smoothing = 0.0
    axis: ClassAxis = -1


class CategoricalHinge(Loss):
    """Hinge loss between the true class and the best other class; targets are one-hot."""

    target: ClassVar[TargetKind | None] = "distribution"
    instead: ClassVar[tuple[str, ...]] = ("SparseCategoricalCrossentropy", "Hinge")


class KLDivergence(Loss):
    """Kullback–Leibler divergence between target and output, both distributions over the last axis."""

    target: ClassVar[TargetKind | None] = "distribution"
    expects: ClassVar[Expected] = "distribution"
    instead: ClassVar[tuple[str, ...]] = ("SparseCategoricalCrossentropy", "BinaryCrossentropy")
