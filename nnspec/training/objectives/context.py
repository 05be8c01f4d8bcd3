"""The objective against the network: which targets are made of which inputs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from nnspec.data import problems as d
from nnspec.data.places import locate
from nnspec.data.plan import Derived
from nnspec.diagnostics import Diagnostic, Problem, Span
from nnspec.graph import Graph
from nnspec.spec.tree import MappingNode
from nnspec.training import problems as t
from nnspec.training.plan import OutputPlan
from nnspec.types import closest

__all__ = ["Made", "Where"]


@dataclass(frozen=True)
class Made:
    """What an objective makes of the outputs.

    Attributes:
        outputs: What is done with each.
        derived: The targets that are made of an input, by output.
    """

    outputs: dict[str, OutputPlan]
    derived: dict[str, Derived]


@dataclass(frozen=True)
class Where:
    """What an objective is held against.

    Attributes:
        objective: Its name.
        tree: The section ``train`` as it was written.
        graph: The network.
        outputs: What is done with each output, as its losses say.
        problems: What is wrong is appended here.
    """

    objective: str
    tree: MappingNode
    graph: Graph
    outputs: dict[str, OutputPlan]
    problems: list[Diagnostic]

    def place(self, *keys: str | int) -> tuple[Span, str]:
        """The place of an argument of the objective."""
        return locate(self.tree, "objective", self.objective, *keys)

    def knows_input(self, name: str, *keys: str | int) -> bool:
        """Whether the network has an input of that name; where it has none, that is said."""
        return self._knows(name, self.graph.inputs, "input", d.UnknownInput, *keys)

    def knows_output(self, name: str, *keys: str | int) -> bool:
        """The same of an output."""
        return self._knows(name, self.graph.outputs, "output", t.UnknownOutput, *keys)

    def _knows(self, name: str, known: Iterable[str], what: str, problem: type[Problem], *keys: str | int) -> bool:
        if name in known:
            return True
        suggestion = closest(name, known)
        listed = ", ".join(f"`{other}`" for other in known)
        help = f"did you mean `{suggestion}`?" if suggestion else f"its {what}s are {listed}"
        self.problems.append(problem.at(*self.place(*keys), help=help, name=name, what=what))
        return False

    def unclear(self, what: str, help: str) -> None:
        """Says what the objective leaves open."""
        self.problems.append(t.ObjectiveUnclear.at(*self.place(), help=help, objective=self.objective, what=what))

    def does_not_fit(self, reason: str, *keys: str | int, help: str = "") -> None:
        """Says why the network is none for it."""
        self.problems.append(t.ObjectiveDoesNotFit.at(*self.place(*keys), help=help, objective=self.objective, reason=reason))

    @property
    def compared(self) -> list[str]:
        """The outputs whose loss takes a target."""
        return [name for name, output in self.outputs.items() if output.needs_target]
