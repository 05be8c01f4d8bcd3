"""Splitting of an entry of ``layers`` into its operation, its arguments and its step keys."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

from nnspec.diagnostics import Advice, Diagnostic, Span
from nnspec.diagnostics.remedies import InList, Items, Remedy, Replace
from nnspec.layers import LAYERS
from nnspec.spec import problems as p
from nnspec.spec.evaluate import Scope, evaluate
from nnspec.spec.tree import MappingNode, Place, Scalar, SequenceNode, Tree, Unknown
from nnspec.types import closest, suggested

STEP_KEYS = ("name", "from", "repeat", "as", "share", "freeze", "weights", "layers")
"""Keys of a step other than its operation, or in place of one (``share``, ``layers``)."""

GROUP = "layers"
SHARE = "share"


INVALID_OPERATION = ""
"""Operation of a step whose operation is missing or invalid; the error has been reported."""


@dataclass(frozen=True)
class Draft:
    """A step before the names of its list are known.

    Attributes:
        op: Operation; the key ``layers`` for a group, the key ``share`` for a shared layer, [`INVALID_OPERATION`][] if invalid.
        arguments: Value of the operation's key; for a group its steps, not yet evaluated.
        keys: Mapping of the step; None for a bare name.
        scope: Names that its expressions can use.
        path: Path in the document.
        is_counted: Whether its number of repetitions and its names are known.
    """

    op: Scalar
    arguments: Tree | None
    keys: MappingNode | None
    scope: Scope
    path: str
    is_counted: bool = True

    def key(self, name: str) -> Tree | None:
        """Return the value of a step key, or None if it is missing or its expression has no value."""
        found = self.keys.get(name) if self.keys else None
        return None if isinstance(found, Unknown) else found

    @property
    def is_open(self) -> bool:
        """Whether its name is unknown because of an error that has been reported."""
        name = self.keys.get("name") if self.keys else None
        return name is not None and name.unknown


def read_draft(
    item: Tree,
    scope: Scope,
    operations: Container[object],
    problems: list[Diagnostic],
    step_keys: tuple[str, ...] = STEP_KEYS,
) -> Draft:
    """Split a step into its parts.

    Args:
        item: Step.
        scope: Names that its expressions can use.
        operations: Names of the document's blocks and networks.
        problems: List to which problems are appended.
        step_keys: Keys of a step other than its operation.
    """
    if isinstance(item, Unknown):
        return Draft(Scalar(INVALID_OPERATION, item.span), None, None, scope, item.path)
    if isinstance(item, Scalar) and isinstance(item.value, str):
        return Draft(item, None, None, scope, item.path)
    if not isinstance(item, MappingNode):
        help = "write `- Flatten` or `- Dense: {units: 10}`"
        problems.append(p.NotAStep.at(item.span, item.path, help=help, got=item.kind))
        return Draft(Scalar(INVALID_OPERATION, item.span), None, None, scope, item.path)
    item = _with_named_keys(item, scope, problems)
    keys = _evaluated(_respelt(item, operations, problems, step_keys), scope, problems)
    found = [(key, value) for key, value in keys.items() if key.value not in step_keys]
    if not found:
        return _without_operation(keys, scope, problems)
    op, arguments = found[0] if len(found) == 1 else _the_operation(found, operations)
    if op.unknown:
        return Draft(Scalar(INVALID_OPERATION, op.span), arguments, keys, scope, item.path)
    problems.extend(_surplus(key, value, op, operations) for key, value in found if key is not op)
    keys = _hoisted(keys, op, arguments)
    for name in (GROUP, SHARE):
        if (key := keys.key(name)) is not None:
            help = f"write it as a separate step: `- {name}: …`"
            problems.append(p.SeveralOperations.at(key.span, item.path, help=help, first=op.value, second=name))
    return Draft(op, arguments, keys, scope, item.path)


def _hoisted(keys: MappingNode, op: Scalar, arguments: Tree | None) -> MappingNode:
    """Move a ``name`` and ``from`` that were wrongly written among a layer's arguments to the step."""
    if op.value not in LAYERS.modules or not isinstance(arguments, MappingNode):
        return keys
    fields = LAYERS.get(str(op.value)).model_fields
    moved = [
        (k, v) for k, v in arguments.items() if k.value in ("name", "from") and k.value not in fields and k.value not in keys
    ]
    return MappingNode([*keys.items(), *moved], keys.span, keys.place) if moved else keys


def _with_named_keys(item: MappingNode, scope: Scope, problems: list[Diagnostic]) -> MappingNode:
    """Replace keys that params give by their values: an operation, as in ``$teacher:``, and the ports under ``from``."""
    entries: list[tuple[Scalar, Tree]] = []
    changed = False
    for key, value in item.items():
        found = evaluate(key, scope, problems) if key.dynamic else key
        if key.value == "from" and isinstance(value, MappingNode):
            value = _with_named_keys(value, scope, problems)
        changed = changed or found is not key or value is not item.get(str(key.value))
        entries.append((found if isinstance(found, Scalar) else key, value))
    return MappingNode(entries, item.span, item.place) if changed else item


