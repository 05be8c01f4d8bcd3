"""Conversion of pydantic's errors to diagnostics with locations and fixes."""

from __future__ import annotations

import re
import typing
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from nnspec.diagnostics import Advice, Diagnostic, Note, Span
from nnspec.diagnostics.remedies import remedy_of
from nnspec.spec import problems as p
from nnspec.spec.dumping import flow
from nnspec.spec.hints import suggest_param
from nnspec.spec.readings import suggest_literal
from nnspec.spec.tree import MappingNode, Scalar, SequenceNode, Tree, literal_source
from nnspec.types import Config, Misspelled, did_you_mean


def _nested_class(annotation: Any) -> type[Config] | None:
    """Return the class of an argument that is a nested mapping."""
    for kind in (annotation, *typing.get_args(annotation)):
        if isinstance(kind, type) and issubclass(kind, Config) and kind is not Config:
            return kind
    return None


@dataclass(frozen=True)
class Where:
    """Location of an object's arguments.

    Attributes:
        config: Class of the object.
        arguments: Arguments as written.
        name: Name of the object in messages.
        span: Location of its name, at which missing arguments are reported.
        path: Path in the document.
        bare: Whether a bare value was written for the main argument.
    """

    config: type[Config]
    arguments: MappingNode
    name: str
    span: Span
    path: str
    bare: bool = False

    def called(self, field: str) -> str:
        """Return an argument's name in messages, in backquotes.

        A bare value of a layer has both names: ``Dropout: x`` is the `rate` of `Dropout`. That of a key has the key's.
        """
        if not self.bare or field != self.config.main_argument:
            return f"`{field}`"
        return f"`{field}` of `{self.name}`" if self.name == self.config.__name__ else f"`{self.name}`"

    def with_arguments(self, written: str) -> str:
        """Return an example of the object with some arguments; a list item has no key of its own."""
        return f"`{{{written}}}`" if self.name.endswith("]") else f"`{self.name}: {{{written}}}`"


def translated(error: ValidationError, where: Where, right: Mapping[str, Any], failed: Collection[str]) -> Iterator[Diagnostic]:
    """Yield pydantic's errors as diagnostics.

    Args:
        error: Error from pydantic.
        where: Location of the arguments.
        right: Valid arguments by name.
        failed: Invalid arguments, which were left out and have been reported.
    """
    by_field: dict[str, list[ErrorDetails]] = {}
    for detail in error.errors(include_url=False, include_context=True):
        by_field.setdefault(str(detail["loc"][0]) if detail["loc"] else "", []).append(detail)
    missing = [field for field, details in by_field.items() if field not in failed and _is_missing(details[0])]
    if missing:
        needed = where.with_arguments(", ".join(f"{field}: …" for field in missing))
        keys = "` and `".join(missing)
        yield p.MissingKey.at(where.span, where.path, help=f"write {needed}", where=f"`{where.name}`", key=keys)
    for field, details in by_field.items():
        # Errors about several arguments are checked again if one of them was invalid.
        if field not in failed and field not in missing and not (failed and not field):
            yield _one(field, details, where, right)


def _one(field: str, details: list[ErrorDetails], where: Where, right: Mapping[str, Any]) -> Diagnostic:
    """Return the diagnostic of one argument."""
    detail = _most_specific(details, where.arguments.get(field))
    tree = _follow(where.arguments, detail["loc"]) if field else where.arguments
    literal, source = "", literal_source(tree)
    if field and (source is not tree or tree.formula is None):
        if any(d["type"] in _OF_ANOTHER_KIND for d in details):
            literal = suggest_literal(source, _accepts(field, tree, where, right))
        literal = literal or _other_argument(field, tree, where)
        if literal:  # a quoted number is not a member's name
            detail = next((d for d in details if d["type"] in _EXPECTED and detail["type"] == "value_error"), detail)
    others = [d for d in details if d["type"] != detail["type"]]
    reason, help = _in_words(detail, where.called(field), tree, others, literal)
    annotation = where.config.model_fields[field].annotation if field in where.config.model_fields else None
    nested = _nested_class(annotation)
    if not help and nested is not None and not isinstance(tree, MappingNode):
        example = f"{{{', '.join(f'{key}: …' for key in list(nested.model_fields)[:2])}}}"
        is_list = typing.get_origin(annotation) in (list, tuple)
        help = f"write `{field}: [{example}]`" if is_list else f"write `{field}: {example}`"
    notes: list[Note] = []
    if source is not tree and (remedy := remedy_of(help)) is not None:  # the param's value is at fault
        help = Advice(help, replace(remedy, span=source.span))
        notes = [Note("its value is given here", source.span)]
    return p.WrongValue.at(tree.span, tree.path, help=help, notes=notes, reason=reason)


