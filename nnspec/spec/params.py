"""Params of documents and blocks: their declarations, and checks of the values given to them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

from nnspec.diagnostics import Diagnostic, Note, Span
from nnspec.spec import problems as p
from nnspec.spec.dumping import flow
from nnspec.spec.evaluate import Scope, evaluate
from nnspec.spec.readings import suggest_literal
from nnspec.spec.tree import MappingNode, Place, Scalar, SequenceNode, Tree, Unknown
from nnspec.types import closest, did_you_mean, listed

KEYS = ("default", "type", "at_least", "at_most", "multiple_of", "one_of", "help")
"""Keys of a declaration."""

TYPES = ("int", "float", "bool", "str")
_OF_OBJECTIVES = ("network", "field")
_BOUNDS = ("at_least", "at_most", "multiple_of")
_WORDS = {"at_least": "at least", "at_most": "at most", "multiple_of": "a multiple of"}
_NOUNS = {"int": "an integer", "float": "a number", "bool": "true or false", "str": "a string"}
_OTHER_TYPES = {
    **dict.fromkeys(("integer", "long", "int32", "int64"), "int"),
    **dict.fromkeys(("number", "double", "float32", "float64"), "float"),
    "boolean": "bool",
    "string": "str",
    **dict.fromkeys(("list", "tuple", "array", "dict", "object"), "list"),
}
"""Other languages' names of the types."""

_OTHER_KEYS = {
    **dict.fromkeys(("minimum", "min", "low", "lower", "ge", "gte"), "at_least"),
    **dict.fromkeys(("maximum", "max", "high", "upper", "le", "lte"), "at_most"),
    **dict.fromkeys(("multipleOf", "step", "divisible_by", "multiple"), "multiple_of"),
    **dict.fromkeys(("choices", "enum", "options", "values", "allowed", "oneof", "oneOf"), "one_of"),
    **dict.fromkeys(("description", "doc", "docs", "comment", "desc"), "help"),
    **dict.fromkeys(("value", "initial"), "default"),
    **dict.fromkeys(("dtype", "kind"), "type"),
}
"""Other languages' names of the keys."""


@dataclass(frozen=True)
class Param:
    """A named constant of a document or a block.

    Attributes:
        name: Name of the param.
        span: Location of its name.
        declaration: Its declaration; a value or a type alone stands for a declaration with this key.
        is_declared: Whether it is written as a declaration.
    """

    name: str
    span: Span
    declaration: MappingNode
    is_declared: bool = False

    @property
    def default(self) -> Tree | None:
        """The value if none is given; None if it is required."""
        return self.declaration.get("default")

    @property
    def written(self) -> Tree:
        """The declaration as the document states it; the value alone if it is not written as a declaration."""
        return self.declaration if self.is_declared or self.default is None else self.default

    @property
    def kind(self) -> Any:
        """The type: its name, or a list of types; None if any value is valid."""
        return self._plain("type")

    @property
    def help(self) -> str:
        return str(self._plain("help") or "")

    def bounds(self) -> dict[str, Any]:
        """Return the given bounds by key: ``at_least``, ``at_most``, ``multiple_of``, ``one_of``."""
        return {key: self._plain(key) for key in (*_BOUNDS, "one_of") if self._plain(key) is not None}

    def text(self) -> str:
        """Return the type and the bounds in words: ``int, at least 8, a multiple of 8``; empty if there are none."""
        kind, bounds = self.kind, self.bounds()
        parts = [] if kind is None else [kind if isinstance(kind, str) else flow(kind)]
        parts += [f"{_WORDS[key]} {bounds[key]}" for key in _BOUNDS if key in bounds]
        parts += ["one of " + ", ".join(map(flow, bounds["one_of"]))] if "one_of" in bounds else []
        return ", ".join(parts)

    @property
    def example(self) -> Any:
        """A value to show where one is missing; it fits the declaration if it has no unusual bounds."""
        bounds = self.bounds()
        if "one_of" in bounds:
            return bounds["one_of"][0]
        number = bounds.get("at_least") or bounds.get("multiple_of") or bounds.get("at_most") or 8
        return _examples(self.kind, number)

    def as_json(self) -> dict[str, Any]:
        """Return the value, the type, the bounds and the help, as far as they are given.

        The value of a required param of a block is omitted.
        """
        value = {} if self.default is None else {"value": self.default.plain()}
        kind = {} if self.kind is None else {"type": self.kind}
        return {**value, **kind, **self.bounds(), **({"help": self.help} if self.help else {})}

    def _plain(self, key: str) -> Any:
        found = self.declaration.get(key)
        return None if found is None or found.unknown else found.plain()


