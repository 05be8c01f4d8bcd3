"""What is trained, how, and what is watched: the outcome of the static check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from nnspec.data.plan import DataPlan, Derived
from nnspec.graph import Graph
from nnspec.spec.tree import MappingNode
from nnspec.training.catalogue.losses.base import Loss
from nnspec.training.catalogue.metrics.base import Metric
from nnspec.training.section import TrainSection
from nnspec.types import TensorType

if TYPE_CHECKING:
    from nnspec.training.objectives.gan.networks import Pair

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
        graph: The network; those that are trained together, side by side.
        section: The section ``train``.
        tree: The same as it was written.
        data: What of the data goes where; None where the spec names none.
        outputs: What is done with each output.
        monitor: The figure that says which weights are best.
        phases: The parts of the training, at least one.
        derived: The targets that are made of an input, by output.
        pair: The two networks, where they are trained against each other; None where one is trained.
    """

    graph: Graph
    section: TrainSection
    tree: MappingNode
    data: DataPlan | None
    outputs: Mapping[str, OutputPlan]
    monitor: Monitor
    phases: tuple[PhasePlan, ...]
    derived: Mapping[str, Derived] = field(default_factory=dict)
    pair: Pair | None = None

    @property
    def networks(self) -> Mapping[str, Graph]:
        """What is trained, by name: each becomes a model of its own."""
        return {self.graph.name: self.graph} if self.pair is None else self.pair.networks

    @property
    def losses(self) -> dict[str, OutputPlan]:
        """The outputs that have a loss."""
        return {name: output for name, output in self.outputs.items() if output.loss is not None}