def _accepts(field: str, tree: Tree, where: Where, right: Mapping[str, Any]) -> Callable[[Any], bool]:
    """Return a function that checks whether a value would be valid in place of an invalid one."""
    given = where.arguments.get(field)
    beside = {key: value for key, value in right.items() if key != field}

    def accepts(value: Any) -> bool:
        try:
            where.config.model_validate({**beside, field: _replaced(given, tree, value)})
        except ValidationError as error:
            places = [detail["loc"] for detail in error.errors() if detail["loc"] and detail["loc"][0] == field]
            return all(_follow(where.arguments, place) is not tree for place in places)
        return True

    return accepts


def _replaced(given: Tree | None, tree: Tree, value: Any) -> Any:
    """Return the plain value of a tree with a part of it replaced."""
    if given is tree or given is None:
        return value
    if isinstance(given, MappingNode):
        return {key.value: _replaced(inner, tree, value) for key, inner in given.items()}
    if isinstance(given, SequenceNode):
        return [_replaced(inner, tree, value) for inner in given.items]
    return given.plain()


def _other_argument(field: str, tree: Tree, where: Where) -> str:
    """Return help with the only other argument that accepts a value given alone: ``x: [a, b]``, ``Dense: relu``."""
    is_word = isinstance(tree, Scalar) and isinstance(tree.value, str)
    if not where.bare or not (is_word or isinstance(tree, SequenceNode)) or tree is not where.arguments.get(field):
        return ""
    value = tree.plain()
    fitting = [name for name in where.config.model_fields if name != field and _fits(where.config, name, value)]
    text = flow(value)
    return f"write {where.with_arguments(f'{fitting[0]}: {text}')}" if len(fitting) == 1 and len(text) <= _LONGEST else ""


def _fits(config: type[Config], name: str, value: Any) -> bool:
    try:
        config.model_validate({name: value})
    except ValidationError as error:
        return all(not detail["loc"] or detail["loc"][0] != name for detail in error.errors())
    return True


_LONGEST = 80
"""Maximum length of a value repeated in a message."""


def joint_error(config: type[Config], right: Mapping[str, Any], wrong: Collection[str]) -> str | None:
    """Return an error about several arguments together, when some of them are invalid.

    Rules that read an invalid argument are skipped, because it is missing.
    """
    built = config.model_construct(**right)
    for name in wrong:
        built.__dict__.pop(name, None)
    for rule, decorator in config.__pydantic_decorators__.model_validators.items():
        if decorator.info.mode != "after":
            continue
        try:
            getattr(built, rule)()
        except AttributeError:
            continue
        except ValueError as error:
            return str(error)
    return None


def _is_missing(detail: ErrorDetails) -> bool:
    return detail["type"] == "missing" and len(detail["loc"]) == 1


def _most_specific(details: list[ErrorDetails], tree: Tree | None) -> ErrorDetails:
    """Return the error of the intended branch of a union, which reports one error per branch."""
    of_kind = {
        SequenceNode: lambda d: (d["type"] not in _NOT_LIST and not d["type"].endswith("_type")) or len(d["loc"]) > 2,
        MappingNode: lambda d: len(d["loc"]) > 2,
    }
    if isinstance(tree, Scalar):
        fits = [d for d in details if d["type"] not in ("list_type", "tuple_type", "dict_type", "model_type", "none_required")]
        ranged = [d for d in fits if not d["type"].endswith(("_type", "_parsing"))]
        if type(tree.value) in (int, float):  # a number is no misspelled name
            ranged = [d for d in ranged if d["type"] != "value_error"] or ranged
        return (ranged or fits or details)[0]
    deep = [d for d in details if type(tree) in of_kind and of_kind[type(tree)](d)]
    return (deep or details)[0]


_NOT_LIST = frozenset({"int_type", "float_type", "string_type", "bool_type", "literal_error", "none_required"})


