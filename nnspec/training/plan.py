"""What is trained, how, and what is watched: the outcome of the static check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from nnspec.data.plan import DataPlan
from nnspec.data.targets.base import TargetSource
from nnspec.graph import Graph
from nnspec.spec.tree import MappingNode
from nnspec.training.catalogue.losses.base import Loss
from nnspec.training.catalogue.metrics.base import Metric
from nnspec.training.objectives.base import Objective
from nnspec.training.section import TrainSection
from nnspec.types import TensorType

__all__ = ["Monitor", "OutputPlan", "PhasePlan", "TrainingPlan"]


@dataclass(frozen=True)
class OutputPlan:
    """What is done with one output.

    Attributes:
        name: Its name.
        type: Its type.
        loss: What is made small; None where nothing reads it.
        weight: How much its loss counts.
        metrics: What is watched, by the name it is logged under, `digit_sparse_categorical_accuracy`.
    """

    name: str
    type: TensorType
    loss: Loss | None
    weight: float
    metrics: Mapping[str, Metric]

    @property
    def needs_target(self) -> bool:
        """Whether it is compared with something."""
        return self.loss is not None and self.loss.target_kind() is not None


@dataclass(frozen=True)
class Monitor:
    """The figure that says which weights are best.

    Attributes:
        name: Its name in the log.
        mode: Which way is better.
    """

    name: str
    mode: Literal["min", "max"]

    def better(self, value: float, best: float | None, least: float = 0.0) -> bool:
        """Whether a value is better than the best so far, by more than the least that counts.

        Example:
            >>> Monitor("val_loss", "min").better(0.9, 1.0), Monitor("val_loss", "min").better(0.95, 1.0, 0.1)
            (True, False)
        """
        if value != value:
            return False
        if best is None:
            return True
        return value < best - least if self.mode == "min" else value > best + least


@dataclass(frozen=True)
class PhasePlan:
    """A part of a training.

    Attributes:
        section: The section ``train`` as it holds in this phase.
        outputs: What is done with each output.
        monitor: The figure that says which weights are best.
        plateau: The figure that lowers the learning rate; None where none does.
        frozen: Where the weights stand that are kept from training, beside those the network itself keeps.
    """

    section: TrainSection
    outputs: Mapping[str, OutputPlan]
    monitor: Monitor
    plateau: Monitor | None
    frozen: tuple[str, ...]

    def comparable(self, other: PhasePlan) -> bool:
        """Whether the figure that is watched means the same in another phase."""
        return self.monitor == other.monitor and self.section.loss_weights == other.section.loss_weights


@dataclass(frozen=True)
class TrainingPlan:
    """A training that can begin once the data have been read.

    Attributes:
        graph: The network; those that are trained together, side by group_.
        section: The section ``train``.
        tree: The same as it was written.
        data: What of the data goes where; None where the spec names none.
        outputs: What is done with each output.
        monitor: The figure that says which weights are best.
        phases: The parts of the training, at least one.
        target_sources: The targets that are computed from an input, by output.
        networks: What is trained, by name: each becomes a model of its own.
        own: What the objective's check found for its own task; None where it found nothing more.
    """

    graph: Graph
    section: TrainSection
    tree: MappingNode
    data: DataPlan | None
    outputs: Mapping[str, OutputPlan]
    monitor: Monitor
    phases: tuple[PhasePlan, ...]
    target_sources: Mapping[str, TargetSource] = field(default_factory=dict)
    networks: Mapping[str, Graph] = field(default_factory=dict)
    own: Any = None

    def __post_init__(self) -> None:
        if not self.networks:
            object.__setattr__(self, "networks", {self.graph.name: self.graph})

    @property
    def objective(self) -> Objective:
        """What is learned."""
        return cast("Objective", self.section.objective)

    @property
    def losses(self) -> dict[str, OutputPlan]:
        """The outputs that have a loss."""
        return {name: output for name, output in self.outputs.items() if output.loss is not None}
