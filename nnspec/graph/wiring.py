"""Connection of a step's sources (``from``) to its ports."""

from __future__ import annotations

from collections.abc import Sequence

from nnspec.diagnostics import Diagnostic, Note
from nnspec.graph import problems as g
from nnspec.graph.scope import Scope, Source
from nnspec.layers.base import Layer, Ports
from nnspec.spec.step import Step
from nnspec.spec.tree import MappingNode, Scalar, SequenceNode, Tree, Unknown
from nnspec.types import did_you_mean, listed

_OVER_AN_AXIS = {
    "Add": "to add over an axis of one input, use `Sum: {axis: 1}`",
    "Average": "to average over an axis of one input, use `Mean: {axis: 1}`",
    "Maximum": "for the maximum over positions of one input, use `GlobalMaxPooling1D`",
}
"""Likely intended layers for a merge with a single input."""


_FEW = 5
"""Maximum number of ports that are all listed in help."""


def sources_of(step: Step, above: Step | None, inputs: Sequence[str], problems: list[Diagnostic]) -> list[Source] | None:
    """Return the sources of a step; reports and returns None if they are invalid."""
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
            help = f"write `from: {inputs[0]}`; the inputs are {listed(inputs)}"
            problems.append(g.NoDefaultSource.at(step.span, step.path, help=help))
        return None
    if isinstance(tree, MappingNode):
        found = [_source(value, str(key.value), problems) for key, value in tree.items()]
    elif isinstance(tree, SequenceNode):
        found = [_source(item, None, problems) for item in tree.items]
    else:
        found = [_source(tree, None, problems)]
    return None if any(source is None for source in found) else [source for source in found if source]


def reads_by_name(step: Step) -> bool:
    """Return whether a step reads the names in its expressions, because it has no ``from``."""
    return step.op == "Compute" and step.source is None and (step.content is None or isinstance(step.content, Layer))


def counts_examples(step: Step) -> bool:
    """Return whether a step only reads the batch size of an input and names no source."""
    return step.source is None and isinstance(step.content, Layer) and step.content.ports.counts_examples


def _source(tree: Tree, port: str | None, problems: list[Diagnostic]) -> Source | None:
    if isinstance(tree, Scalar) and isinstance(tree.value, str):
        return Source(tree.value, port, tree.span, tree.path)
    if isinstance(tree, Unknown):
        return None
    reason = f"expected a name under `from`, not {tree.kind}"
    nested = isinstance(tree, SequenceNode)
    help = (
        "write a flat list: `from: \"${['a', 'b'] + …}\"`" if nested and tree.formula else "write a flat list" if nested else ""
    )
    problems.append(g.BadSource.at(tree.span, tree.path, help=help, reason=reason))
    return None


def ports_of(step: Step, ports: Ports, sources: list[Source], problems: list[Diagnostic]) -> dict[str, Source] | None:
    """Return the source of each port; reports and returns None if they do not match."""

    def wrong(reason: str, help: str, source: Source | None = None) -> None:
        at = source or (step.source if step.source is not None else step)
        problems.append(g.BadSource.at(at.span, at.path, help=help, reason=reason))

    if ports.variadic:
        if len(sources) < 2 or any(source.port for source in sources):
            alone = _OVER_AN_AXIS.get(step.op)
            help = "write `from: [a, b]`" + (f"; {alone}" if alone and all(source.implied for source in sources) else "")
            wrong(f"`{step.op}` requires a list of at least two inputs", help)
            return None
        return {str(i): source for i, source in enumerate(sources)}
    known = (*ports.required, *ports.optional)
    if not known:
        if not all(source.implied for source in sources):
            wrong(f"`{step.op}` takes no input", "remove `from`")
            return None
        return {}
    if len(sources) > 1 and any(source.port is None for source in sources):
        if len(known) == 1:
            help = "merge them first: `- Concatenate:` with this `from`"
            wrong(f"`{step.op}` takes a single input, not a list of {len(sources)}", help)
            return None
        texts = [source.text for source in sources] if len(sources) <= len(known) else []
        # Related inputs, such as an LSTM's `state_h` and `state_c`, are shown together.
        of_one = {port.rpartition("_")[0] for port in known[: len(texts)]} - {""}
        named = ", ".join(
            f"{port}: {texts[i] if i < len(texts) else '…'}"
            for i, port in enumerate(known)
            if not texts or i < len(texts) or (port.rpartition("_")[0] in of_one and len(known) < _FEW)
        )
        reason = f"`{step.op}` has named inputs, but `from` is a list without names"
        wrong(reason, f"write `from: {{{named}}}`")
        return None
    fed: dict[str, Source] = {}
    unknown = False
    for source in sources:
        if source.port is not None and source.port not in known:
            near = [port for port in known if port.startswith(source.port)]
            help = did_you_mean(source.port, known, "its inputs are " + ", ".join(f"`{port}`" for port in known))
            if len(near) > 1:
                help = f"use {' and '.join(f'`{port}`' for port in near)}"
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
        wrong(f"`{step.op}` requires the input `{missing[0]}`", f"write `from: {{{example}}}`")
        return None
    return {port: fed[port] for port in known if port in fed}


def misplaced(source: Source, step: Step, scope: Scope) -> Diagnostic:
    """Return the diagnostic of a name that is defined further down: a cycle or just the wrong order."""
    target = source.name
    chain = scope.chain(target, step.name)
    if chain is None:
        note = Note(f"`{target}` is defined here", scope.steps[target].span)
        help = f"move this step below `{target}`"
        return g.SourceBelow.at(source.span, source.path, help=help, notes=[note], name=target)
    shown = " → ".join(f"`{name}`" for name in [step.name, *chain])
    notes = [Note(f"`{name}` is defined here", scope.steps[name].span) for name in chain if name != step.name]
    return g.Cycle.at(source.span, source.path, help="read from a step above, or from an input", notes=notes[:3], chain=shown)
