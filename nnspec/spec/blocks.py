"""User-defined layers: ``blocks``, their params, and binding of arguments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from nnspec.diagnostics import Diagnostic, Span
from nnspec.spec import problems as p
from nnspec.spec.draft import STEP_KEYS
from nnspec.spec.dumping import flow
from nnspec.spec.evaluate import Scope, evaluate
from nnspec.spec.hints import spaced
from nnspec.spec.keys import known_keys
from nnspec.spec.readings import suggest_literal
from nnspec.spec.shapes import NAME
from nnspec.spec.tree import MappingNode, Scalar, SequenceNode, Tree, Unknown
from nnspec.types import closest, listed

__all__ = ["BLOCK_NAME", "Block", "bind", "read_block", "intended_type"]

BLOCK_NAME = re.compile(r"[a-z][a-z0-9_]*")
_KEYS = ("description", "params", "inputs", "layers", "outputs")
_TYPES = ("int", "float", "bool", "str")
_OTHER_TYPES = {
    **dict.fromkeys(("integer", "long", "int32", "int64"), "int"),
    **dict.fromkeys(("number", "double", "float32", "float64"), "float"),
    "boolean": "bool",
    "string": "str",
    **dict.fromkeys(("list", "tuple", "array", "dict", "object"), "list"),
}
"""Other languages' names of the types."""


def intended_type(word: object, *, own: bool = False) -> str | None:
    """Return the type that a word from another language means, or None.

    Args:
        word: The word to look up.
        own: Whether to accept nnspec's own type names, too.

    Example:
        >>> intended_type("Integer"), intended_type("int"), intended_type("int", own=True), intended_type("same")
        ('int', None, 'int', None)
    """
    if not isinstance(word, str) or (word in _TYPES and not own):
        return None
    folded = word.lower()
    return folded if folded in _TYPES else _OTHER_TYPES.get(folded)


@dataclass(frozen=True)
class Block:
    """A user-defined layer.

    Attributes:
        name: Name of the block.
        params: Value of each param in the definition: a type (required argument) or a default.
        inputs: Names of the inputs inside the block.
        shapes: Declared shapes of its inputs, not yet evaluated; an input without one accepts any tensor.
        layers: Steps, not yet evaluated.
        outputs: Value of ``outputs``; None for the last step.
        scope: Params of the document that defines the block.
        span: Location of the definition.
        path: Path of the definition.
    """

    name: str
    params: Mapping[str, Tree]
    inputs: tuple[str, ...]
    shapes: MappingNode | None
    layers: Tree | None
    outputs: Tree | None
    scope: Scope
    span: Span
    path: str


def read_block(key: Scalar, tree: Tree, scope: Scope, problems: list[Diagnostic]) -> Block | None:
    """Read the definition of a block. Its steps are checked at each use, when the params are known."""
    name = str(key.value)
    if not BLOCK_NAME.fullmatch(name) or name in STEP_KEYS:
        reason = f"{BLOCK_NAME.pattern}, and must not be one of {', '.join(STEP_KEYS)}"
        problems.append(p.BadName.at(key.span, tree.path, name=name, what="a block", pattern=reason))
    if not isinstance(tree, MappingNode):
        help = "write `layers:` under it, and a list of steps"
        problems.append(p.NotAMapping.at(tree.span, tree.path, help=help, what=f"the block `{name}`", got=tree.kind))
        return None
    tree = known_keys(tree, _KEYS, f"the block `{name}`", problems)
    if "layers" not in tree:
        problems.append(p.MissingKey.at(key.span, tree.path, help="write `layers:` under it", where=f"`{name}`", key="layers"))
    return Block(
        name,
        _params(name, tree.get("params"), problems),
        *_inputs(name, tree.get("inputs"), problems),
        tree.get("layers"),
        tree.get("outputs"),
        scope,
        key.span,
        tree.path,
    )


def _params(name: str, tree: Tree | None, problems: list[Diagnostic]) -> dict[str, Tree]:
    if tree is None:
        return {}
    if not isinstance(tree, MappingNode):
        help = "write `params: {filters: int, strides: 1}`"
        problems.append(p.NotAMapping.at(tree.span, tree.path, help=help, what=f"the params of `{name}`", got=tree.kind))
        return {}
    found: dict[str, Tree] = {}
    for key, value in tree.items():
        if key.value in STEP_KEYS:
            reason = f"{BLOCK_NAME.pattern}, and must not be one of {', '.join(STEP_KEYS)}"
            problems.append(p.BadName.at(key.span, tree.path, name=key.value, what="a block param", pattern=reason))
        found[str(key.value)] = _declared(str(key.value), value, problems)
    return found


def _declared(name: str, value: Tree, problems: list[Diagnostic]) -> Tree:
    """Return the declaration of a param, with type names of other languages reported and translated."""
    if isinstance(value, SequenceNode):
        items = [_declared(name, item, problems) for item in value.items]
        return SequenceNode(items, value.span, value.place) if items != list(value.items) else value
    if isinstance(value, Scalar) and not value.quoted and (meant := intended_type(value.value)):
        types = ", ".join(f"`{kind}`" for kind in _TYPES)
        if meant not in _TYPES:
            help = f"the types are {types}; write a list type as `[int, int]`, and a default as its value: `{name}: [1, 2]`"
        else:
            help = f'write `{name}: {meant}`; quote a string default: `"{value.value}"`'
        reason = f"`{value.value}` is not a param type"
        problems.append(p.WrongValue.at(value.span, value.path, help=help, reason=reason))
        return Scalar(meant, value.span, value.place) if meant in _TYPES else Unknown(value.span, value.place)
    kind = value.get("type") if isinstance(value, MappingNode) else None
    if isinstance(value, MappingNode) and isinstance(kind, Scalar) and (meant := intended_type(kind.value, own=True)):
        default = value.get("default")
        written = flow(default.plain()) if default is not None else meant if meant in _TYPES else "int"
        help = f"write `{name}: {written}`: a param is either a type (required) or a default"
        reason = f"the param `{name}` is declared by a mapping"
        problems.append(p.WrongValue.at(value.span, value.path, help=help, reason=reason))
        return default or (Scalar(meant, value.span, value.place) if meant in _TYPES else Unknown(value.span, value.place))
    return value


