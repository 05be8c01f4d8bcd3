"""One entry of ``layers`` taken apart: the operation, its arguments, and what stands beside it."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

from nnspec.diagnostics import Diagnostic
from nnspec.layers import LAYERS
from nnspec.spec import problems as p
from nnspec.spec.evaluate import Scope, evaluate
from nnspec.spec.tree import MappingNode, Place, Scalar, SequenceNode, Tree, Unknown
from nnspec.types import closest

__all__ = ["GROUP", "LOST", "STEP_KEYS", "Draft", "read_draft"]

STEP_KEYS = ("name", "from", "repeat", "as", "share", "freeze", "weights", "layers")
"""What may stand beside an operation, or in its place (``share``, ``layers``)."""

GROUP = "layers"
SHARE = "share"


LOST = ""
"""The operation of a step that has none, or that is none: the error has been reported."""


@dataclass(frozen=True)
class Draft:
    """A step before the names of its list are known.

    Attributes:
        op: The operation; for a group the key ``layers``, for a shared layer the key ``share``; [`LOST`][] for none.
        arguments: What stands under it; for a group its steps, not yet evaluated.
        keys: The step's mapping; None for a name alone.
        scope: What its expressions see.
        path: Its path in the document.
        is_counted: Whether it is known how often it runs in the group around it, and with which names.
    """

    op: Scalar
    arguments: Tree | None
    keys: MappingNode | None
    scope: Scope
    path: str
    is_counted: bool = True

    def key(self, name: str) -> Tree | None:
        """What stands under one of the step keys; None where nothing does, or an expression there had no value."""
        found = self.keys.get(name) if self.keys else None
        return None if isinstance(found, Unknown) else found

    @property
    def is_open(self) -> bool:
        """Whether its name is not known, because of an error that has been reported."""
        name = self.keys.get("name") if self.keys else None
        return name is not None and name.unknown


def read_draft(item: Tree, scope: Scope, operations: Container[object], problems: list[Diagnostic]) -> Draft:
    """Takes a step apart.

    Args:
        item: The step.
        scope: What its expressions see.
        operations: The names of the document's blocks and networks.
        problems: What is wrong is appended here.
    """
    if isinstance(item, Unknown):
        return Draft(Scalar(LOST, item.span), None, None, scope, item.path)
    if isinstance(item, Scalar) and isinstance(item.value, str):
        return Draft(item, None, None, scope, item.path)
    if not isinstance(item, MappingNode):
        help = "write `- Flatten` or `- Dense: {units: 10}`"
        problems.append(p.NotAStep.at(item.span, item.path, help=help, got=item.kind))
        return Draft(Scalar(LOST, item.span), None, None, scope, item.path)
    keys = _evaluated(_respelt(item, operations, problems), scope, problems)
    found = [(key, value) for key, value in keys.items() if key.value not in STEP_KEYS]
    if not found:
        return _without_operation(keys, scope, problems)
    op, arguments = found[0] if len(found) == 1 else _the_operation(found, operations)
    problems.extend(_surplus(key, value, op, operations) for key, value in found if key is not op)
    keys = _hoisted(keys, op, arguments)
    for name in (GROUP, SHARE):
        if (key := keys.key(name)) is not None:
            help = f"write it as a step of its own: `- {name}: …`"
            problems.append(p.SeveralOperations.at(key.span, item.path, help=help, first=op.value, second=name))
    return Draft(op, arguments, keys, scope, item.path)


def _hoisted(keys: MappingNode, op: Scalar, arguments: Tree | None) -> MappingNode:
    """The step with the name and the source that stand among a layer's arguments, where they are an error, beside it."""
    if op.value not in LAYERS.modules or not isinstance(arguments, MappingNode):
        return keys
    fields = LAYERS.get(str(op.value)).model_fields
    moved = [
        (k, v) for k, v in arguments.items() if k.value in ("name", "from") and k.value not in fields and k.value not in keys
    ]
    return MappingNode([*keys.items(), *moved], keys.span, keys.place) if moved else keys


