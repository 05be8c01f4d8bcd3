"""Names in a list of steps: one scope per list, nested like the lists."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import cached_property

from nnspec.diagnostics import Advice, Diagnostic, Span
from nnspec.diagnostics.remedies import Respell
from nnspec.graph import problems as g
from nnspec.graph.model import Ref
from nnspec.spec.step import Step
from nnspec.types import TensorType, certain, closest, suggested

_SURE = 0.85

_IS_EXPRESSION = re.compile(r"\w[\[(]|\s(?:[-+*/%@<>&|]|//|\*\*|[<>=!]=)\s")
"""A call, an index or an operator with spaces, as in ``maximum(t - 1, 0)`` and ``x[:, 0]``."""

Given = tuple[Ref, TensorType]
"""A tensor and its type."""


@dataclass(frozen=True)
class Source:
    """A name under ``from``.

    Attributes:
        text: Name as written, ``encoder.state``.
        port: Port that it feeds; None for a single name or a list.
        span: Location; that of the whole step if it is the default.
        path: Path of the same location.
        implied: Whether it is the default source, because ``from`` is omitted.
        help: What to write if there is no such name or output, if that is known.
        params: Names of the params that an expression can use, too.
    """

    text: str
    port: str | None
    span: Span
    path: str
    implied: bool = False
    help: str = ""
    params: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Name of the step or input, without the output."""
        return self.text.partition(".")[0]


@dataclass
class Scope:
    """The names of one list of steps.

    Attributes:
        inputs: Tensors of its inputs; None if one has no type because of an error.
        steps: Its steps by name, including those further down.
        around: Scope of the enclosing list, if its steps can read from it.
        owner: Step of the enclosing list that contains this list.
        built: Outputs of each step built so far; None if one has no type because of an error.
        reads: Names that each step reads from this list.
        prefix: Prefix of the node names.
    """

    inputs: Mapping[str, Given | None]
    steps: Mapping[str, Step]
    around: Scope | None = None
    owner: str = ""
    built: dict[str, Mapping[str, Given] | None] = field(default_factory=dict)
    reads: dict[str, set[str]] = field(default_factory=dict)
    prefix: str = ""

    def holder(self, name: str) -> Scope | None:
        """Return the scope, this or an enclosing one, in which a name is already defined."""
        scope: Scope | None = self
        while scope is not None and name not in scope.inputs and name not in scope.built:
            scope = scope.around
        return scope

    def is_defined(self, name: str, *, before: str) -> bool:
        """Return whether a name is an input or a step above a step of this list, here or in an enclosing list."""
        if name in self.inputs:
            return True
        for step in self.steps:
            if step == before:
                break
            if step == name:
                return True
        return self.around is not None and self.around.holder(name) is not None

    def note_read(self, step: str, name: str) -> None:
        """Record that a step reads a name, in the scope that defines it."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.inputs or name in scope.steps:
                scope.reads.setdefault(step, set()).add(name)
                return
            step, scope = scope.owner, scope.around

    def resolve(self, source: Source, problems: list[Diagnostic]) -> Given | None:
        """Return the tensor of a name; None, possibly with a diagnostic, if it has none."""
        name, dot, output = source.text.partition(".")
        holder = self.holder(name)
        if holder is None:
            if not self.is_open or self.is_misspelt(name):
                problems.append(self._unknown(name, source))
            return None
        if name in holder.inputs:
            if dot:
                problems.append(
                    g.UnknownOutput.at(
                        source.span, source.path, help=source.help or f"write `{name}`", source=name, output=output
                    )
                )
                return None
            return holder.inputs[name]
        outputs = holder.built[name]
        if outputs is None:
            return None
        chosen = output if dot else ("output" if "output" in outputs or len(outputs) > 1 else next(iter(outputs)))
        if chosen not in outputs:
            help = source.help or self._outputs_help(name, output, outputs, holder)
            shown = chosen if dot else "output"
            problems.append(g.UnknownOutput.at(source.span, source.path, help=help, source=name, output=shown))
            return None
        return outputs[chosen]

    def _outputs_help(self, name: str, output: str, outputs: Mapping[str, Given], holder: Scope) -> str:
        if len(outputs) > 1:
            meant = certain(output, outputs) if output else None
            remedy = Respell(old=f"{name}.{output}", new=f"{name}.{meant}") if meant else None
            return Advice("its outputs are " + ", ".join(f"`{name}.{each}`" for each in outputs), remedy)
        content = holder.steps[name].content if name in holder.steps else None
        state = ", or give it `return_state: true`" if getattr(content, "return_state", None) is False else ""
        remedy = Respell(old=f"{name}.{output}", new=name) if output and not state else None
        return Advice(f"it has a single output: write `{name}`{state}", remedy)

    def is_misspelt(self, name: str) -> bool:
        """Return whether a name is almost certainly a misspelling of a known one."""
        meant = closest(name, self.known())
        if meant is None or re.sub(r"\d+", "", meant) == re.sub(r"\d+", "", name):  # another iteration of a repeat
            return False
        return SequenceMatcher(None, name, meant).ratio() >= _SURE

    @cached_property
    def is_open(self) -> bool:
        """Whether a step here or in an enclosing list has an unknown name because of an error."""
        around = self.around is not None and self.around.is_open
        return around or any(step.is_open for step in self.steps.values())

    def known(self) -> list[str]:
        """Names that can be read from here, the nearest last."""
        names = [] if self.around is None else self.around.known()
        return [*names, *(name for name in self.inputs if name.isidentifier()), *self.built]

    def _unknown(self, name: str, source: Source) -> Diagnostic:
        suggestion = closest(name, self.known())
        if source.help:
            help = source.help
        elif _IS_EXPRESSION.search(name):
            help = f"`from` takes a name: compute it in a step before, `- Compute: {name}`"
        elif suggestion:
            help = suggested(name, suggestion, self.known(), defined=True)
            if source.text != name and isinstance(meant := help.remedy, Respell):  # `frist.state`
                rest = source.text.removeprefix(name)
                help = Advice(help, Respell(old=source.text, new=meant.new + rest, is_defined=True))
        elif source.params and (param := closest(name, source.params)) is not None:
            is_certain = certain(name, [*source.params, *self.known()]) == param
            remedy = Respell(old=name, new=param, is_defined=True) if is_certain and source.text == name else None
            help = Advice(f"did you mean the param `{param}`?", remedy)
        else:
            known = self.known()
            near = [*(n for n in self.inputs if n in known), *[n for n in known if n not in self.inputs][-8:]]
            help = "the nearest names are " + ", ".join(f"`{n}`" for n in near) if near else ""
        return g.UnknownSource.at(source.span, source.path, help=help, name=name)

    def chain(self, start: str, goal: str) -> Sequence[str] | None:
        """Return a path between two steps along their sources, including both; None if there is none."""
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
        """Return everything on which some names depend, including themselves."""
        found: set[str] = set()
        stack = list(names)
        while stack:
            name = stack.pop()
            if name not in found:
                found.add(name)
                stack.extend(self.reads.get(name, ()))
        return found
