"""The checked objective of a program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nnspec.graph import Graph
from nnspec.graph.model import Ref
from nnspec.training.objectives.program import Average, Minimize, program
from nnspec.training.objectives.program.builder import ProgramGraph, Unit
from nnspec.training.objectives.program.compute import ProgramCompute
from nnspec.training.objectives.program.losses import LossValues
from nnspec.types import TensorType

__all__ = ["Entry", "ProgramPlan"]


@dataclass(frozen=True)
class Entry:
    """An entry of ``minimize``.

    Attributes:
        section: The entry as written.
        name: The name of its loss in the log.
        loss: Its loss.
    """

    section: Minimize
    name: str
    loss: Ref


@dataclass(frozen=True)
class ProgramPlan:
    """A checked program.

    Attributes:
        objective: The objective.
        fields: The types of the data fields for one example, by the names that the program has for them.
        typed: Its typed graph.
        entries: Its losses.
        shown: The tensors whose means are logged, by name.
        networks: The networks that it applies, averages among them.
        averages: The averages.
        exported: The network that is exported by default; empty if the document does not state which.
        full_batches: Whether all batches must have the same size, because examples meet.
        columns: The document's name of each field for which the program has another.
    """

    objective: program
    fields: Mapping[str, TensorType]
    typed: ProgramGraph
    entries: tuple[Entry, ...]
    shown: Mapping[str, Ref]
    networks: Mapping[str, Graph]
    averages: Mapping[str, Average]
    exported: str
    full_batches: bool
    columns: Mapping[str, str]

    @property
    def vectors(self) -> frozenset[str]:
        """The outputs of the networks, if nothing in the program treats any of them as scores of classes."""
        units = self.typed.units.values()
        losses = {unit.layer.loss.target_kind() for unit in units if isinstance(unit.layer, LossValues)}
        called = {
            application.function.name
            for unit in units
            if isinstance(unit.layer, ProgramCompute)
            for application in unit.layer.typed(unit.types).applications
        }
        if losses & {"class", "distribution"} or called & {"softmax", "log_softmax", "argmax"}:
            return frozenset()
        return frozenset(name for network in self.networks.values() for name in network.outputs)

    @property
    def trained(self) -> frozenset[str]:
        """The networks that some entry trains."""
        return frozenset(name for entry in self.entries for name in entry.section.networks)

    def describe(self) -> list[dict[str, Any]]:
        """What each entry of ``minimize`` computes, as plain data.

        Returns:
            ``[{"loss", "of", "times", "optimizer", "computes": [{"step", "network", "training"}]}]``; ``optimizer`` and
            ``network`` are null if there is none of the entry's own, or the step applies none.
        """
        return [
            {
                "loss": entry.section.loss,
                "of": list(entry.section.networks),
                "times": entry.section.times,
                "optimizer": None if entry.section.optimizer is None else type(entry.section.optimizer).__name__,
                "computes": [
                    {"step": unit.name, "network": unit.network, "training": self.in_training(unit)}
                    for unit in self.typed.needed([entry.loss])
                ],
            }
            for entry in self.entries
        ]

    def in_training(self, unit: Unit) -> bool:
        """Whether a step runs in training mode when the batch is trained on."""
        if unit.training is not None:
            return unit.training
        return unit.network is None or unit.network in self.trained or unit.network in self.averages

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics of an epoch, by their names in the log."""
        names = [*(entry.name for entry in self.entries), *self.shown]
        return tuple(names if len(self.entries) > 1 or "loss" in names else ["loss", *names])