def intended_type(word: object, *, own: bool = False) -> str | None:
    """Return the type that a word from another language means, or None.

    Args:
        word: The word to look up.
        own: Whether to accept nnspec's own type names, too.

    Example:
        >>> intended_type("Integer"), intended_type("int"), intended_type("int", own=True), intended_type("same")
        ('int', None, 'int', None)
    """
    if not isinstance(word, str) or (word in TYPES and not own):
        return None
    folded = word.lower()
    return folded if folded in TYPES else _OTHER_TYPES.get(folded)


# --- reading ----------------------------------------------------------------------------------------------------------


def is_declaration(tree: Tree | None) -> bool:
    """Return whether a value declares a param: a mapping with ``default`` or ``type``, and keys of a declaration only."""
    if not isinstance(tree, MappingNode) or not ("default" in tree or "type" in tree):
        return False
    return all(key.value in KEYS for key, _ in tree.items())


def read_param(key: Scalar, tree: Tree, problems: list[Diagnostic], *, of_block: bool = False) -> Param:
    """Read a param: a declaration, a default or, in a block, a type.

    Args:
        key: Its name.
        tree: Its value.
        problems: List to which problems are appended.
        of_block: Whether it belongs to a block, where the name of a type stands for a required param of this type.
    """
    name = str(key.value)
    declaration = _respelt(name, tree, problems)
    if declaration is not None:
        param = Param(name, key.span, declaration, is_declared=True)
        return param if declaration.dynamic else _checked(param, problems)  # expressions are evaluated first
    if of_block:
        tree = _translated(name, tree, problems)
    entry = "type" if of_block and _is_type(tree) else "default"
    return Param(name, key.span, MappingNode([(Scalar(entry, tree.span), tree)], tree.span, tree.place))


def settled(param: Param, scope: Scope, problems: list[Diagnostic]) -> Param:
    """Return a param with the expressions of its declaration evaluated and its default checked."""
    if not param.declaration.dynamic:
        return param
    found = evaluate(param.declaration, scope, problems)
    assert isinstance(found, MappingNode)
    param = replace(param, declaration=found)
    return _checked(param, problems) if param.is_declared else param


def _respelt(name: str, tree: Tree, problems: list[Diagnostic]) -> MappingNode | None:
    """Return a declaration with its misspelled keys reported and replaced; None for a value."""
    if is_declaration(tree):
        assert isinstance(tree, MappingNode)
        return tree
    if not isinstance(tree, MappingNode):
        return None
    meant = {str(key.value): _meant_key(str(key.value)) for key, _ in tree.items()}
    keys = [key for key in meant.values() if key]
    given = [key for key in meant if key in KEYS]
    kind = tree.get("type")
    is_typed = isinstance(kind, Scalar) and intended_type(kind.value, own=True) is not None
    is_sure = "default" in given or is_typed or any(key in given for key in (*_BOUNDS, "one_of"))
    if not is_sure or len(set(keys)) < len(meant) or not {"default", "type"} & set(keys):
        return None
    entries: list[tuple[Scalar, Tree]] = []
    for key, value in tree.items():
        word = meant[str(key.value)]
        if word != key.value:
            where = f"the declaration of the param `{name}`"
            problems.append(p.UnknownKey.at(key.span, value.path, help=f"write `{word}`", key=key.value, where=where))
        entries.append((Scalar(word, key.span, key.place), value))
    return MappingNode(entries, tree.span, tree.place)


