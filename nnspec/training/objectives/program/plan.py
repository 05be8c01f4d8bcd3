"""The checked objective of a program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nnspec.graph import Graph
from nnspec.graph.model import Ref
from nnspec.training.objectives.program import Average, Minimize, program
from nnspec.training.objectives.program.builder import ProgramGraph
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
        fields: The types of the data fields for one example.
        typed: Its typed graph.
        entries: Its losses.
        shown: The tensors whose means are logged, by name.
        networks: The networks that it applies, averages among them.
        averages: The averages.
        exported: The network that is exported by default; empty if the document does not state which.
        full_batches: Whether all batches must have the same size, because examples meet.
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

    @property
    def trained(self) -> frozenset[str]:
        """The networks that some entry trains."""
        return frozenset(name for entry in self.entries for name in entry.section.networks)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics of an epoch, by their names in the log."""
        names = [*(entry.name for entry in self.entries), *self.shown]
        return tuple(names if len(self.entries) > 1 or "loss" in names else ["loss", *names])
