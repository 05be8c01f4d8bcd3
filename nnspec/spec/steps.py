"""The steps of a list of layers: what each runs, what it is called, where its input comes from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from nnspec.diagnostics import Diagnostic, Note, Span
from nnspec.layers import LAYERS, snake_name
from nnspec.layers.base import Layer
from nnspec.spec import problems as p
from nnspec.spec.checked import check, unknown_member
from nnspec.spec.evaluate import Scope, Uneval, evaluate
from nnspec.spec.tree import MappingNode, Place, Scalar, SequenceNode, Tree
from nnspec.types import closest

__all__ = ["STEP_KEYS", "STEP_NAME", "Step", "read_steps"]

STEP_KEYS = ("name", "from", "repeat", "as", "share", "freeze", "weights", "layers")
STEP_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")

_LATER = {
    "repeat": "repeated steps are",
    "as": "repeated steps are",
    "share": "shared layers are",
    "weights": "initial weights from a file are",
    "layers": "groups of steps are",
}


@dataclass(frozen=True)
class Step:
    """One step, its expressions evaluated.

    Attributes:
        name: What others call it.
        op: The operation, ``Conv2D``.
        layer: The operation's arguments and facts; None where they are wrong, so that the graph goes on without a second error.
        source: What stands under ``from``; None where nothing does.
        freeze: Whether its weights are kept from training.
        span: The operation's name in the file.
        path: The step's path in the document.
        arguments: The operation's arguments, for their places.
    """

    name: str
    op: str
    layer: Layer | None
    source: Tree | None
    freeze: bool
    span: Span
    path: str
    arguments: Tree | None


@dataclass(frozen=True)
class _Draft:
    """A step before the names of its list are known."""

    op: Scalar
    arguments: Tree | None
    keys: MappingNode | None
    path: str


def read_steps(tree: Tree | None, taken: set[str], scope: Scope, problems: list[Diagnostic], limit: int) -> list[Step]:
    """The steps of one list, in order.

    Args:
        tree: The list.
        taken: The names of the inputs, which share a scope with the steps'.
        scope: What expressions see.
        problems: What is wrong is appended here.
        limit: The most steps allowed.
    """
    if tree is None:
        return []
    if not isinstance(tree, SequenceNode):
        help = "begin each step with `- `"
        problems.append(p.NotAList.at(tree.span, tree.path, help=help, what="`layers`", got=tree.kind))
        return []
    if len(tree.items) > limit:
        what = f"{len(tree.items):,} steps"
        problems.append(p.LimitExceeded.at(tree.span, tree.path, what=what, limit="layers", most=limit))
        return []
    drafts = [draft for item in tree.items if (draft := _draft(item, scope, problems)) is not None]
    return list(_finished(drafts, taken, problems))


def _draft(item: Tree, scope: Scope, problems: list[Diagnostic]) -> _Draft | None:
    try:
        item = evaluate(item, scope, problems)
    except Uneval:
        item = _without_expressions(item)
    if isinstance(item, Scalar) and isinstance(item.value, str):
        return _Draft(item, None, None, item.path)
    if not isinstance(item, MappingNode):
        help = "write `- Flatten` or `- Dense: {units: 10}`"
        problems.append(p.NotAStep.at(item.span, item.path, help=help, got=item.kind))
        return None
    for key, value in item.items():
        if key.value in _LATER:
            problems.append(p.NotYet.at(key.span, value.path, what=_LATER[str(key.value)]))
    operations = [(key, value) for key, value in item.items() if key.value not in STEP_KEYS]
    if not operations:
        if not any(key.value in _LATER for key, _ in item.items()):
            problems.append(p.StepWithoutOperation.at(item.span, item.path, help="write `- Dense: {units: 10}`"))
        return None
    op, arguments = operations[0]
    if len(operations) > 1:
        op, arguments = _the_operation(operations)
        for key, value in operations:
            if key is not op:
                problems.append(_surplus_key(key, value, op))
    return _Draft(op, arguments, item, item.path)


def _without_expressions(item: Tree) -> Tree:
    """A step some of whose expressions have no value: its name and its sources are still worth knowing."""
    if not isinstance(item, MappingNode):
        return item
    entries: list[tuple[Scalar, Tree]] = []
    for key, value in item.items():
        kept = value if not value.dynamic else _Broken(value.span, value.place)
        entries.append((key, kept))
    return MappingNode(entries, item.span, item.place)


class _Broken(Scalar):
    """Stands where an expression had no value; the error has been given."""

    __slots__ = ()

    def __init__(self, span: Span, place: Place | None) -> None:
        super().__init__(None, span, place)


def _the_operation(operations: list[tuple[Scalar, Tree]]) -> tuple[Scalar, Tree]:
    """Of several keys, the one that is the operation: a known one, else one written as operations are."""
    for key, value in operations:
        if key.value in LAYERS:
            return key, value
    return next(((k, v) for k, v in operations if str(k.value)[:1].isupper()), operations[0])


def _surplus_key(key: Scalar, value: Tree, op: Scalar) -> Diagnostic:
    word = str(key.value)
    if word in LAYERS:
        help = f"begin a new step: `- {word}`"
        return p.SeveralOperations.at(key.span, value.path, help=help, first=op.value, second=word)
    suggestion = closest(word, STEP_KEYS)
    if suggestion:
        help = f"did you mean `{suggestion}`?"
    elif op.value in LAYERS and word in LAYERS.get(str(op.value)).model_fields:
        help = f"it is an argument: write `{op.value}: {{{word}: …}}`, or indent it under `{op.value}:`"
    else:
        help = f"a step has one operation and {', '.join(f'`{k}`' for k in STEP_KEYS)}"
    return p.UnknownKey.at(key.span, value.path, help=help, key=word, where="a step")


def _finished(drafts: list[_Draft], taken: set[str], problems: list[Diagnostic]) -> Iterator[Step]:
    given = [_given_name(draft, problems) for draft in drafts]
    used = taken | {name for name in given if name}
    first: dict[str, _Draft] = {}
    next_number: dict[str, int] = {}
    for draft, name in zip(drafts, given, strict=True):
        if name is None:
            name = _default_name(str(draft.op.value), used, next_number)
            used.add(name)
        elif name in first or name in taken:
            notes = [Note("first used here", first[name].op.span)] if name in first else [Note("it is the name of an input")]
            at = draft.keys.get("name") if draft.keys else None
            problems.append(p.DuplicateName.at(at.span if at else draft.op.span, draft.path, name=name, notes=notes))
        first.setdefault(name, draft)
        keys = draft.keys
        source = keys.get("from") if keys else None
        yield Step(
            name,
            str(draft.op.value),
            _layer(draft, problems),
            source,
            _freeze(keys, problems),
            draft.op.span,
            draft.path,
            draft.arguments,
        )


def _given_name(draft: _Draft, problems: list[Diagnostic]) -> str | None:
    tree = draft.keys.get("name") if draft.keys else None
    if tree is None or isinstance(tree, _Broken):
        return None
    name = tree.value if isinstance(tree, Scalar) else None
    if isinstance(name, str) and STEP_NAME.fullmatch(name):
        return name
    shown = name if name is not None else tree.kind
    problems.append(p.BadName.at(tree.span, tree.path, name=shown, what="a step", pattern=STEP_NAME.pattern))
    return None


def _default_name(op: str, used: set[str], next_number: dict[str, int]) -> str:
    """The operation in snake case, numbered from the second on: the first that nothing in the list bears."""
    base = snake_name(op)
    number = next_number.get(base, 0)
    while (name := base if number == 0 else f"{base}_{number}") in used:
        number += 1
    next_number[base] = number + 1
    return name


def _freeze(keys: MappingNode | None, problems: list[Diagnostic]) -> bool:
    tree = keys.get("freeze") if keys else None
    if tree is None or isinstance(tree, _Broken):
        return False
    if not isinstance(tree, Scalar) or not isinstance(tree.value, bool):
        problems.append(p.WrongValue.at(tree.span, tree.path, reason=f"`freeze` must be true or false, not {tree.kind}"))
        return False
    return tree.value


def _layer(draft: _Draft, problems: list[Diagnostic]) -> Layer | None:
    op, arguments = draft.op, draft.arguments
    if op.value not in LAYERS:
        problems.append(_unknown_layer(op, draft.path))
        return None
    if isinstance(arguments, _Broken):
        return None
    config = LAYERS.get(str(op.value))
    if isinstance(arguments, MappingNode):
        misplaced = [k for k, _ in arguments.items() if k.value in STEP_KEYS and k.value not in config.model_fields]
        for key in misplaced:
            help = f"`{key.value}` stands beside `{op.value}`, not inside it: move it left, out of its arguments"
            path = str(Place(arguments.place, str(key.value)))
            problems.append(p.MisplacedKey.at(key.span, path, help=help, key=key.value, op=op.value))
        if misplaced:
            kept = [(k, v) for k, v in arguments.items() if k not in misplaced]
            arguments = MappingNode(kept, arguments.span, arguments.place)
    layer = check(config, arguments, problems, name=str(op.value), span=op.span)
    assert layer is None or isinstance(layer, Layer)
    return layer


def _unknown_layer(op: Scalar, path: str) -> Diagnostic:
    found = unknown_member(LAYERS, op, path)
    word = str(op.value)
    help = found.help
    if not help and word[:1].islower():
        help = "operations in snake case are blocks and networks of the document; built-in ones are in PascalCase"
    return p.UnknownLayer.at(op.span, f"{path}.{word}" if path else word, help=help, name=word)