def _meant_key(word: str) -> str | None:
    return word if word in KEYS else _OTHER_KEYS.get(word) or closest(word, KEYS)


def _is_type(tree: Tree) -> bool:
    if isinstance(tree, SequenceNode):
        return bool(tree.items) and all(_is_type(item) for item in tree.items)
    return isinstance(tree, Scalar) and not tree.quoted and tree.value in TYPES


def _translated(name: str, tree: Tree, problems: list[Diagnostic]) -> Tree:
    """Return the value of a block's param, with type names of other languages reported and translated."""
    if isinstance(tree, SequenceNode):
        items = [_translated(name, item, problems) for item in tree.items]
        return SequenceNode(items, tree.span, tree.place) if items != list(tree.items) else tree
    if isinstance(tree, Scalar) and not tree.quoted and (meant := intended_type(tree.value)):
        help = f'write `{name}: {meant}`; quote a string default: `"{tree.value}"`'
        if meant not in TYPES:
            help = f"{_ALL_TYPES}; write a list type as `[int, int]`, and a default as its value: `{name}: [1, 2]`"
        problems.append(p.WrongValue.at(tree.span, tree.path, help=help, reason=f"`{tree.value}` is not a param type"))
        return Scalar(meant, tree.span, tree.place) if meant in TYPES else Unknown(tree.span, tree.place)
    return tree


_ALL_TYPES = "the types are " + ", ".join(f"`{kind}`" for kind in TYPES)


def _checked_type(name: str, tree: Tree, problems: list[Diagnostic]) -> Tree | None:
    if tree.unknown:
        return None
    if isinstance(tree, SequenceNode) and tree.items:
        items = [_checked_type(name, item, problems) for item in tree.items]
        known = [item for item in items if item is not None]
        return SequenceNode(known, tree.span, tree.place) if len(known) == len(items) else None
    word = tree.value if isinstance(tree, Scalar) else None
    if word in TYPES:
        return tree
    reason = f"the type of the param `{name}` must be the name of a type, not {tree.kind}"
    help = f"{_ALL_TYPES}, and lists of them: `[int, int]`"
    meant = intended_type(word) or (closest(word, TYPES) if isinstance(word, str) else None)
    if word in _OF_OBJECTIVES:
        reason, help = f"the type `{word}` is for params of objectives", f"{_ALL_TYPES}"
    elif isinstance(word, str):
        reason = f"`{word}` is not a param type"
        help = f"write `type: {meant}`" if meant in TYPES else help
    problems.append(p.WrongValue.at(tree.span, tree.path, help=help, reason=reason))
    return Scalar(meant, tree.span, tree.place) if meant in TYPES else None


# --- checks of a declaration ------------------------------------------------------------------------------------------


def _checked(param: Param, problems: list[Diagnostic]) -> Param:
    """Return a declared param without invalid bounds, and without the value of a default that is out of them."""
    declaration = param.declaration
    if (kind := declaration.get("type")) is not None:
        declaration = _replaced(declaration, "type", _checked_type(param.name, kind, problems))
    types = _leaves(replace(param, declaration=declaration).kind)
    for key in (*_BOUNDS, "one_of", "help"):
        tree = declaration.get(key)
        if tree is None or tree.unknown:
            continue
        reason = _invalid(param.name, key, tree, types)
        if reason:
            problems.append(p.WrongValue.at(tree.span, tree.path, help=_help(key, types), reason=reason))
            declaration = _replaced(declaration, key, None)
    param = replace(param, declaration=declaration)
    low, high = param.bounds().get("at_least"), param.bounds().get("at_most")
    if low is not None and high is not None and low > high:
        at = declaration.get("at_most") or declaration
        reason = f"no value of `{param.name}` is both at least {low} and at most {high}"
        problems.append(p.WrongValue.at(at.span, at.path, help="exchange them", reason=reason))
        return replace(param, declaration=_replaced(declaration, "at_most", None))
    default = param.default
    if default is not None and not check_value(param, default, problems):
        place = Place(declaration.place, "default") if declaration.place else default.place
        return replace(param, declaration=_replaced(declaration, "default", Unknown(default.span, place)))
    return param


