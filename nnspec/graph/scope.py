"""Names and what they stand for: one scope a list of steps, nested as the lists are."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import cached_property

from nnspec.diagnostics import Diagnostic, Span
from nnspec.graph import problems as g
from nnspec.graph.model import Ref
from nnspec.spec.step import Step
from nnspec.types import TensorType, closest

__all__ = ["Given", "Scope", "Source"]

_SURE = 0.85

Given = tuple[Ref, TensorType]
"""A tensor of the graph and its type."""


@dataclass(frozen=True)
class Source:
    """One name under ``from``: what is meant and where it stands.

    Attributes:
        text: The name, ``encoder.state``.
        port: The port it feeds; None where it stands alone or in a list.
        span: Its place; of the whole step where it is the default.
        path: The same as a path.
        implied: Whether it is the step above, taken because ``from`` is not given.
    """

    text: str
    port: str | None
    span: Span
    path: str
    implied: bool = False

    @property
    def name(self) -> str:
        """The step or input, without the output."""
        return self.text.partition(".")[0]


@dataclass
class Scope:
    """The names of one list of steps.

    Attributes:
        inputs: What its inputs stand for; None for one that has no type because of an error.
        steps: Its steps by name, also those further down.
        around: The scope of the list around it, where its steps may read from that.
        owner: The step of that list which holds this one.
        built: The outputs of each step built so far; None for one that has no type because of an error.
        reads: What each step reads from this list.
        prefix: What the names of its steps' nodes begin with.
    """

    inputs: Mapping[str, Given | None]
    steps: Mapping[str, Step]
    around: Scope | None = None
    owner: str = ""
    built: dict[str, Mapping[str, Given] | None] = field(default_factory=dict)
    reads: dict[str, set[str]] = field(default_factory=dict)
    prefix: str = ""

    def holder(self, name: str) -> Scope | None:
        """The scope, this one or one around it, in which a name is known by now."""
        scope: Scope | None = self
        while scope is not None and name not in scope.inputs and name not in scope.built:
            scope = scope.around
        return scope

    def note_read(self, step: str, name: str) -> None:
        """Remembers that a step reads a name, here or in the list where the name stands."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.inputs or name in scope.steps:
                scope.reads.setdefault(step, set()).add(name)
                return
            step, scope = scope.owner, scope.around

    def resolve(self, source: Source, problems: list[Diagnostic]) -> Given | None:
        """The tensor a name stands for; None, with or without a diagnostic, where it has none."""
        name, dot, output = source.text.partition(".")
        holder = self.holder(name)
        if holder is None:
            if not self.is_open or self.is_misspelt(name):
                problems.append(self._unknown(name, source))
            return None
        if name in holder.inputs:
            if dot:
                problems.append(
                    g.UnknownOutput.at(source.span, source.path, help=f"write `{name}`", source=name, output=output)
                )
                return None
            return holder.inputs[name]
        outputs = holder.built[name]
        if outputs is None:
            return None
        chosen = output if dot else ("output" if "output" in outputs or len(outputs) > 1 else next(iter(outputs)))
        if chosen not in outputs:
            help = self._outputs_help(name, outputs, holder)
            shown = chosen if dot else "output"
            problems.append(g.UnknownOutput.at(source.span, source.path, help=help, source=name, output=shown))
            return None
        return outputs[chosen]

    def _outputs_help(self, name: str, outputs: Mapping[str, Given], holder: Scope) -> str:
        if len(outputs) > 1:
            return "it has " + ", ".join(f"`{name}.{output}`" for output in outputs)
        content = holder.steps[name].content if name in holder.steps else None
        state = ", or give it `return_state: true`" if getattr(content, "return_state", None) is False else ""
        return f"it has one output: write `{name}`" + state

    def is_misspelt(self, name: str) -> bool:
        """Whether a name is almost surely one that is known here, misspelt."""
        meant = closest(name, self.known())
        if meant is None or re.sub(r"\d+", "", meant) == re.sub(r"\d+", "", name):  # another turn of a loop
            return False
        return SequenceMatcher(None, name, meant).ratio() >= _SURE

    @cached_property
    def is_open(self) -> bool:
        """Whether a step here, or in a list around, has a name that is not known because of an error."""
        around = self.around is not None and self.around.is_open
        return around or any(step.is_open for step in self.steps.values())

    def known(self) -> list[str]:
        """The names that may be read from here, the nearest last."""
        names = [] if self.around is None else self.around.known()
        return [*names, *(name for name in self.inputs if name.isidentifier()), *self.built]

    def _unknown(self, name: str, source: Source) -> Diagnostic:
        suggestion = closest(name, self.known())
        if suggestion:
            help = f"did you mean `{suggestion}`?"
        else:
            known = self.known()
            near = [*(n for n in self.inputs if n in known), *[n for n in known if n not in self.inputs][-8:]]
            help = "there are " + ", ".join(f"`{n}`" for n in near) if near else ""
        return g.UnknownSource.at(source.span, source.path, help=help, name=name)

    def chain(self, start: str, goal: str) -> Sequence[str] | None:
        """A way from one step to another along what each reads, both included; None where there is none."""
        came_from: dict[str, str | None] = {start: None}
        queue = [start]
        for name in queue:
            if name == goal:
                chain: list[str] = []
                at: str | None = name
                while at is not None:
                    chain.append(at)
                    at = came_from[at]
                return chain[::-1]
            for read in sorted(self.reads.get(name, ())):
                if read not in came_from:
                    came_from[read] = name
                    queue.append(read)
        return None

    def reached(self, names: Sequence[str]) -> set[str]:
        """Everything that some names depend on, themselves included."""
        found: set[str] = set()
        stack = list(names)
        while stack:
            name = stack.pop()
            if name not in found:
                found.add(name)
                stack.extend(self.reads.get(name, ()))
        return found
