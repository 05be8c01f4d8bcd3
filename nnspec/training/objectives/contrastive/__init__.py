"""Contrastive learning of representations. The class has the name that a spec uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field, Strict

from nnspec.data.augmentations import CORRUPTIONS
from nnspec.layers.scalars import PositiveNumber
from nnspec.training.objectives.base import Objective
from nnspec.types import Config, Named

if TYPE_CHECKING:
    from nnspec.data.prepare import Prepared
    from nnspec.training.batches.augmenter import Augmenter
    from nnspec.training.checks.training import TrainingCheck
    from nnspec.training.loop.learner import Task
    from nnspec.training.loop.networks import Networks
    from nnspec.training.plan import TrainingPlan

__all__ = ["contrastive"]

_Text = Annotated[str, Strict()]


class contrastive(Objective):  # noqa: N801
    """Learns vectors that are similar for two random views of an example, and dissimilar for other examples.

    The loss is NT-Xent (Chen et al. 2020, "A Simple Framework for Contrastive Learning of Visual Representations"): the
    cross-entropy of finding the other view of an example among all other views in the batch, by cosine similarity. It needs no
    labels, and large batches.
    """

    has_own_losses: ClassVar[bool] = True
    predicts: ClassVar[bool] = False

    views: list[Annotated[Config, Named(CORRUPTIONS)]] = Field(
        min_length=1,
        description="The random layers that make a view of an example, in order; the two views are drawn independently.",
    )
    input: _Text | None = Field(None, description="The input to make views of; null: the only one.")
    output: _Text | None = Field(None, description="The output to compare, a vector for each example; null: the only one.")
    temperature: PositiveNumber = Field(0.1, description="The divisor of the cosine similarities.")

    def check(self, check: TrainingCheck) -> TrainingPlan | None:
        from nnspec.training.objectives.contrastive.check import check_contrastive

        return check_contrastive(self, check)

    def task(self, networks: Networks, plan: TrainingPlan, prepared: Prepared, augmenter: Augmenter | None) -> Task:
        from nnspec.training.objectives.contrastive.task import ContrastiveTask

        return ContrastiveTask(networks, plan, prepared, augmenter)
