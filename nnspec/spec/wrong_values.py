"""The errors of pydantic in the field's words, each at the place in the file, with what to write instead."""

from __future__ import annotations

import re
import typing
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from nnspec.diagnostics import Diagnostic, Span
from nnspec.spec import problems as p
from nnspec.spec.dumping import flow
from nnspec.spec.hints import param_meant
from nnspec.spec.readings import literal_meant
from nnspec.spec.tree import MappingNode, Scalar, SequenceNode, Tree
from nnspec.types import Config, closest

__all__ = ["Where", "said_of_all", "translated"]


def _nested_class(annotation: Any) -> type[Config] | None:
    """The class of an argument that is a mapping of its own."""
    for kind in (annotation, *typing.get_args(annotation)):
        if isinstance(kind, type) and issubclass(kind, Config) and kind is not Config:
            return kind
    return None


@dataclass(frozen=True)
class Where:
    """Where the arguments of an object stand.

    Attributes:
        config: Its class.
        arguments: They as they were written.
        name: What it is called in messages.
        span: Where it was named: what is missing is missing there.
        path: Its path in the document.
        bare: Whether a bare value was written, which stands for the class's main argument.
    """

    config: type[Config]
    arguments: MappingNode
    name: str
    span: Span
    path: str
    bare: bool = False

    def called(self, field: str) -> str:
        """What an argument is called in messages: a bare value by the name of the object, for no other was written."""
        return self.name if self.bare and field == self.config.main_argument else field

    def with_arguments(self, written: str) -> str:
        """How the object is written with some arguments; an item of a list has no key of its own."""
        return f"`{{{written}}}`" if self.name.endswith("]") else f"`{self.name}: {{{written}}}`"


def translated(error: ValidationError, where: Where, right: Mapping[str, Any], failed: Collection[str]) -> Iterator[Diagnostic]:
    """The errors of pydantic as diagnostics.

    Args:
        error: The error.
        where: Where the arguments stand.
        right: The arguments that were validated, by name.
        failed: Those that were left out because they are wrong, which has been reported.
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
        # What is said of all arguments together is asked again where one of them was left out as wrong.
        if field not in failed and field not in missing and not (failed and not field):
            yield _one(field, details, where, right)


def _one(field: str, details: list[ErrorDetails], where: Where, right: Mapping[str, Any]) -> Diagnostic:
    """The diagnostic of one argument."""
    detail = _most_specific(details, where.arguments.get(field))
    tree = _follow(where.arguments, detail["loc"]) if field else where.arguments
    literal = ""
    if field and tree.formula is None and any(d["type"] in _OF_ANOTHER_KIND for d in details):
        literal = literal_meant(tree, _accepts(field, tree, where, right)) or _other_argument(field, tree, where, right)
        if literal:  # a number in quotes is no name of a family
            detail = next((d for d in details if d["type"] in _EXPECTED and detail["type"] == "value_error"), detail)
    others = [d for d in details if d["type"] != detail["type"]]
    reason, help = _in_words(detail, where.called(field), tree, others, literal)
    annotation = where.config.model_fields[field].annotation if field in where.config.model_fields else None
    nested = _nested_class(annotation)
    if not help and nested is not None and not isinstance(tree, MappingNode):
        help = f"write `{field}: {{{', '.join(f'{key}: …' for key in list(nested.model_fields)[:2])}}}`"
    return p.WrongValue.at(tree.span, tree.path, help=help, reason=reason)


def _accepts(field: str, tree: Tree, where: Where, right: Mapping[str, Any]) -> Callable[[Any], bool]:
    """Whether a value could stand where a wrong one stands in an argument."""
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
    """The plain value of a tree with another in place of a part of it."""
    if given is tree or given is None:
        return value
    if isinstance(given, MappingNode):
        return {key.value: _replaced(inner, tree, value) for key, inner in given.items()}
    if isinstance(given, SequenceNode):
        return [_replaced(inner, tree, value) for inner in given.items]
    return given.plain()


def _other_argument(field: str, tree: Tree, where: Where, right: Mapping[str, Any]) -> str:
    """The only other argument that takes a list that was written in place of the object: ``x: [a, b]`` as its columns."""
    if not where.bare or not isinstance(tree, SequenceNode) or tree is not where.arguments.get(field):
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
"""Characters of a value that a message repeats."""


def said_of_all(config: type[Config], right: Mapping[str, Any], wrong: Collection[str]) -> str | None:
    """What is wrong with the arguments together, beside what is wrong with some of them.

    A rule that reads one of the wrong arguments says nothing: they are not there, and reading one ends it.
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
    """Of a union's errors, one for each branch, the one of the branch that was meant."""
    of_kind = {
        SequenceNode: lambda d: (d["type"] not in _NOT_LIST and not d["type"].endswith("_type")) or len(d["loc"]) > 2,
        MappingNode: lambda d: len(d["loc"]) > 2,
    }
    if isinstance(tree, Scalar):
        fits = [d for d in details if d["type"] not in ("list_type", "tuple_type", "dict_type", "model_type", "none_required")]
        ranged = [d for d in fits if not d["type"].endswith(("_type", "_parsing"))]
        return (ranged or fits or details)[0]
    deep = [d for d in details if type(tree) in of_kind and of_kind[type(tree)](d)]
    return (deep or details)[0]


