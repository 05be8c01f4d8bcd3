"""What a network gives: a list of names, a mapping, or the last step."""

from __future__ import annotations

from nnspec.diagnostics import Diagnostic
from nnspec.graph import problems as g
from nnspec.graph.model import Ref
from nnspec.graph.wiring import Names, Source
from nnspec.spec import Network
from nnspec.spec.shapes import NAME
from nnspec.spec.tree import MappingNode, Scalar, SequenceNode, Tree
from nnspec.types import closest

__all__ = ["read_outputs"]


def read_outputs(network: Network, names: Names, problems: list[Diagnostic]) -> dict[str, Ref] | None:
    """The tensors a network gives, by name; None where that cannot be said."""
    if not network.steps:
        if not problems:
            problems.append(g.NoLayers.at(network.span, "layers", help="write `- Dense: {units: 10}`"))
        return None
    tree = network.outputs
    if tree is None:
        return _of_the_last_step(network, names)
    outputs: dict[str, Ref] = {}
    for name, value in _entries(tree, problems):
        source = Source(str(value.value), None, value.span, value.path)
        if name is None and source.text in names.inputs:
            reason = f"`{source.text}` is an input"
            problems.append(g.BadOutputs.at(value.span, value.path, help="name a step", reason=reason))
            continue
        if source.text.partition(".")[0] not in names.built and source.text not in names.inputs:
            problems.append(_unknown(source, names))
            continue
        resolved = names.resolve(source, problems)
        shown = name or source.text.replace(".", "_")
        if resolved is None:
            continue
        if shown in outputs:
            problems.append(g.BadOutputs.at(value.span, value.path, reason=f"`{shown}` is listed twice"))
        outputs[shown] = resolved[0]
    return outputs or None


def _of_the_last_step(network: Network, names: Names) -> dict[str, Ref] | None:
    last = network.steps[-1]
    outputs = names.built.get(last.name)
    if outputs is None:
        return None
    first = next(iter(outputs))
    return {last.name: Ref(last.name, first)}


def _entries(tree: Tree, problems: list[Diagnostic]) -> list[tuple[str | None, Scalar]]:
    if isinstance(tree, MappingNode):
        found: list[tuple[str | None, Tree]] = [(str(key.value), value) for key, value in tree.items()]
    elif isinstance(tree, SequenceNode):
        found = [(None, item) for item in tree.items]
    else:
        found = [(None, tree)]
    if not found:
        problems.append(g.BadOutputs.at(tree.span, tree.path, help="leave `outputs` out for the last step", reason="no outputs"))
    entries: list[tuple[str | None, Scalar]] = []
    for name, value in found:
        if not isinstance(value, Scalar) or not isinstance(value.value, str):
            reason = f"an output is the name of a step, not {value.kind}"
            problems.append(g.BadOutputs.at(value.span, value.path, help="write `outputs: [digit]`", reason=reason))
        elif name is not None and not NAME.fullmatch(name):
            reason = f"`{name}` cannot be the name of an output: it must match {NAME.pattern}"
            problems.append(g.BadOutputs.at(value.span, value.path, reason=reason))
        else:
            entries.append((name, value))
    return entries


def _unknown(source: Source, names: Names) -> Diagnostic:
    suggestion = closest(source.text, names.built)
    listed = ", ".join(f"`{name}`" for name in list(names.built)[-8:])
    help = f"did you mean `{suggestion}`?" if suggestion else f"the last steps are {listed}"
    return g.BadOutputs.at(source.span, source.path, help=help, reason=f"there is no step `{source.text}`")