_EXAMPLES = {
    "at_least": "write `at_least: 8`",
    "at_most": "write `at_most: 512`",
    "multiple_of": "write `multiple_of: 8`",
    "one_of": "write `one_of: [gru, lstm]`",
    "help": "write `help: channels of the first stage`",
}


def _help(key: str, types: set[str]) -> str:
    if key in _BOUNDS and types - {"int", "float"}:
        return f"remove `{key}`; `one_of` lists the valid values of any type"
    return _EXAMPLES[key]


def _invalid(name: str, key: str, tree: Tree, types: set[str]) -> str:
    """Return what is wrong with a bound or a help text; empty if it is valid."""
    value = tree.plain()
    if key == "help":
        return "" if isinstance(value, str) else f"`help` must be a string, not {tree.kind}"
    if key == "one_of":
        if not isinstance(value, list) or not value:
            return f"`one_of` must be a list of values, not {tree.kind if value != [] else 'an empty list'}"
        alone = [item for item in value if types and not isinstance(item, list)]
        wrong = [item for item in alone if not any(_is_of(kind, item) for kind in types)]
        return f"`{flow(wrong[0])}` under `one_of` is not of the type of `{name}`" if wrong else ""
    if not _is_of("float", value) or not _is_finite(value):
        return f"`{key}` must be a number, not {tree.kind}"
    if key == "multiple_of" and value <= 0:
        return f"`multiple_of` must be greater than 0, not {value}"
    others = sorted(types - {"int", "float"})
    return f"`{key}` is for numbers, and `{name}` is of the type `{others[0]}`" if others else ""


def _examples(kind: Any, number: float) -> Any:
    if isinstance(kind, list):
        return [_examples(each, number) for each in kind]
    return {"bool": True, "str": "text"}.get(kind, number)


def _leaves(kind: Any) -> set[str]:
    """Return the names of types in a type."""
    if isinstance(kind, list):
        return set().union(*map(_leaves, kind))
    return set() if kind is None else {kind}


def _replaced(declaration: MappingNode, key: str, tree: Tree | None) -> MappingNode:
    """Return a declaration with the value of a key replaced, or without it."""
    entries = [(k, tree if k.value == key else v) for k, v in declaration.items()]
    return MappingNode([(k, v) for k, v in entries if v is not None], declaration.span, declaration.place)


# --- checks of values -------------------------------------------------------------------------------------------------


class _Fault(NamedTuple):
    at: Tree
    reason: str
    help: str = ""


def check_value(param: Param, value: Tree, problems: list[Diagnostic]) -> bool:
    """Return whether a value fits the declaration of a param; reports the first fault."""
    fault = next(_faults(param, value), None)
    if fault is None:
        return True
    elsewhere = param.is_declared and (value is not param.default or value.span.file != param.span.file)
    notes = [Note(f"`{param.name}` is declared here", param.span)] if elsewhere else []
    problems.append(p.WrongValue.at(fault.at.span, fault.at.path, help=fault.help, notes=notes, reason=fault.reason))
    return False