_NOT_LIST = frozenset({"int_type", "float_type", "string_type", "bool_type", "literal_error", "none_required"})


def _follow(tree: Tree, loc: tuple[int | str, ...]) -> Tree:
    """As far into the tree as the location leads; union branches in it, which name no place, are passed over."""
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
    "string_type": "text",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
}


_CHOICE = re.compile(r"'[^']*'|[^\s,']+")
"""One of the values in pydantic's list of them: ``'.' or ','``."""


_OF_ANOTHER_KIND = frozenset(_EXPECTED) | {"literal_error", "value_error", "too_short", "too_long", "string_too_long"}
"""Errors of values that may be meant as another: those of a type, not of a range."""


def _in_words(detail: ErrorDetails, field: str, tree: Tree, others: list[ErrorDetails], literal: str) -> tuple[str, str]:
    """The reason, and what to write, which is the literal that was meant where there is one."""
    kind, context = detail["type"], detail.get("ctx") or {}
    word = f"`{field}`"
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
            suggestion = closest(str(tree.plain()), choices) if isinstance(tree, Scalar) else None
            listed = ", ".join(f"`{choice}`" for choice in choices)
            help = f"did you mean `{suggestion}`?" if suggestion else literal
            numbers = " or an integer" if any(d["type"].startswith("int_") for d in others) else ""
            if len(choices) > 8:
                return f"{word} cannot be {tree.kind}", help or f"it is one of {listed}{numbers}"
            return f"{word} must be one of {listed}{numbers}, not {tree.kind}", help
        case "too_short" | "too_long":
            bound = context.get("min_length", context.get("max_length"))
            least = "at least" if kind == "too_short" else "at most"
            return f"{word} must have {least} {bound} values, not {context['actual_length']}", literal
        case "missing":
            return f"{word} has too few values", ""
        case "value_error" | "assertion_error":
            message = str(detail["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
            reason, _, meant = message.partition("; did you mean ")
            return reason, f"did you mean {meant}" if meant else literal
        case "string_too_long" | "string_too_short" if context.get("max_length", context.get("min_length")) == 1:
            return f"{word} must be one character, not {tree.kind}", literal or 'write it in quotes: `";"`'
    wanted = [_EXPECTED[kind]] if kind in _EXPECTED else []
    wanted += [_EXPECTED[d["type"]] for d in others if d["type"] in _EXPECTED and _EXPECTED[d["type"]] not in wanted]
    if not wanted:
        return f"{word}: {detail['msg'][0].lower()}{detail['msg'][1:]}", literal
    help = literal
    if not help and {"an integer", "a number"} & set(wanted):
        help = _divided(tree) or param_meant(tree)
    return f"{word} must be {' or '.join(wanted)}, not {tree.kind}", help


def _share(tree: Tree, bound: float) -> str:
    """What to write for a percentage where a share of 1 is wanted."""
    value = tree.value if isinstance(tree, Scalar) else None
    if bound != 1 or not isinstance(value, int | float) or not 1 < value < 100:
        return ""
    return f": `{value / 100:g}` for {value}%"


def _divided(tree: Tree) -> str:
    """What to write where an expression makes a number with a point, and a whole one is wanted."""
    value = tree.value if isinstance(tree, Scalar) else None
    return "`//` divides to a whole number, `round` rounds" if tree.formula is not None and isinstance(value, float) else ""
