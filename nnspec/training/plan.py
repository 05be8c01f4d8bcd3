"""The training plan: the result of the static check."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast

from nnspec.data.plan import DataPlan, Need, TargetSource
from nnspec.graph import Graph
from nnspec.graph.model import Node
from nnspec.layers.standardization import Normalization
from nnspec.spec.tree import MappingNode
from nnspec.training.catalogue.losses.base import Loss
from nnspec.training.catalogue.metrics.base import Metric, Reads, SplitMetric
from nnspec.training.catalogue.schedules import Schedule
from nnspec.training.catalogue.targets import Compares, TargetKind, comparable
from nnspec.training.objectives.base import Objective
from nnspec.training.section import TrainSection, WeightedLoss
from nnspec.types import TensorType


@dataclass(frozen=True)
class OutputPlan:
    """The losses and the metrics of one output.

    Attributes:
        name: Its name.
        type: Its type.
        losses: Its losses with their weights in its sum; empty if it has none.
        weight: The weight of the sum; a schedule counts the steps of the phase.
        metrics: Its metrics by their names in the log, such as `digit_sparse_categorical_accuracy`.
    """

    name: str
    type: TensorType
    losses: tuple[WeightedLoss, ...]
    weight: float | Schedule
    metrics: Mapping[str, Metric]

    @property
    def loss(self) -> Loss | None:
        """The loss whose target all its losses take; None if it has none."""
        losses = [cast("Loss", term.loss) for term in self.losses]
        kinds = [kind for loss in losses if (kind := loss.target_kind()) is not None]
        compared = [loss for loss in losses if loss.target_kind() is not None]
        serving = (loss for loss, kind in zip(compared, kinds, strict=True) if all(comparable(kind, other) for other in kinds))
        return next(serving, next(iter(compared or losses), None))

    @property
    def compared(self) -> Compares | None:
        """The loss or, without one, the metric that determines the target; None if there is no target."""
        candidates: list[Compares | None] = [self.loss, *self.metrics.values()]
        compared = [found for found in candidates if found is not None and found.target_kind() is not None]
        first = next(iter(compared), None)
        if first is None or not first.takes_any_numbers():
            return first
        kinds = {kind for found in compared if (kind := found.target_kind()) is not None}
        return next(
            (found for found in compared if all(comparable(cast("TargetKind", found.target_kind()), kind) for kind in kinds)),
            first,
        )

    @property
    def needs_target(self) -> bool:
        """Whether a loss or metric takes a target."""
        return self.compared is not None

    @property
    def need(self) -> Need | None:
        """What the target must be; None if there is none."""
        found = need_of(self.type, self.compared) if self.compared is not None else None
        by_position = all(cast("Loss", term.loss).by_position for term in self.losses)
        return None if found is None else replace(found, by_position=by_position)

    def with_loss(self, loss: Loss) -> OutputPlan:
        """The output with another loss in place of `loss`."""
        losses = tuple(term.model_copy(update={"loss": loss}) if term.loss is self.loss else term for term in self.losses)
        return replace(self, losses=losses)


def added_weights(data: DataPlan | None) -> frozenset[str]:
    """The outputs whose weights are added to those of the positions, as those of borders are; others multiply."""
    targets = data.section.targets if data is not None else {}
    return frozenset(name for name, given in targets.items() if given.weight is not None and given.weight.border is not None)


def need_of(output: TensorType, compared: Compares) -> Need | None:
    """What the target of a loss or metric of an output must be; None if it takes none."""
    kind = compared.target_kind()
    if kind is None:
        return None
    return Need(
        kind,
        output,
        compared.title,
        next(iter(compared.instead), None),
        getattr(compared, "ignore_class", None),
        getattr(compared, "axis", -1) if kind in ("class", "distribution") else -1,
        target=compared.target_shape(output),
    )


@dataclass(frozen=True)
class SplitMetricPlan:
    """A metric of a whole split.

    Attributes:
        metric: The metric.
        network: The network whose outputs it reads.
        inputs: The data field of each input of the network.
        reads: The outputs and fields.
    """

    metric: SplitMetric
    network: str
    inputs: Mapping[str, str]
    reads: Reads


@dataclass(frozen=True)
class Monitor:
    """The metric that selects the best weights.

    Attributes:
        name: Its name in the log.
        mode: Whether lower or higher values are better.
    """

    name: str
    mode: Literal["min", "max"]

    def better(self, value: float, best: float | None, least: float = 0.0) -> bool:
        """Whether a value is better than the best so far by more than `least`.

        Example:
            >>> Monitor("val_loss", "min").better(0.9, 1.0), Monitor("val_loss", "min").better(0.95, 1.0, 0.1)
            (True, False)
        """
        if value != value:
            return False
        if best is None:
            return True
        return value < best - least if self.mode == "min" else value > best + least


LAST = Monitor("epoch", "max")
"""Keeps the last weights, where no metric selects the best ones: several losses have no common one."""


@dataclass(frozen=True)
class PhasePlan:
    """One phase of a training.

    Attributes:
        section: The section ``train`` with the overrides of this phase.
        outputs: The plan of each output.
        monitor: The metric that selects the best weights.
        plateau: The metric that lowers the learning rate; None if none does.
        frozen: The weight scopes that this phase freezes, in addition to those that the network freezes.
    """

    section: TrainSection
    outputs: Mapping[str, OutputPlan]
    monitor: Monitor
    plateau: Monitor | None
    frozen: tuple[str, ...]

    def comparable(self, other: PhasePlan) -> bool:
        """Whether values of the monitored metric are comparable with those of another phase."""
        return self.monitor == other.monitor and self.section.loss_weights == other.section.loss_weights


@dataclass(frozen=True)
class TrainingPlan:
    """A checked training; it can start once the data are read.

    Attributes:
        graph: The network; if several are trained, one graph with all of them.
        section: The section ``train``.
        tree: Its YAML tree.
        data: The plan of the data; None if the spec names none.
        outputs: The plan of each output.
        monitor: The metric that selects the best weights.
        phases: The phases, at least one.
        target_sources: The targets that are computed from an input, by output.
        networks: The trained networks by name; each becomes a model.
        own: The objective's own plan, from its check; None if it has none.
        split_metrics: The metrics of whole splits, which validation and evaluation compute.
        composed: Networks that those metrics read, and that only consist of trained ones and steps without weights, by name.
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
    split_metrics: tuple[SplitMetricPlan, ...] = ()
    composed: Mapping[str, Graph] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.networks:
            object.__setattr__(self, "networks", {self.graph.name: self.graph})

    @property
    def objective(self) -> Objective:
        """The objective."""
        return cast("Objective", self.section.objective)

    @property
    def losses(self) -> dict[str, OutputPlan]:
        """The outputs that have a loss."""
        return {name: output for name, output in self.outputs.items() if output.losses}


def fitted_layers(graph: Graph) -> Iterator[tuple[Node, Normalization]]:
    """The nodes whose statistics are fitted, in order; nodes that start from the weights of a file are not."""
    for node in graph.nodes.values():
        if isinstance(node.layer, Normalization) and node.layer.adapts and node.start is None:
            yield node, node.layer


def inverted_output(node: Node, graph: Graph, outputs: Mapping[str, OutputPlan]) -> str | None:
    """The output with numeric targets that a node returns, which define the inverse transform; None if it returns none."""
    for name, ref in graph.outputs.items():
        output = outputs.get(name)
        need = output.need if output is not None else None
        if ref.source == node.name and need is not None and need.kind in ("number", "non_negative"):
            return name
    return None