def _respelt(
    item: MappingNode, operations: Container[object], problems: list[Diagnostic], step_keys: tuple[str, ...]
) -> MappingNode:
    """Replace misspelled step keys by the intended ones and report each."""
    words = [str(key.value) for key, _ in item.items()]
    if sum(word not in step_keys for word in words) < 2:
        return item
    entries: list[tuple[Scalar, Tree]] = []
    for key, value in item.items():
        word = str(key.value)
        meant = None
        if word not in step_keys and word[:1].islower() and word not in operations and not _of_argument(word, words):
            meant = closest(word, [name for name in step_keys if name not in words])
        if meant is not None:
            help = suggested(word, meant, step_keys)
            problems.append(p.UnknownKey.at(key.span, _beside(value, word), help=help, key=word, where="a step"))
            key = Scalar(meant, key.span, key.place)
        entries.append((key, value))
    return MappingNode(entries, item.span, item.place)


def _of_argument(word: str, words: list[str]) -> str:
    """Return help for a word that is an argument or input of the layer in other frameworks, or an empty string."""
    return next((LAYERS.get(op).foreign().get(word, "") for op in words if op in LAYERS.modules), "")


def _beside(value: Tree, word: str) -> str:
    return str(Place(value.place.parent, word)) if value.place else word


def _evaluated(item: MappingNode, scope: Scope, problems: list[Diagnostic]) -> MappingNode:
    """Evaluate a step's expressions, except in nested and repeated steps, whose counters are not known yet."""
    if not item.dynamic:
        return item
    entries: list[tuple[Scalar, Tree]] = []
    repeated = "repeat" in item
    for key, value in item.items():
        nested = key.value == GROUP or key.value in NESTING or (repeated and key.value not in STEP_KEYS)
        entries.append((key, value if nested else evaluate(value, scope, problems)))
    return MappingNode(entries, item.span, item.place)


NESTING = ("Residual", "Parallel")
"""Operations whose arguments contain steps, which are evaluated on expansion."""


def _without_operation(keys: MappingNode, scope: Scope, problems: list[Diagnostic]) -> Draft:
    for name in (GROUP, SHARE):
        if (key := keys.key(name)) is not None:
            return Draft(key, keys.get(name), keys, scope, keys.path)
    problems.append(p.StepWithoutOperation.at(keys.span, keys.path, help="write `- Dense: {units: 10}`"))
    return Draft(Scalar(INVALID_OPERATION, keys.span), None, keys, scope, keys.path)


def _the_operation(found: list[tuple[Scalar, Tree]], operations: Container[object]) -> tuple[Scalar, Tree]:
    """Return the key that is the operation: a known one, or else one written like an operation."""
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
"""Other names of the step keys."""


def _surplus(key: Scalar, value: Tree, op: Scalar, operations: Container[object]) -> Diagnostic:
    word = str(key.value)
    path = _beside(value, word)
    if word in LAYERS or word in NESTING or word in operations:
        span = key.span
        before = Span(span.file, span.line, max(span.column - 2, 1), span.line, span.column)
        new = Advice(f"start a new step: `- {word}`", Replace(before, old="  ", new="- ", title="Start a new step"))
        return p.SeveralOperations.at(key.span, path, help=new, first=op.value, second=word)
    if op.value in LAYERS and word in LAYERS.get(str(op.value)).model_fields:
        help = f"it is an argument: write `{op.value}: {{{word}: …}}`, or indent it under `{op.value}:`"
    elif meant := _of_argument(word, [str(op.value)]):
        help = meant
    elif word in _MEANT:
        help = f"write `{_MEANT[word]}` as a key of the step, next to the operation"
    else:
        help = f"a step has one operation and {', '.join(f'`{k}`' for k in STEP_KEYS)}"
    return p.UnknownKey.at(key.span, path, help=help, key=word, where="a step")


def steps_of(tree: Tree | None, problems: list[Diagnostic], *, what: str = "`layers`") -> tuple[Tree, ...]:
    """Return the entries of a list of steps; reports and returns none if it is not a list."""
    if tree is None or isinstance(tree, Unknown):
        return ()
    if isinstance(tree, SequenceNode):
        return tree.items
    help = Advice("start each step with `- `", _as_items(tree))
    problems.append(p.NotAList.at(tree.span, tree.path, help=help, what=what, got=tree.kind))
    return ()


def _as_items(tree: Tree) -> Remedy | None:
    """Return the remedy that makes a step of each key, if none of them is a key of a step, and each is on a line."""
    if not isinstance(tree, MappingNode) or any(key.value in STEP_KEYS for key, _ in tree.items()):
        return None
    spans = tuple(key.span for key, _ in tree.items())
    if len(spans) == 1 and spans[0].column != tree.span.column:
        return InList()
    return Items(keys=spans) if all(value.span.end_line == key.span.line for key, value in tree.items()) else None