def _faults(param: Param, value: Tree) -> Iterator[_Fault]:
    if _is_null(value) and param.default is not None and _is_null(param.default):
        return
    yield from _type_faults(param.name, param.kind, value)
    bounds = param.bounds()
    options = bounds.pop("one_of", None)
    if options is not None and not any(isinstance(option, list) for option in options):
        for item in _items(value):
            yield from _option_faults(param.name, options, item)
    elif options is not None:
        yield from _option_faults(param.name, options, value)
    for item in _items(value) if bounds else ():
        yield from _bound_faults(param.name, bounds, item)


def _is_null(tree: Tree) -> bool:
    return isinstance(tree, Scalar) and not tree.unknown and tree.value is None


def _items(value: Tree) -> Iterator[Tree]:
    """Yield the values in a list, or a value alone; bounds apply to each."""
    if isinstance(value, SequenceNode):
        for item in value.items:
            yield from _items(item)
    elif not value.unknown:
        yield value


def _type_faults(name: str, kind: Any, value: Tree) -> Iterator[_Fault]:
    if kind is None or isinstance(value, Unknown):
        return
    if isinstance(kind, list):
        if not isinstance(value, SequenceNode) or len(value.items) != len(kind):
            given = f"a list of {len(value.items)}" if isinstance(value, SequenceNode) else value.kind
            yield _Fault(value, f"`{name}` must be a list of {len(kind)}, not {given}")
            return
        for wanted, item in zip(kind, value.items, strict=True):
            yield from _type_faults(name, wanted, item)
    elif not isinstance(value, Scalar) or not _is_of(kind, value.value):
        help = suggest_literal(value, partial(_is_of, kind)) if value.formula is None else ""
        yield _Fault(value, f"`{name}` must be {_NOUNS[kind]}, not {value.kind}", help)


def _option_faults(name: str, options: list[Any], value: Tree) -> Iterator[_Fault]:
    given = value.plain()
    if value.unknown or any(given == option and isinstance(given, bool) == isinstance(option, bool) for option in options):
        return
    known = listed(options) if all(isinstance(option, str) for option in options) else ", ".join(map(flow, options))
    yield _Fault(
        value,
        f"`{name}` must be one of {known}, not {value.kind}",
        did_you_mean(given, options) if isinstance(given, str) else "",
    )


def _bound_faults(name: str, bounds: Mapping[str, Any], value: Tree) -> Iterator[_Fault]:
    number = value.plain()
    if not _is_of("float", number):
        yield _Fault(value, f"`{name}` must be a number, not {value.kind}")
        return
    low, high, multiple = (bounds.get(key) for key in _BOUNDS)
    if low is not None and not number >= low:
        yield _Fault(value, f"`{name}` must be at least {low}, not {value.kind}")
    if high is not None and not number <= high:
        yield _Fault(value, f"`{name}` must be at most {high}, not {value.kind}")
    if multiple is None or (_is_finite(number) and _is_multiple(number, multiple)):
        return
    help = ""
    if isinstance(number, int) and isinstance(multiple, int):
        near = [each for each in (number // multiple * multiple, number // multiple * multiple + multiple)
                if (low is None or each >= low) and (high is None or each <= high)]  # fmt: skip
        help = f"the nearest {'is' if len(near) == 1 else 'are'} {' and '.join(map(str, near))}" if near else ""
    yield _Fault(value, f"`{name}` must be a multiple of {multiple}, not {value.kind}", help)


def _is_multiple(number: float, multiple: float) -> bool:
    if isinstance(number, int) and isinstance(multiple, int):
        return number % multiple == 0
    try:
        return math.isclose(number, round(number / multiple) * multiple, rel_tol=1e-9, abs_tol=1e-12)
    except OverflowError:  # the quotient is infinite
        return False


def _is_finite(number: float) -> bool:
    return isinstance(number, int) or math.isfinite(number)  # an integer may be too large for a float


def _is_of(kind: str, value: object) -> bool:
    """Return whether a value has one of the param types."""
    if isinstance(value, bool):
        return kind == "bool"
    return isinstance(value, {"int": int, "float": int | float, "bool": bool, "str": str}[kind])
