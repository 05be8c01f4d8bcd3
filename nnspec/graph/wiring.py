"""From the names under ``from`` and ``outputs`` to tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nnspec.diagnostics import Diagnostic, Note, Span
from nnspec.graph import problems as g
from nnspec.graph.model import Ref
from nnspec.layers.base import Ports
from nnspec.spec.steps import Step
from nnspec.spec.tree import MappingNode, Scalar, SequenceNode, Tree
from nnspec.types import TensorType, closest

__all__ = ["Names", "Source", "sources_of"]


@dataclass
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


@dataclass
class Names:
    """The names of one network, and what each gives once it is built.

    Attributes:
        inputs: The inputs' types; None for one whose declaration is wrong.
        steps: All steps by name, also those further down.
        built: The outputs of each step built so far; None for one that could not be typed.
    """

    inputs: Mapping[str, TensorType | None]
    steps: Mapping[str, Step]
    built: dict[str, Mapping[str, TensorType] | None] = field(default_factory=dict)

    def resolve(self, source: Source, problems: list[Diagnostic]) -> tuple[Ref, TensorType] | None:
        """The tensor a name stands for; None, with or without a diagnostic, where it has no type."""
        name, dot, output = source.text.partition(".")
        if name in self.inputs:
            type_ = self.inputs[name]
            if dot:
                problems.append(g.UnknownOutput.at(source.span, source.path, help=f"write `{name}`", source=name, output=output))
                return None
            return (Ref(name), type_) if type_ else None
        if name not in self.built:
            problems.append(self._unknown(name, source))
            return None
        outputs = self.built[name]
        if outputs is None:
            return None
        chosen = output if dot else ("output" if "output" in outputs else next(iter(outputs)))
        if (not dot and chosen != "output" and len(outputs) > 1) or chosen not in outputs:
            listed = ", ".join(f"`{name}.{o}`" for o in outputs)
            help = f"it has {listed}" if len(outputs) > 1 else f"it has one output: write `{name}`"
            if getattr(self.steps[name].layer, "return_state", None) is False:
                help += ", or give it `return_state: true`"
            problems.append(g.UnknownOutput.at(source.span, source.path, help=help, source=name, output=chosen))
            return None
        return Ref(name, chosen), outputs[chosen]

    def _unknown(self, name: str, source: Source) -> Diagnostic:
        suggestion = closest(name, [*self.inputs, *self.built])
        if suggestion:
            help = f"did you mean `{suggestion}`?"
        else:
            near = [*self.inputs, *list(self.built)[-8:]]
            help = "there are " + ", ".join(f"`{n}`" for n in near) if near else ""
        return g.UnknownSource.at(source.span, source.path, help=help, name=name)


def sources_of(step: Step, above: Step | None, inputs: Sequence[str], problems: list[Diagnostic]) -> list[Source] | None:
    """What a step reads from; None where that cannot be said, with a diagnostic."""
    tree = step.source
    if tree is None or (isinstance(tree, Scalar) and tree.value is None):
        if above is not None:
            return [Source(above.name, None, step.span, step.path, implied=True)]
        if len(inputs) == 1:
            return [Source(inputs[0], None, step.span, step.path, implied=True)]
        if inputs:
            help = f"write `from: {inputs[0]}` beside it; the inputs are {', '.join(f'`{name}`' for name in inputs)}"
            problems.append(g.NoDefaultSource.at(step.span, step.path, help=help))
        return None
    if isinstance(tree, MappingNode):
        found = [_source(value, str(key.value), problems) for key, value in tree.items()]
    elif isinstance(tree, SequenceNode):
        found = [_source(item, None, problems) for item in tree.items]
    else:
        found = [_source(tree, None, problems)]
    return None if any(source is None for source in found) else [source for source in found if source]


def _source(tree: Tree, port: str | None, problems: list[Diagnostic]) -> Source | None:
    if isinstance(tree, Scalar) and isinstance(tree.value, str):
        return Source(tree.value, port, tree.span, tree.path)
    reason = f"a name is expected under `from`, not {tree.kind}"
    problems.append(g.BadSource.at(tree.span, tree.path, reason=reason))
    return None


def ports_of(step: Step, ports: Ports, sources: list[Source], problems: list[Diagnostic]) -> dict[str, Source] | None:
    """Which source feeds which port; None where they do not fit, with a diagnostic."""
    span, path = (step.source.span, step.source.path) if step.source else (step.span, step.path)
    if ports.variadic:
        if len(sources) < 2 or any(source.port for source in sources):
            help = "write `from: [a, b]`"
            problems.append(g.BadSource.at(span, path, help=help, reason=f"`{step.op}` merges a list of at least two"))
            return None
        return {str(i): source for i, source in enumerate(sources)}
    known = (*ports.required, *ports.optional)
    if len(sources) > 1 and any(source.port is None for source in sources):
        listed = ", ".join(f"{port}: …" for port in known)
        help = "merge them first: `- Concatenate:` with this `from`" if len(known) == 1 else f"write `from: {{{listed}}}`"
        problems.append(g.BadSource.at(span, path, help=help, reason=f"`{step.op}` takes one input, not a list of {len(sources)}"))
        return None
    fed: dict[str, Source] = {}
    for source in sources:
        if source.port is not None and source.port not in known:
            suggestion = closest(source.port, known)
            help = f"did you mean `{suggestion}`?" if suggestion else "it has " + ", ".join(f"`{port}`" for port in known)
            problems.append(g.BadSource.at(source.span, source.path, help=help, reason=f"`{step.op}` has no input `{source.port}`"))
            return None
        fed[source.port or ports.required[0]] = source
    if len(sources) == 1 and sources[0].port is None:
        fed = dict.fromkeys(ports.required, sources[0])
    missing = [port for port in ports.required if port not in fed]
    if missing:
        help = f"write `from: {{{missing[0]}: …}}`"
        problems.append(g.BadSource.at(span, path, help=help, reason=f"`{step.op}` needs `{missing[0]}`"))
        return None
    return {port: fed[port] for port in known if port in fed}


def misplaced(source: Source, step: Step, names: Names, reads: Mapping[str, Sequence[str]]) -> Diagnostic:
    """The diagnostic of a name that is defined further down: a cycle, or only the wrong order."""
    target = source.text.partition(".")[0]
    chain = _chain(target, step.name, reads)
    if chain is None:
        note = Note(f"`{target}` is defined here", names.steps[target].span)
        help = f"move this step below `{target}`"
        return g.SourceBelow.at(source.span, source.path, help=help, notes=[note], name=target)
    shown = " → ".join(f"`{name}`" for name in [step.name, *chain])
    notes = [Note(f"`{name}` is defined here", names.steps[name].span) for name in chain if name != step.name]
    return g.Cycle.at(source.span, source.path, help="read from a step above, or from an input", notes=notes[:3], chain=shown)


def _chain(start: str, goal: str, reads: Mapping[str, Sequence[str]]) -> list[str] | None:
    """A way from ``start`` to ``goal`` along what each step reads, both included; None where there is none."""
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
        for source in reads.get(name, ()):
            if source not in came_from:
                came_from[source] = name
                queue.append(source)
    return None
