"""Contrastive learning of representations. The class has the name that a spec uses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field, Strict

from nnspec.data.augmentations import CORRUPTIONS
from nnspec.layers.scalars import PositiveNumber
from nnspec.training.objectives.own_loss import OwnLoss
from nnspec.types import Config, Named

if TYPE_CHECKING:
    import keras

    from nnspec.training.objectives.context import ObjectiveContext
    from nnspec.training.objectives.contrastive.check import ContrastivePlan
    from nnspec.training.objectives.contrastive.loss import ContrastiveLoss
    from nnspec.training.plan import TrainingPlan

__all__ = ["contrastive"]

_Text = Annotated[str, Strict()]


class contrastive(OwnLoss):  # noqa: N801
    """Learns vectors that are similar for two random views of an example, and dissimilar for other examples.

    The loss is NT-Xent (Chen et al. 2020, "A Simple Framework for Contrastive Learning of Visual Representations"): the
    cross-entropy of finding the other view of an example among all other views in the batch, by cosine similarity. It needs no
    labels, and large batches.
    """

    metrics: ClassVar[Mapping[str, Literal["min", "max"]]] = {"loss": "min", "contrastive_accuracy": "max"}

    views: list[Annotated[Config, Named(CORRUPTIONS)]] = Field(
        min_length=1,
        description="The random layers that make a view of an example, in order; the two views are drawn independently.",
        examples=[[{"RandomTranslation": {"height_factor": 0.1, "width_factor": 0.1}}, {"GaussianNoise": 0.1}]],
    )
    input: _Text | None = Field(None, description="The input to make views of; null: the only one.")
    output: _Text | None = Field(None, description="The output to compare, a vector for each example; null: the only one.")
    temperature: PositiveNumber = Field(0.1, description="The divisor of the cosine similarities.")

    def own_plan(self, context: ObjectiveContext) -> ContrastivePlan | None:
        from nnspec.training.objectives.contrastive.check import contrastive_plan

        return contrastive_plan(self, context)

    def batch_loss(self, plan: TrainingPlan, model: keras.Model) -> ContrastiveLoss:
        from nnspec.training.objectives.contrastive.loss import ContrastiveLoss

        return ContrastiveLoss(model, plan)
