"""Outputs of a list of steps: a list of names, a mapping, or the last step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nnspec.diagnostics import Diagnostic
from nnspec.graph import problems as g
from nnspec.graph.scope import Given, Scope, Source
from nnspec.spec.shapes import NAME
from nnspec.spec.step import Step
from nnspec.spec.tree import MappingNode, Scalar, SequenceNode, Tree, Unknown
from nnspec.types import closest, did_you_mean, listed


def output_names(tree: Tree | None, steps: Sequence[Step]) -> list[str]:
    """Return the valid step names under ``outputs``."""
    if tree is None:
        return [steps[-1].name] if steps else []
    values = tree.plain()
    found = list(values.values()) if isinstance(values, dict) else values if isinstance(values, list) else [values]
    return [str(value).partition(".")[0] for value in found]


@dataclass(frozen=True)
class Outputs:
    """Outputs of a list of steps, as far as they are known.

    Attributes:
        given: Tensors by name.
        missing: Names of outputs without a type.
        are_named: Whether all names are known.
        are_found: Whether all named steps exist.
    """

    given: Mapping[str, Given]
    missing: frozenset[str] = frozenset()
    are_named: bool = True
    are_found: bool = True


def read_outputs(
    tree: Tree | None, steps: Sequence[Step], scope: Scope, problems: list[Diagnostic]
) -> Mapping[str, Given] | None:
    """Return the outputs of a list of steps by name; None if one has no type."""
    found = known_outputs(tree, steps, scope, problems)
    return found.given if found.given and not found.missing and found.are_named else None


def known_outputs(tree: Tree | None, steps: Sequence[Step], scope: Scope, problems: list[Diagnostic]) -> Outputs:
    """Return the known outputs of a list of steps; see [`read_outputs`][]."""
    if tree is None:
        if not steps:
            return Outputs({}, are_named=False)
        built, last = scope.built[steps[-1].name], steps[-1]
        untyped: frozenset[str] = frozenset() if built else frozenset({last.name})
        return Outputs(built or {}, untyped, are_named=not last.is_open and bool(last.op))
    outputs: dict[str, Given] = {}
    missing: set[str] = set()
    are_found = True
    entries = _entries(tree, problems)
    for name, value in entries:
        source = Source(str(value.value), None, value.span, value.path)
        shown = name or source.text.replace(".", "_")
        if source.name not in scope.built and source.text not in scope.inputs:
            suggestion = closest(source.text, scope.built)
            are_found = False
            missing |= {shown, *([suggestion] if suggestion and name is None else [])}
            if not scope.is_open or scope.is_misspelt(source.text):
                problems.append(_unknown(source, scope))
            continue
        if name is None and source.text in scope.inputs:
            reason = f"`{source.text}` is an input, not a step"
            problems.append(g.BadOutputs.at(value.span, value.path, help="name a step", reason=reason))
            missing.add(shown)
            continue
        resolved = scope.resolve(source, problems)
        if shown in outputs:
            problems.append(g.BadOutputs.at(value.span, value.path, reason=f"`{shown}` is listed more than once"))
            missing.add(shown)
        elif resolved is not None:
            outputs[shown] = resolved
        else:
            missing.add(shown)
    size = len(tree) if isinstance(tree, MappingNode) else len(tree.items) if isinstance(tree, SequenceNode) else 1
    return Outputs(outputs, frozenset(missing), are_named=len(entries) == size and size > 0, are_found=are_found)


def _entries(tree: Tree, problems: list[Diagnostic]) -> list[tuple[str | None, Scalar]]:
    if isinstance(tree, MappingNode):
        found: list[tuple[str | None, Tree]] = [(str(key.value), value) for key, value in tree.items()]
    elif isinstance(tree, SequenceNode):
        found = [(None, item) for item in tree.items]
    else:
        found = [(None, tree)]
    if not found:
        problems.append(
            g.BadOutputs.at(tree.span, tree.path, help="omit `outputs` to use the last step", reason="`outputs` is empty")
        )
    entries: list[tuple[str | None, Scalar]] = []
    for name, value in found:
        if isinstance(value, Unknown):
            continue
        if not isinstance(value, Scalar) or not isinstance(value.value, str):
            reason = f"an output must be the name of a step, not {value.kind}"
            problems.append(g.BadOutputs.at(value.span, value.path, help="write `outputs: [digit]`", reason=reason))
        elif name is not None and not NAME.fullmatch(name) and not name.isdecimal():
            reason = f"`{name}` is not a valid name for an output: it must match {NAME.pattern}"
            problems.append(g.BadOutputs.at(value.span, value.path, reason=reason))
        else:
            entries.append((name, value))
    return entries


def _unknown(source: Source, scope: Scope) -> Diagnostic:
    help = did_you_mean(source.text, scope.built, f"the last steps are {listed(list(scope.built)[-8:])}", defined=True)
    return g.BadOutputs.at(source.span, source.path, help=help, reason=f"undefined step `{source.text}`")
