"""The contexts of an objective's checks, and a result."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from nnspec.data import problems as d
from nnspec.data.locations import locate
from nnspec.data.plan import TargetSource
from nnspec.diagnostics import Diagnostic, Problem, Span
from nnspec.graph import Graph, Model
from nnspec.spec import Spec
from nnspec.spec.checked import Known
from nnspec.spec.tree import MappingNode
from nnspec.training import problems as t
from nnspec.training.objectives import problems as o
from nnspec.training.objectives.base import Objective
from nnspec.training.plan import OutputPlan
from nnspec.training.section import TrainSection
from nnspec.types import did_you_mean, listed

_DEFINED = "the objective defines the losses: remove it"
OWN_LOSSES: Mapping[str, str] = {
    "loss": _DEFINED,
    "loss_weights": _DEFINED,
    "metrics": "its metrics are always logged: remove it",
    "class_weight": _DEFINED,
}
"""The keys that objectives with their own losses do not use, each with a help text."""


@dataclass(frozen=True)
class TrainingCheck:
    """The context of a check of the sections ``train`` and ``data``.

    Attributes:
        spec: The spec.
        model: Its graphs; None if they have errors.
        known: The section ``train``, as far as it is valid; None if there is none.
        tree: Its YAML tree.
        problems: Problems are appended here.
        require_data: Whether both sections and the data files must exist, because a training starts.
        parts: The splits of the data whose files are read.
    """

    spec: Spec
    model: Model | None
    known: Known[TrainSection] | None
    tree: MappingNode | None
    problems: list[Diagnostic]
    require_data: bool
    parts: Collection[str]

    @property
    def section(self) -> TrainSection | None:
        """The section; None if there is none, or it has no value because of errors."""
        return self.known.value if self.known is not None else None

    @property
    def wrong(self) -> frozenset[str]:
        """The keys of the section that have errors."""
        return frozenset(self.known.wrong) if self.known is not None else frozenset()

    @property
    def objective(self) -> Objective | None:
        """The objective; None if it has errors."""
        section = self.section
        return cast("Objective", section.objective) if section is not None and "objective" not in self.wrong else None

    @property
    def graph(self) -> Graph | None:
        """The main network; None if there is none, or errors leave it unknown."""
        return self.model.networks.get("main") if self.model is not None else None


@dataclass(frozen=True)
class Targets:
    """The sources of the targets of the outputs.

    Attributes:
        outputs: The plan of each output.
        sources: The targets that are computed from an input, by output; the others are in the data.
    """

    outputs: dict[str, OutputPlan]
    sources: Mapping[str, TargetSource]


@dataclass(frozen=True)
class ObjectiveContext:
    """The context of a check of the main network.

    Attributes:
        objective: Its name.
        tree: The YAML tree of the section ``train``.
        graph: The network.
        outputs: The plan of each output, according to its loss.
        problems: Problems are appended here.
    """

    objective: str
    tree: MappingNode
    graph: Graph
    outputs: dict[str, OutputPlan]
    problems: list[Diagnostic]

    def place(self, *keys: str | int) -> tuple[Span, str]:
        """The position of an argument of the objective in the spec."""
        return locate(self.tree, "objective", self.objective, *keys)

    def knows_input(self, name: str, *keys: str | int) -> bool:
        """Whether the network has an input of that name; reports it if not."""
        return self._knows(name, self.graph.inputs, "input", d.UnknownInput, *keys)

    def knows_output(self, name: str, *keys: str | int) -> bool:
        """Whether the network has an output of that name; reports it if not."""
        return self._knows(name, self.graph.outputs, "output", t.UnknownOutput, *keys)

    def chosen_input(self, name: str | None) -> str | None:
        """The value of the argument ``input``: an input of the network, by default the only one. Reports problems.

        Args:
            name: The value; None if it is not given.
        """
        return self._chosen(name, "input", list(self.graph.inputs))

    def chosen_output(self, name: str | None) -> str | None:
        """The same of the argument ``output``."""
        return self._chosen(name, "output", list(self.graph.outputs))

    def _chosen(self, name: str | None, key: str, known: list[str]) -> str | None:
        if name is None and len(known) == 1:
            return known[0]
        if name is None:
            self.unclear(f"which {key}", f"write `{key}: {known[0]}`" if known else "")
            return None
        found = self.knows_input(name, key) if key == "input" else self.knows_output(name, key)
        return name if found else None

    def _knows(self, name: str, known: Iterable[str], what: str, problem: type[Problem], *keys: str | int) -> bool:
        if name in known:
            return True
        help = did_you_mean(name, known, f"its {what}s are {listed(known)}")
        self.problems.append(problem.at(*self.place(*keys), help=help, name=name, what=what))
        return False

    def unclear(self, what: str, help: str) -> None:
        """Reports what the objective leaves ambiguous."""
        self.problems.append(o.ObjectiveUnclear.at(*self.place(), help=help, objective=self.objective, what=what))

    def does_not_fit(self, reason: str, *keys: str | int, help: str = "") -> None:
        """Reports why the network does not suit the objective."""
        self.problems.append(o.ObjectiveDoesNotFit.at(*self.place(*keys), help=help, objective=self.objective, reason=reason))

    @property
    def compared(self) -> list[str]:
        """The outputs whose loss takes a target."""
        return [
            name for name, output in self.outputs.items() if output.loss is not None and output.loss.target_kind() is not None
        ]


def refuse_keys(tree: MappingNode, objective: str, help: Mapping[str, str], problems: list[Diagnostic]) -> None:
    """Reports the keys of the section ``train`` that an objective does not use.

    Args:
        tree: The YAML tree of the section.
        objective: The objective's name.
        help: The keys, each with a help text.
        problems: Problems are appended here.
    """
    for key, instead in help.items():
        if tree.get(key) is not None:
            problems.append(o.NotWithObjective.at(*locate(tree, key), help=instead, key=key, objective=objective))
