"""Training programs. The class has the name that a spec uses."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field, Strict

from nnspec.layers.scalars import PositiveInt
from nnspec.training.catalogue.optimizers import OPTIMIZERS
from nnspec.training.catalogue.schedules import SCHEDULES
from nnspec.training.objectives.base import Objective
from nnspec.training.objectives.program.draws import DrawSection
from nnspec.types import Config, Named

if TYPE_CHECKING:
    from nnspec.data.prepare import Prepared
    from nnspec.training.batches.augmenter import Augmenter
    from nnspec.training.loop.learner import Task
    from nnspec.training.loop.networks import Networks
    from nnspec.training.objectives.context import TrainingCheck
    from nnspec.training.plan import TrainingPlan

__all__ = ["Average", "Minimize", "program"]

_Text = Annotated[str, Strict()]


class Minimize(Config):
    """A loss, and the networks whose weights it trains."""

    loss: _Text = Field(
        description="The step or result with the loss, which is averaged over its elements.", examples=["losses.critic_loss"]
    )
    of: list[_Text] | _Text = Field(description="The networks whose weights are updated.", examples=["critic"])
    times: PositiveInt = Field(1, description="How often in each step; update `j` uses batch `j` of the step.", examples=[2])
    optimizer: Annotated[Config, Named(OPTIMIZERS)] | None = Field(
        None, description="The optimizer of these updates; null: `train.optimizer`."
    )

    @property
    def networks(self) -> tuple[str, ...]:
        """The networks whose weights are updated."""
        return tuple(self.of) if isinstance(self.of, list) else (self.of,)


class Average(Config):
    """A copy of a network whose weights follow it as an exponential moving average."""

    of: _Text = Field(description="The network.", examples=["student"])
    decay: Annotated[Config, Named(SCHEDULES)] | Annotated[float, Strict(), Field(ge=0, le=1)] = Field(
        0.999,
        description="The share of the average that each step keeps: a number, or a schedule of the step.",
        examples=[0.996],
    )


class program(Objective):  # noqa: N801
    """Trains networks with losses that the spec writes as steps: what is drawn, computed, minimized and averaged.

    See docs/programs.md.
    """

    has_own_losses: ClassVar[bool] = True
    predicts: ClassVar[bool] = False
    measures: ClassVar[bool] = True

    draw: dict[str, DrawSection] = Field(
        {}, description="Random values by name, drawn for each example and each update.", examples=[{"noise": {"normal": [64]}}]
    )
    layers: Any = Field(None, description="The steps: networks, blocks, layers without weights, expressions and losses.")
    minimize: list[Minimize] = Field(
        min_length=1,
        description="The losses, each with the networks that it trains, in order.",
        examples=[[{"loss": "losses.critic_loss", "of": "critic"}]],
    )
    show: list[_Text] | dict[str, _Text] = Field(
        [], description="Steps or results whose means are logged as metrics.", examples=[["losses.critic_loss"]]
    )
    average: dict[str, Average] = Field(
        {},
        description="Moving averages of networks, by the name of the copy.",
        examples=[{"teacher": {"of": "student", "decay": 0.996}}],
    )

    def check(self, check: TrainingCheck) -> TrainingPlan | None:
        from nnspec.training.objectives.program.check import check_program

        return check_program(self, check)

    def vectors(self, plan: TrainingPlan) -> Collection[str]:
        found: Collection[str] = plan.own.vectors
        return found

    def task(self, networks: Networks, plan: TrainingPlan, prepared: Prepared, augmenter: Augmenter | None) -> Task:
        from nnspec.training.objectives.program.task import ProgramTask

        return ProgramTask(networks, plan, prepared, augmenter)

    def record(self, plan: TrainingPlan, prepared: Prepared) -> dict[str, Any]:
        del prepared
        return {"program": {"network": plan.own.exported}}

    @classmethod
    def exported_network(cls, info: Mapping[str, Any]) -> str:
        return str(info["program"]["network"])