def _inputs(name: str, tree: Tree | None, problems: list[Diagnostic]) -> tuple[tuple[str, ...], MappingNode | None]:
    """Return the names of the inputs, and the shapes of those that declare one."""
    if tree is None:
        return ("x",), None
    if isinstance(tree, MappingNode) and len(tree):
        for key, value in tree.items():
            if not NAME.fullmatch(str(key.value)):
                problems.append(p.BadName.at(key.span, value.path, name=key.value, what="an input", pattern=NAME.pattern))
        given = [entry for entry in tree.items() if not (isinstance(entry[1], Scalar) and entry[1].value is None)]
        return tuple(str(key.value) for key, _ in tree.items()), MappingNode(given, tree.span, tree.place) if given else None
    names = [item.value for item in tree.items if isinstance(item, Scalar)] if isinstance(tree, SequenceNode) else []
    if not names or not all(isinstance(n, str) for n in names) or len(set(names)) < len(names):
        reason = f"the inputs of `{name}` must be a list of unique names, or a mapping of names to shapes"
        help = "write `inputs: [x]`, or `inputs: {x: null, h: [64]}`; null accepts any shape"
        problems.append(p.WrongValue.at(tree.span, tree.path, help=help, reason=reason))
        return ("x",), None
    return tuple(str(n) for n in names), None


def bind(block: Block, arguments: Tree | None, span: Span, path: str, problems: list[Diagnostic]) -> Scope:
    """Return the scope of one use of a block: the document's params and the block's own.

    A param whose argument is missing or has the wrong type (which is reported) has an unknown value.
    """
    unknown = isinstance(arguments, Unknown)
    given: dict[str, tuple[Scalar, Tree]] = {}
    if unknown:
        pass
    elif arguments is not None and not (isinstance(arguments, Scalar) and arguments.value is None):
        if not isinstance(arguments, MappingNode):
            first = next(iter(block.params), None)
            help = f"write `{block.name}: {{{first}: …}}`" if first else f"`{block.name}` has no params"
            problems.append(
                p.NotAMapping.at(arguments.span, arguments.path, help=help, what=f"`{block.name}`", got=arguments.kind)
            )
            unknown = True
        else:
            given = {str(key.value): (key, value) for key, value in arguments.items()}
    else:
        given = {}
    values: dict[str, Tree] = {}
    misspelt: set[str | None] = set()
    needed = [name for name, declared in block.params.items() if _is_type(declared) and name not in given]
    for name, (key, value) in given.items():
        if name not in block.params:
            # Whatever its name, it is probably the required param that is missing.
            suggestion = closest(name, block.params) or (needed[0] if len(needed) == 1 else None)
            misspelt.add(suggestion)
            known = listed(block.params)
            help = f"did you mean `{suggestion}`?" if suggestion else f"the params are {known}" if known else "it has no params"
            help = spaced(name, block.params) or help
            problems.append(p.UnknownKey.at(key.span, value.path, help=help, key=name, where=f"`{block.name}`"))
    scope = block.scope.inner({}, problems)
    for name, declared in block.params.items():
        before = len(problems)
        default = None if _is_type(declared) else evaluate(declared, scope, problems)
        if name in given:
            values[name] = given[name][1]
            _check_type(name, declared, given[name][1], problems)
        elif name in misspelt or unknown:
            values[name] = Unknown(span)
        elif default is None:
            help = f"write `{block.name}: {{{name}: …}}`"
            problems.append(p.MissingKey.at(span, path, help=help, where=f"`{block.name}`", key=name))
        else:
            values[name] = default
        if len(problems) > before:
            values[name] = Unknown(span)
        scope.add(name, values[name], problems)
    return block.scope.inner(values, problems)


def _is_type(declared: Tree) -> bool:
    if isinstance(declared, SequenceNode):
        return bool(declared.items) and all(_is_type(item) for item in declared.items)
    return isinstance(declared, Scalar) and not declared.quoted and declared.value in _TYPES


def _check_type(name: str, declared: Tree, given: Tree, problems: list[Diagnostic]) -> None:
    if not _is_type(declared) or isinstance(given, Unknown):
        return
    if isinstance(declared, SequenceNode):
        if not isinstance(given, SequenceNode) or len(given.items) != len(declared.items):
            reason = f"`{name}` must be a list of {len(declared.items)}, not {given.kind}"
            problems.append(p.WrongValue.at(given.span, given.path, reason=reason))
            return
        for wanted, item in zip(declared.items, given.items, strict=True):
            _check_type(name, wanted, item, problems)
        return
    kind = str(declared.plain())
    if not isinstance(given, Scalar) or not _is_of(kind, given.value):
        words = {"int": "an integer", "float": "a number", "bool": "true or false", "str": "a string"}
        reason = f"`{name}` must be {words[kind]}, not {given.kind}"
        help = suggest_literal(given, partial(_is_of, kind)) if given.formula is None else ""
        problems.append(p.WrongValue.at(given.span, given.path, help=help, reason=reason))


def _is_of(kind: str, value: object) -> bool:
    """Return whether a value has one of the param types."""
    if isinstance(value, bool):
        return kind == "bool"
    return isinstance(value, {"int": int, "float": int | float, "bool": bool, "str": str}[kind])
