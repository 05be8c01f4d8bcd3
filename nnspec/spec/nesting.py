"""Operations that contain steps: ``Residual`` and ``Parallel``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnspec.diagnostics import Diagnostic
from nnspec.layers import LAYERS, snake_name
from nnspec.layers.base import Layer
from nnspec.spec import problems as p
from nnspec.spec.checked import check_named
from nnspec.spec.draft import Draft
from nnspec.spec.evaluate import evaluate
from nnspec.spec.keys import known_keys
from nnspec.spec.step import INPUT, Nested, Step
from nnspec.spec.tree import MappingNode, Scalar, SequenceNode, Tree, Unknown

if TYPE_CHECKING:
    from nnspec.spec.expand import Expander

_KEYS = {"Residual": ("layers", "shortcut"), "Parallel": ("branches", "merge")}
_REQUIRED = {"Residual": "layers", "Parallel": "branches"}
_EXAMPLE = {
    "Residual": "`Residual: {layers: […], shortcut: […]}`",
    "Parallel": "`Parallel: {branches: [[…], […]], merge: Concatenate}`",
}


def expand_nesting(expander: Expander, draft: Draft) -> Nested | None:
    """Expand a ``Residual`` or ``Parallel`` into steps; reports and returns None if it is invalid."""
    name, arguments = str(draft.op.value), draft.arguments
    if isinstance(arguments, Unknown):
        return None
    if not isinstance(arguments, MappingNode):
        got = arguments.kind if arguments is not None else "nothing"
        help = f"write {_EXAMPLE[name]}"
        expander.problems.append(p.NotAMapping.at(draft.op.span, draft.path, help=help, what=f"`{name}`", got=got))
        return None
    arguments = _check_keys(name, arguments, draft, expander.problems)
    if _REQUIRED[name] not in arguments:
        return None
    return _residual(expander, draft, arguments) if name == "Residual" else _parallel(expander, draft, arguments)


def _check_keys(name: str, arguments: MappingNode, draft: Draft, problems: list[Diagnostic]) -> MappingNode:
    arguments = known_keys(arguments, _KEYS[name], f"`{name}`", problems, otherwise=f"write {_EXAMPLE[name]}")
    if _REQUIRED[name] not in arguments:
        help = f"write {_EXAMPLE[name]}"
        problems.append(p.MissingKey.at(draft.op.span, draft.path, help=help, where=f"`{name}`", key=_REQUIRED[name]))
    return arguments


def _residual(expander: Expander, draft: Draft, arguments: MappingNode) -> Nested:
    """Expand to ``layers``, a shortcut (by default, the input) and their sum (He et al. 2015, section 3.1)."""
    steps = list(expander.steps(arguments.get("layers"), ("shortcut", "add"), draft.scope))
    around = INPUT
    if (shortcut := arguments.get("shortcut")) is not None:
        around = "shortcut"
        inner = Nested((INPUT,), expander.steps(shortcut, (), draft.scope))
        at = arguments.key("shortcut") or draft.op
        steps.append(Step("shortcut", "shortcut", inner, Scalar(INPUT, at.span), False, at.span, shortcut.path, None))
    last = steps[-1 if shortcut is None else -2].name if len(steps) > (shortcut is not None) else INPUT
    add = LAYERS.get("Add")()
    assert isinstance(add, Layer)
    steps.append(Step("add", "Residual", add, _names([last, around], draft), False, draft.op.span, draft.path, None))
    return Nested((INPUT,), tuple(steps))


def _parallel(expander: Expander, draft: Draft, arguments: MappingNode) -> Nested | None:
    """Expand to parallel branches on one input and their merge (Szegedy et al. 2014, section 4)."""
    tree = arguments.get("branches")
    branches: list[tuple[str, Tree]]
    if isinstance(tree, MappingNode):
        branches = [(str(key.value), value) for key, value in tree.items()]
    elif isinstance(tree, SequenceNode):
        branches = [(str(number), value) for number, value in enumerate(tree.items)]
    else:
        assert tree is not None
        help = "write a list of lists of steps, or a mapping of names to lists of steps"
        expander.problems.append(p.NotAList.at(tree.span, tree.path, help=help, what="`branches`", got=tree.kind))
        return None
    if len(branches) < 2:
        reason = f"`Parallel` needs at least two branches, not {len(branches)}"
        expander.problems.append(p.WrongValue.at(tree.span, tree.path, reason=reason))
        return None
    steps = []
    for name, value in branches:
        inner = Nested((INPUT,), expander.steps(value, (), draft.scope))
        span = value.span if value.span.line == value.span.end_line else draft.op.span
        steps.append(Step(name, f"branch {name}", inner, Scalar(INPUT, draft.op.span), False, span, value.path, None))
    merge = arguments.get("merge")
    merge = None if merge is None else evaluate(merge, draft.scope, expander.problems)
    if isinstance(merge, Unknown):
        return None
    return _merged(expander, draft, merge, steps)


def _merged(expander: Expander, draft: Draft, merge: Tree | None, steps: list[Step]) -> Nested | None:
    names = [step.name for step in steps]
    if isinstance(merge, Scalar) and merge.value is None:  # without a merge, each branch is an output
        entries: list[tuple[Scalar, Tree]] = [(Scalar(n, merge.span), Scalar(n, merge.span)) for n in names]
        return Nested((INPUT,), tuple(steps), MappingNode(entries, merge.span, merge.place))
    if merge is None:
        layer, op = LAYERS.get("Concatenate")(), "Concatenate"
    else:
        found = check_named(LAYERS, merge, expander.problems)
        if found is None:
            return None
        layer, op = found, type(found).__name__
    assert isinstance(layer, Layer)
    if not layer.ports.variadic and merge is not None:
        reason = f"`{op}` is not a merge layer: it takes one input"
        expander.problems.append(p.WrongValue.at(merge.span, merge.path, help="write `merge: Concatenate`", reason=reason))
        return None
    span = merge.span if merge is not None else draft.op.span
    arguments = merge.get(op) if isinstance(merge, MappingNode) else None
    steps.append(Step(snake_name(op), op, layer, _names(names, draft), False, span, draft.path, arguments))
    return Nested((INPUT,), tuple(steps))


def _names(names: list[str], draft: Draft) -> SequenceNode:
    """Return an implicit ``from``."""
    return SequenceNode([Scalar(name, draft.op.span) for name in names], draft.op.span)