def _follow(tree: Tree, loc: tuple[int | str, ...]) -> Tree:
    """Follow a location into the tree as far as possible, skipping names of union branches."""
    for key in loc:
        if isinstance(tree, MappingNode):
            inner = next((value for k, value in tree.items() if k.value == key or str(k.value) == str(key)), None)
            tree = inner if inner is not None else tree
        elif isinstance(tree, SequenceNode) and isinstance(key, int) and key < len(tree.items):
            tree = tree.items[key]
    return tree


_EXPECTED = {
    "int_type": "an integer",
    "int_parsing": "an integer",
    "int_from_float": "an integer",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "string_type": "a string",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
}


_CHOICE = re.compile(r"'[^']*'|[^\s,']+")
"""One of the values in pydantic's list: ``'.' or ','``."""


_OF_ANOTHER_KIND = frozenset(_EXPECTED) | {"literal_error", "value_error", "too_short", "too_long", "string_too_long"}
"""Types of errors that may come from another notation of a valid value: wrong types, not ranges."""


def _in_words(detail: ErrorDetails, word: str, tree: Tree, others: list[ErrorDetails], literal: str) -> tuple[str, str]:
    """Return the reason and the help, which is the intended literal if there is one."""
    kind, context = detail["type"], detail.get("ctx") or {}
    match kind:
        case "greater_than":
            return f"{word} must be greater than {context['gt']}, not {tree.kind}", f"write a number above {context['gt']}"
        case "greater_than_equal":
            return f"{word} must be at least {context['ge']}, not {tree.kind}", f"write {context['ge']} or more"
        case "less_than":
            help = f"write a number below {context['lt']}" + _share(tree, context["lt"])
            return f"{word} must be less than {context['lt']}, not {tree.kind}", help
        case "less_than_equal":
            return f"{word} must be at most {context['le']}, not {tree.kind}", f"write {context['le']} or less" + _share(
                tree, context["le"]
            )
        case "literal_error":
            choices = [part.strip("'") for part in _CHOICE.findall(str(context["expected"])) if part != "or"]
            listed = ", ".join(f"`{choice}`" for choice in choices)
            help = did_you_mean(str(tree.plain()), choices, literal) if isinstance(tree, Scalar) else literal
            numbers = " or an integer" if any(d["type"].startswith("int_") for d in others) else ""
            if len(choices) > 8:
                return f"{word} cannot be {tree.kind}", help or f"use one of {listed}{numbers}"
            return f"{word} must be one of {listed}{numbers}, not {tree.kind}", help
        case "too_short" | "too_long":
            bound = context.get("min_length", context.get("max_length"))
            least = "at least" if kind == "too_short" else "at most"
            return f"{word} must have {least} {bound} values, not {context['actual_length']}", literal
        case "missing":
            return f"{word} has too few values", ""
        case "value_error" | "assertion_error":
            if isinstance(error := context.get("error"), Misspelled):
                return error.reason, error.help or literal
            return str(detail["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, "), literal
        case "string_too_long" | "string_too_short" if context.get("max_length", context.get("min_length")) == 1:
            return f"{word} must be a single character, not {tree.kind}", literal or 'quote it: `";"`'
    wanted = [_EXPECTED[kind]] if kind in _EXPECTED else []
    wanted += [_EXPECTED[d["type"]] for d in others if d["type"] in _EXPECTED and _EXPECTED[d["type"]] not in wanted]
    if not wanted:
        return f"{word}: {detail['msg'][0].lower()}{detail['msg'][1:]}", literal
    help = literal
    if not help and {"an integer", "a number"} & set(wanted):
        help = _divided(tree) or suggest_param(tree)
    return f"{word} must be {' or '.join(wanted)}, not {tree.kind}", help


def _share(tree: Tree, bound: float) -> str:
    """Return help for a percentage where a fraction is expected."""
    value = tree.value if isinstance(tree, Scalar) else None
    if bound != 1 or not isinstance(value, int | float) or not 1 < value < 100:
        return ""
    return f": `{value / 100:g}` for {value}%"


def _divided(tree: Tree) -> str:
    """Return help for an expression that results in a float where an integer is expected."""
    value = tree.value if isinstance(tree, Scalar) else None
    return "use `//` for integer division, or `round`" if tree.formula is not None and isinstance(value, float) else ""
