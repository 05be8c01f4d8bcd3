"""Losses of one class of several."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, Strict

from nnspec.layers.scalars import WholeNumber
from nnspec.training.batches.targets import Expected, TargetKind
from nnspec.training.catalogue.losses.base import ClassAxis, Focus, FromLogits, Loss, Share, Smoothing

__all__ = [
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalGeneralizedCrossEntropy",
    "CategoricalHinge",
    "KLDivergence",
    "SparseCategoricalCrossentropy",
]


class SparseCategoricalCrossentropy(Loss):
    """Cross-entropy with one class of several; the target is the class's index."""

    target: ClassVar[TargetKind | None] = "class"
    expects: ClassVar[Expected] = "distribution"
    instead: ClassVar[tuple[str, ...]] = ("CategoricalCrossentropy", "BinaryCrossentropy")

    from_logits: FromLogits = False
    ignore_class: WholeNumber | None = Field(None, description="A target that is left out, often −1 or 255.")
    axis: ClassAxis = -1


class CategoricalGeneralizedCrossEntropy(Loss):
    """Between cross-entropy and the absolute error, for labels with errors in them (Zhang and Sabuncu 2018)."""

    target: ClassVar[TargetKind | None] = "class"
    expects: ClassVar[Expected] = "distribution"
    instead: ClassVar[tuple[str, ...]] = ("CategoricalCrossentropy", "BinaryCrossentropy")

    q: Annotated[float, Strict(), Field(gt=0, lt=1)] = Field(
        0.5, description="Towards 0 cross-entropy, towards 1 the absolute error."
    )


class CategoricalCrossentropy(Loss):
    """Cross-entropy with one class of several; the target is one-hot."""

    target: ClassVar[TargetKind | None] = "distribution"
    expects: ClassVar[Expected] = "distribution"
    instead: ClassVar[tuple[str, ...]] = ("SparseCategoricalCrossentropy", "BinaryCrossentropy")

    from_logits: FromLogits = False
    label_smoothing: Smoothing = 0.0
    axis: ClassAxis = -1


class CategoricalFocalCrossentropy(Loss):
    """Cross-entropy in which easy examples count less (Lin et al. 2017); the target is one-hot."""

    target: ClassVar[TargetKind | None] = "distribution"
    expects: ClassVar[Expected] = "distribution"
    instead: ClassVar[tuple[str, ...]] = ("SparseCategoricalCrossentropy", "BinaryFocalCrossentropy")

    alpha: Share | list[Share] = Field(0.25, description="The weight of the classes: one for all, or a list.")
    gamma: Focus = 2.0
    from_logits: FromLogits = False
    label_smoothing: Smoothing = 0.0
    axis: ClassAxis = -1


class CategoricalHinge(Loss):
    """The margin between the right class and the best of the others; the target is one-hot."""

    target: ClassVar[TargetKind | None] = "distribution"
    instead: ClassVar[tuple[str, ...]] = ("SparseCategoricalCrossentropy", "Hinge")


class KLDivergence(Loss):
    """The Kullback–Leibler divergence of the output from the target, both distributions over the last axis."""

    target: ClassVar[TargetKind | None] = "distribution"
    expects: ClassVar[Expected] = "distribution"
    instead: ClassVar[tuple[str, ...]] = ("SparseCategoricalCrossentropy", "BinaryCrossentropy")
