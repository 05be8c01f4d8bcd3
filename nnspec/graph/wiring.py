"""From what stands under ``from`` to the ports of a step."""

from __future__ import annotations

from collections.abc import Sequence

from nnspec.diagnostics import Diagnostic, Note
from nnspec.graph import problems as g
from nnspec.graph.scope import Scope, Source
from nnspec.layers.base import Layer, Ports
from nnspec.spec.step import Step
from nnspec.spec.tree import MappingNode, Scalar, SequenceNode, Tree, Unknown
from nnspec.types import closest, listed

__all__ = ["counts_examples", "misplaced", "ports_of", "sources_of"]

_OVER_AN_AXIS = {
    "Add": "over an axis of one input, `Sum: {axis: 1}` adds",
    "Average": "over an axis of one input, `Mean: {axis: 1}` averages",
    "Maximum": "over the positions of one input, `GlobalMaxPooling1D` takes the largest",
}
"""What a merge of one input alone is likely meant to be."""


_FEW = 5
"""Inputs of a layer that are all shown."""


def sources_of(step: Step, above: Step | None, inputs: Sequence[str], problems: list[Diagnostic]) -> list[Source] | None:
    """What a step reads from; None where that cannot be said, with a diagnostic."""
    tree = step.source
    if isinstance(tree, Unknown):
        return None
    if tree is None or (isinstance(tree, Scalar) and tree.value is None):
        if counts_examples(step):
            return [Source(name, None, step.span, step.path, implied=True) for name in inputs[:1]]
        if above is not None:
            return [Source(above.name, None, step.span, step.path, implied=True)]
        if len(inputs) == 1:
            return [Source(inputs[0], None, step.span, step.path, implied=True)]
        if inputs:
            help = f"write `from: {inputs[0]}` beside it; the inputs are {listed(inputs)}"
            problems.append(g.NoDefaultSource.at(step.span, step.path, help=help))
        return None
    if isinstance(tree, MappingNode):
        found = [_source(value, str(key.value), problems) for key, value in tree.items()]
    elif isinstance(tree, SequenceNode):
        found = [_source(item, None, problems) for item in tree.items]
    else:
        found = [_source(tree, None, problems)]
    return None if any(source is None for source in found) else [source for source in found if source]


def counts_examples(step: Step) -> bool:
    """Whether a step takes of an input the number of examples alone, and does not say of which."""
    return step.source is None and isinstance(step.content, Layer) and step.content.ports.counts_examples


def _source(tree: Tree, port: str | None, problems: list[Diagnostic]) -> Source | None:
    if isinstance(tree, Scalar) and isinstance(tree.value, str):
        return Source(tree.value, port, tree.span, tree.path)
    if isinstance(tree, Unknown):
        return None
    reason = f"a name is expected under `from`, not {tree.kind}"
    nested = isinstance(tree, SequenceNode)
    help = "write one list: `from: \"${['a', 'b'] + …}\"`" if nested and tree.formula else "write one list" if nested else ""
    problems.append(g.BadSource.at(tree.span, tree.path, help=help, reason=reason))
    return None


def ports_of(step: Step, ports: Ports, sources: list[Source], problems: list[Diagnostic]) -> dict[str, Source] | None:
    """Which source feeds which port; None where they do not fit, with a diagnostic."""

    def wrong(reason: str, help: str, source: Source | None = None) -> None:
        at = source or (step.source if step.source is not None else step)
        problems.append(g.BadSource.at(at.span, at.path, help=help, reason=reason))

    if ports.variadic:
        if len(sources) < 2 or any(source.port for source in sources):
            alone = _OVER_AN_AXIS.get(step.op)
            help = "write `from: [a, b]`" + (f"; {alone}" if alone and all(source.implied for source in sources) else "")
            wrong(f"`{step.op}` merges a list of at least two", help)
            return None
        return {str(i): source for i, source in enumerate(sources)}
    known = (*ports.required, *ports.optional)
    if not known:
        if not all(source.implied for source in sources):
            wrong(f"`{step.op}` takes no input", "leave `from` out")
            return None
        return {}
    if len(sources) > 1 and any(source.port is None for source in sources):
        if len(known) == 1:
            help = "merge them first: `- Concatenate:` with this `from`"
            wrong(f"`{step.op}` takes one input, not a list of {len(sources)}", help)
            return None
        texts = [source.text for source in sources] if len(sources) <= len(known) else []
        # Inputs that are parts of one, as an LSTM's `state_h` and `state_c`, are fed together.
        of_one = {port.rpartition("_")[0] for port in known[: len(texts)]} - {""}
        named = ", ".join(
            f"{port}: {texts[i] if i < len(texts) else '…'}"
            for i, port in enumerate(known)
            if not texts or i < len(texts) or (port.rpartition("_")[0] in of_one and len(known) < _FEW)
        )
        reason = f"`{step.op}` has inputs of different names, and a list does not say which is which"
        wrong(reason, f"write `from: {{{named}}}`")
        return None
    fed: dict[str, Source] = {}
    unknown = False
    for source in sources:
        if source.port is not None and source.port not in known:
            near = [port for port in known if port.startswith(source.port)]
            suggestion = closest(source.port, known)
            help = f"did you mean `{suggestion}`?" if suggestion else "it has " + ", ".join(f"`{port}`" for port in known)
            if len(near) > 1:
                help = f"it has {' and '.join(f'`{port}`' for port in near)}: name each"
            wrong(f"`{step.op}` has no input `{source.port}`", help, source)
            unknown = True
            continue
        fed[source.port or known[0]] = source
    if unknown:
        return None
    if len(sources) == 1 and sources[0].port is None and (ports.one_feeds_all or len(ports.required) == 1):
        fed = dict.fromkeys(ports.required, sources[0])
    missing = [port for port in ports.required if port not in fed]
    if missing:
        example = ", ".join(f"{port}: {fed[port].text if port in fed else '…'}" for port in ports.required)
        wrong(f"`{step.op}` needs `{missing[0]}`", f"write `from: {{{example}}}`")
        return None
    return {port: fed[port] for port in known if port in fed}


def misplaced(source: Source, step: Step, scope: Scope) -> Diagnostic:
    """The diagnostic of a name that is defined further down: a cycle, or only the wrong order."""
    target = source.name
    chain = scope.chain(target, step.name)
    if chain is None:
        note = Note(f"`{target}` is defined here", scope.steps[target].span)
        help = f"move this step below `{target}`"
        return g.SourceBelow.at(source.span, source.path, help=help, notes=[note], name=target)
    shown = " → ".join(f"`{name}`" for name in [step.name, *chain])
    notes = [Note(f"`{name}` is defined here", scope.steps[name].span) for name in chain if name != step.name]
    return g.Cycle.at(source.span, source.path, help="read from a step above, or from an input", notes=notes[:3], chain=shown)