def _respelt(item: MappingNode, operations: Container[object], problems: list[Diagnostic]) -> MappingNode:
    """A step whose misspelt step keys are read as what they stand for, each with a diagnostic."""
    words = [str(key.value) for key, _ in item.items()]
    if sum(word not in STEP_KEYS for word in words) < 2:
        return item
    entries: list[tuple[Scalar, Tree]] = []
    for key, value in item.items():
        word = str(key.value)
        meant = None
        if word not in STEP_KEYS and word[:1].islower() and word not in operations and not _of_argument(word, words):
            meant = closest(word, [name for name in STEP_KEYS if name not in words])
        if meant is not None:
            help = f"did you mean `{meant}`?"
            problems.append(p.UnknownKey.at(key.span, _beside(value, word), help=help, key=word, where="a step"))
            key = Scalar(meant, key.span, key.place)
        entries.append((key, value))
    return MappingNode(entries, item.span, item.place)


def _of_argument(word: str, words: list[str]) -> str:
    """What to write for a word that is an argument or an input of the step's layer elsewhere; empty for any other."""
    return next((LAYERS.get(op).foreign().get(word, "") for op in words if op in LAYERS.modules), "")


def _beside(value: Tree, word: str) -> str:
    return str(Place(value.place.parent, word)) if value.place else word


def _evaluated(item: MappingNode, scope: Scope, problems: list[Diagnostic]) -> MappingNode:
    """A step with its expressions evaluated, but for nested steps and repeated ones, whose counters are not known yet."""
    if not item.dynamic:
        return item
    entries: list[tuple[Scalar, Tree]] = []
    repeated = "repeat" in item
    for key, value in item.items():
        nested = key.value == GROUP or key.value in NESTING or (repeated and key.value not in STEP_KEYS)
        entries.append((key, value if nested else evaluate(value, scope, problems)))
    return MappingNode(entries, item.span, item.place)


NESTING = ("Residual", "Parallel")
"""Operations whose arguments hold steps; these are evaluated when they are expanded."""


def _without_operation(keys: MappingNode, scope: Scope, problems: list[Diagnostic]) -> Draft:
    for name in (GROUP, SHARE):
        if (key := keys.key(name)) is not None:
            return Draft(key, keys.get(name), keys, scope, keys.path)
    problems.append(p.StepWithoutOperation.at(keys.span, keys.path, help="write `- Dense: {units: 10}`"))
    return Draft(Scalar(LOST, keys.span), None, keys, scope, keys.path)


def _the_operation(found: list[tuple[Scalar, Tree]], operations: Container[object]) -> tuple[Scalar, Tree]:
    """Of several keys, the one that is the operation: a known one, else one written as operations are."""
    for key, value in found:
        if key.value in LAYERS or key.value in NESTING or key.value in operations:
            return key, value
    return next(((k, v) for k, v in found if str(k.value)[:1].isupper()), found[0])


_MEANT = {
    **dict.fromkeys(("inputs", "input", "in", "source", "sources", "x"), "from: NAME"),
    **dict.fromkeys(("id", "label", "title"), "name: NAME"),
    **dict.fromkeys(("trainable", "frozen", "requires_grad"), "freeze: true"),
    **dict.fromkeys(("times", "count", "n"), "repeat: 3"),
    **dict.fromkeys(("initial_weights", "pretrained", "checkpoint"), "weights: FILE"),
}
"""What a step key is called elsewhere."""


def _surplus(key: Scalar, value: Tree, op: Scalar, operations: Container[object]) -> Diagnostic:
    word = str(key.value)
    path = _beside(value, word)
    if word in LAYERS or word in NESTING or word in operations:
        help = f"begin a new step: `- {word}`"
        return p.SeveralOperations.at(key.span, path, help=help, first=op.value, second=word)
    if op.value in LAYERS and word in LAYERS.get(str(op.value)).model_fields:
        help = f"it is an argument: write `{op.value}: {{{word}: …}}`, or indent it under `{op.value}:`"
    elif told := _of_argument(word, [str(op.value)]):
        help = told
    elif word in _MEANT:
        help = f"write `{_MEANT[word]}` beside the operation"
    else:
        help = f"a step has one operation and {', '.join(f'`{k}`' for k in STEP_KEYS)}"
    return p.UnknownKey.at(key.span, path, help=help, key=word, where="a step")


def steps_of(tree: Tree | None, problems: list[Diagnostic], *, what: str = "`layers`") -> tuple[Tree, ...]:
    """The entries of a list of steps; none, with a diagnostic, where it is no list."""
    if tree is None or isinstance(tree, Unknown):
        return ()
    if isinstance(tree, SequenceNode):
        return tree.items
    problems.append(p.NotAList.at(tree.span, tree.path, help="begin each step with `- `", what=what, got=tree.kind))
    return ()
