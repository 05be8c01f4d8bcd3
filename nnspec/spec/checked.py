"""From a tree to a typed object: a layer's arguments, a section of the document.

pydantic validates plain values. What it says is put into the field's words and moved to the place in the file; members of
a family (a layer in a wrapper, an initializer, a loss) are resolved here first, so that an error in one points into it.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Annotated, Any, Generic, TypeVar, Union

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from nnspec.diagnostics import Diagnostic, Span
from nnspec.spec import problems as p
from nnspec.spec.hints import param_meant, spaced, unquoted, yes_or_no
from nnspec.spec.tree import MappingNode, Scalar, SequenceNode, Tree, Unknown
from nnspec.types import Config, Family, Named, PluginError, closest

__all__ = ["Known", "check", "check_again", "check_known", "check_named"]

C = TypeVar("C", bound=Config)
_Resolve = Callable[[Tree, list[Diagnostic]], Any]


class _Failed(Exception):
    """Diagnostics have been given; there is no value."""


def check(
    config: type[C], tree: Tree | None, problems: list[Diagnostic], *, name: str = "", span: Span | None = None
) -> C | None:
    """Builds a typed object from a tree.

    Args:
        config: The class.
        tree: Its arguments as a mapping; None or an empty value for none; a bare value for the class's main argument.
        problems: What is wrong is appended here, each at its place.
        name: What it is called in messages; the class's name by default.
        span: Where it was named: what is missing is missing there. The tree's own place by default.

    Returns:
        The object, or None where something is wrong with it.
    """
    known = check_known(config, tree, problems, name=name, span=span)
    return known.value if known.is_right else None


@dataclass(frozen=True)
class Known(Generic[C]):
    """What is known of a typed object, some of whose arguments may be wrong.

    Attributes:
        value: The object, what is wrong left at its default; None where it cannot be made so.
        wrong: The arguments that are wrong, or whose values are unknown; all have been reported.
        is_right: Whether nothing is wrong.
    """

    value: C | None
    wrong: frozenset[str]
    is_right: bool


def check_known(
    config: type[C],
    tree: Tree | None,
    problems: list[Diagnostic],
    *,
    name: str = "",
    span: Span | None = None,
    instead: Mapping[str, Any] | None = None,
) -> Known[C]:
    """As [`check`][], but with what is right of an object of which something is wrong.

    Args:
        config: The class.
        tree: Its arguments.
        problems: What is wrong is appended here.
        name: What it is called in messages.
        span: Where it was named.
        instead: Values to go on with in place of wrong arguments, by name; their defaults where they are not here.
    """
    name = name or config.__name__
    span = span or (tree.span if tree else Span.whole(""))
    if isinstance(tree, Unknown):
        return Known(None, frozenset(config.model_fields), False)
    arguments = _arguments(config, tree, problems, name)
    if arguments is None:
        return Known(None, frozenset(config.model_fields), False)
    path = tree.path if tree is not None else ""
    before = len(problems)
    values: dict[str, Any] = {}
    failed: set[str] = set()
    for key, value in arguments.items():
        field = str(key.value)
        if field not in config.model_fields:
            problems.append(_unknown_argument(config, key, value, name))
            failed.add(_meant(config, field))  # it is not missing, it is misspelt
            continue
        try:
            values[field] = _resolver(config, field)(value, problems)
        except _Failed:
            failed.add(field)
    failed |= {str(key.value) for key, value in arguments.items() if value.unknown}
    try:
        built = config.model_validate({key: value for key, value in values.items() if key not in failed})
    except ValidationError as error:
        problems.extend(_translate(config, error, arguments, failed, name, span, path))
        wrong = failed | {str(detail["loc"][0]) for detail in error.errors() if detail["loc"]}
        return Known(_without(config, values, wrong, instead or {}), frozenset(wrong - {""}), False)
    if not failed and len(problems) == before:
        return Known(built, frozenset(), True)
    if instead and set(instead) & failed:
        return Known(_without(config, values, failed, instead), frozenset(failed - {""}), False)
    return Known(built, frozenset(failed - {""}), False)


def _without(config: type[C], values: Mapping[str, Any], wrong: Collection[str], instead: Mapping[str, Any]) -> C | None:
    """An object without its wrong arguments; None where there is none."""
    right = {key: value for key, value in values.items() if key not in wrong}
    try:
        return config.model_validate({key: value for key, value in instead.items() if key in wrong} | right)
    except ValidationError:
        return None


def check_again(built: C, tree: MappingNode, fields: Collection[str], problems: list[Diagnostic], *, where: str) -> C | None:
    """The same object with some of its arguments given anew.

    Args:
        built: The object.
        tree: The arguments.
        fields: Those that may be given.
        problems: What is wrong is appended here, each at its place.
        where: What they are arguments of, in messages.

    Returns:
        The object, or None where something is wrong with it.
    """
    before = len(problems)
    for key, value in tree.items():
        if key.value not in fields:
            suggestion = closest(str(key.value), fields)
            listed = ", ".join(f"`{field}`" for field in sorted(fields)) or "no argument"
            help = f"did you mean `{suggestion}`?" if suggestion else f"at each use `{type(built).__name__}` takes {listed}"
            help = type(built).unsupported.get(str(key.value), help)
            problems.append(p.UnknownKey.at(key.span, value.path, help=help, key=key.value, where=where))
    if len(problems) > before or tree.unknown:
        return None
    values = {name: getattr(built, name) for name in built.model_fields_set}
    try:
        return type(built).model_validate(values | {str(key.value): value.plain() for key, value in tree.items()})
    except ValidationError as error:
        problems.extend(_translate(type(built), error, tree, set(), where, tree.span, tree.path))
        return None


def check_named(family: Family, tree: Tree, problems: list[Diagnostic]) -> Config | None:
    """Builds a member of a family from its name, or from ``{Name: {arguments}}``."""
    try:
        return _named(family, tree, problems)
    except _Failed:
        return None


def _arguments(config: type[Config], tree: Tree | None, problems: list[Diagnostic], name: str) -> MappingNode | None:
    if tree is None or (isinstance(tree, Scalar) and tree.value is None):
        return MappingNode([], tree.span if tree else Span.whole(""), tree.place if tree else None)
    if config.operation is not None:
        return _with_operation(config, config.operation, tree, problems)
    if isinstance(tree, MappingNode):
        return tree
    if config.main_argument is not None:
        return MappingNode([(Scalar(config.main_argument, tree.span), tree)], tree.span, tree.place)
    problems.append(p.NotAMapping.at(tree.span, tree.path, help=_as_mapping(config, name), what=f"`{name}`", got=tree.kind))
    return None


def _as_mapping(config: type[Config], name: str) -> str:
    """How the arguments of a class are written: those that it needs, else its first."""
    needed = [field for field, info in config.model_fields.items() if info.is_required()]
    named = needed or list(config.model_fields)[:1]
    written = f"write `{name}: {{{', '.join(f'{field}: …' for field in named)}}}`"
    return written if needed else f"write `{name}` alone, or {written}" if named else f"`{name}` has no arguments"


def _with_operation(config: type[Config], field: str, tree: Tree, problems: list[Diagnostic]) -> MappingNode | None:
    """``{RandomFlip: {…}, on: [image]}`` as ``{layer: {RandomFlip: {…}}, on: [image]}``; a name alone as ``{layer: name}``."""
    name = Scalar(field, tree.span)
    if not isinstance(tree, MappingNode):
        return MappingNode([(name, tree)], tree.span, tree.place)
    family = next(mark for mark in config.model_fields[field].metadata if isinstance(mark, Named)).family
    beside = [(key, value) for key, value in tree.items() if key.value in config.model_fields and key.value != field]
    others = [(key, value) for key, value in tree.items() if (key, value) not in beside]
    named = [entry for entry in others if entry[0].value in family] or others[:1]
    for key, value in others:
        if (key, value) not in named:
            problems.append(_unknown_argument(config, key, value, family.kind))
    if len(named) != 1:
        words = " and ".join(f"`{key.value}`" for key, _ in named) or "none"
        reason = f"one {family.kind} is expected here, and what stands beside it, not {words}"
        problems.append(p.WrongValue.at(tree.span, tree.path, reason=reason))
        return None
    return MappingNode([*beside, (name, MappingNode(named, tree.span, tree.place))], tree.span, tree.place)


def _meant(config: type[Config], word: str) -> str:
    """The argument that a wrong word stands for, or nothing."""
    told = re.search(r"`(\w+)`", config.foreign().get(word, ""))
    return told[1] if told else closest(word.partition(":")[0], config.model_fields) or ""


def _unknown_argument(config: type[Config], key: Scalar, value: Tree, name: str) -> Diagnostic:
    path = str(value.place) if value.place else str(key.value)
    word = str(key.value)
    if word in config.unsupported:
        return p.UnknownKey.at(key.span, path, help=config.unsupported[word], key=word, where=f"`{name}`")
    if not (help := spaced(word, config.model_fields) or config.foreign().get(word, "")):
        suggestion = closest(word, config.model_fields)
        takes = ", ".join(f"`{field}`" for field in config.model_fields)
        help = f"did you mean `{suggestion}`?" if suggestion else f"`{name}` takes {takes or 'no arguments'}"
    return p.UnknownKey.at(key.span, path, help=help, key=word, where=f"`{name}`")


# --- members of families and nested objects ---------------------------------------------------------------------------


@cache
def _resolver(config: type[Config], field: str) -> _Resolve:
    info = config.model_fields[field]
    for mark in info.metadata:
        if isinstance(mark, Named):
            return lambda tree, problems: _named(mark.family, tree, problems)
    return _of_annotation(info.annotation) or _plain


def _plain(tree: Tree, problems: list[Diagnostic]) -> Any:
    del problems
    return tree.plain()


def _of_annotation(annotation: Any) -> _Resolve | None:
    """How a tree becomes a value of this annotation; None where pydantic alone does it."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        for mark in arguments[1:]:
            if isinstance(mark, Named):
                return lambda tree, problems: _named(mark.family, tree, problems)
        return _of_annotation(arguments[0])
    if isinstance(annotation, type) and issubclass(annotation, Config):
        return lambda tree, problems: _nested(annotation, tree, problems)
    if origin in (Union, types.UnionType):
        return _of_union([found for argument in arguments if (found := (_of_annotation(argument), argument))])
    if origin in (list, tuple, dict) and arguments:
        inner = _of_annotation(arguments[1 if origin is dict else 0])
        if inner is not None:
            return partial(_dict if origin is dict else _list, inner)
    return None


def _of_union(branches: list[tuple[_Resolve | None, Any]]) -> _Resolve | None:
    if not any(resolve for resolve, _ in branches):
        return None
    origins = [(resolve, typing.get_origin(annotation), annotation) for resolve, annotation in branches if resolve is not None]

    def choose(tree: Tree, problems: list[Diagnostic]) -> Any:
        for resolve, origin, annotation in origins:
            if origin in (list, tuple):
                fits = isinstance(tree, SequenceNode)
            elif origin is dict:
                fits = isinstance(tree, MappingNode) and not _is_member(tree, branches)
            else:
                bare = isinstance(tree, Scalar) and isinstance(tree.value, str) and not _has_literal(branches, tree)
                main = isinstance(annotation, type) and issubclass(annotation, Config) and annotation.main_argument is not None
                fits = isinstance(tree, MappingNode) or bare or (main and not _is_null(tree))
            if fits:
                return resolve(tree, problems)
        return tree.plain()

    return choose


def _is_null(tree: Tree) -> bool:
    return isinstance(tree, Scalar) and tree.value is None


def _has_literal(branches: list[tuple[_Resolve | None, Any]], tree: Scalar) -> bool:
    """Whether the union takes this very word."""
    literals = [a for _, a in branches if typing.get_origin(a) is typing.Literal]
    return any(tree.value in typing.get_args(literal) for literal in literals)


def _is_member(tree: MappingNode, branches: list[tuple[_Resolve | None, Any]]) -> bool:
    """Whether a mapping of one key names a member of a family that the union takes beside a mapping, or misspells one."""
    if len(tree) != 1:
        return False
    [(key, value)] = tree.items()
    marks = [mark for _, a in branches if typing.get_origin(a) is Annotated for mark in typing.get_args(a)[1:]]
    families = [mark.family for mark in marks if isinstance(mark, Named)]
    word = str(key.value)
    if any(word in family for family in families):
        return True
    names_one = (
        value
        if isinstance(value, Scalar)
        else next((k for k, _ in value.items()), None)
        if isinstance(value, MappingNode)
        else None
    )
    of_a_member = names_one is not None and any(names_one.value in family for family in families)
    return word[:1].isupper() and not of_a_member and any(closest(word, family.names()) for family in families)


def _list(inner: _Resolve, tree: Tree, problems: list[Diagnostic]) -> Any:
    if not isinstance(tree, SequenceNode):
        return tree.plain()
    return _all([lambda item=item: inner(item, problems) for item in tree.items])  # type: ignore[misc]


def _dict(inner: _Resolve, tree: Tree, problems: list[Diagnostic]) -> Any:
    if not isinstance(tree, MappingNode):
        return tree.plain()
    values = _all([lambda value=value: inner(value, problems) for _, value in tree.items()])  # type: ignore[misc]
    return {key.value: value for (key, _), value in zip(tree.items(), values, strict=True)}


def _all(thunks: list[Callable[[], Any]]) -> list[Any]:
    """Every value, so that every error is given before the first ends it."""
    values, failed = [], False
    for thunk in thunks:
        try:
            values.append(thunk())
        except _Failed:
            failed = True
    if failed:
        raise _Failed
    return values


def _nested(config: type[Config], tree: Tree, problems: list[Diagnostic]) -> Config:
    if isinstance(tree, Unknown):
        raise _Failed
    built = check(config, tree, problems, name="" if config.operation or not tree.place else str(tree.place.key))
    if built is None:
        raise _Failed
    return built


def _named(family: Family, tree: Tree, problems: list[Diagnostic]) -> Config | None:
    if isinstance(tree, Unknown):
        raise _Failed
    if _is_null(tree):
        return None
    arguments: Tree | None = None
    key: Tree = tree
    if isinstance(tree, MappingNode):
        entries = list(tree.items())
        if len(entries) != 1:
            reason = f"one {family.kind} is expected here, {{Name: {{arguments}}}}, not {len(entries)} keys"
            problems.append(p.WrongValue.at(tree.span, tree.path, reason=reason))
            raise _Failed
        key, arguments = entries[0]
    if not isinstance(key, Scalar) or not isinstance(key.value, str):
        reason = f"a {family.kind} is expected here, by its name or as {{Name: {{arguments}}}}, not {tree.kind}"
        problems.append(p.WrongValue.at(tree.span, tree.path, reason=reason))
        raise _Failed
    if key.value not in family:
        problems.append(unknown_member(family, key, tree.path))
        raise _Failed
    try:
        config = family.get(key.value)
    except PluginError as error:
        problems.append(broken_plugin(error, key, tree.path))
        raise _Failed from error
    built = check(config, arguments, problems, name=key.value, span=key.span)
    if built is None:
        raise _Failed
    return built


def broken_plugin(error: PluginError, key: Scalar, path: str) -> Diagnostic:
    """The diagnostic of a name whose package cannot be used."""
    help = "install a package that works with this version of nnspec, or remove it; `nnspec layers` lists them"
    return p.BrokenPlugin.at(key.span, path, help=help, name=key.value, reason=str(error))


def other_word(family: Family, word: str) -> str | None:
    """What to write in place of a word that others use; None where it is no such word."""
    return family.other_words.get(word.lower().replace("_", ""))


def meant_member(family: Family, word: str) -> str | None:
    """The member that a wrong name stands for: an alias's, or one that is spelt nearly so."""
    if other_word(family, word) is not None:
        return None
    return dict(family.aliases).get(word) or closest(word, family.names(plugins=True))


def unknown_member(family: Family, key: Scalar, path: str) -> Diagnostic:
    """The diagnostic of a name that is in no family, with the name that was meant."""
    word = str(key.value)
    aliases = dict(family.aliases)
    suggestion = meant_member(family, word)
    if word in family.left_out:
        help = family.left_out[word]
    elif (other := other_word(family, word)) is not None:
        help = other
    elif word in aliases:
        help = f"it is called `{aliases[word]}` here"
    elif suggestion:
        help = f"did you mean `{suggestion}`?"
    else:
        help = f"there are {', '.join(family.names())}" if len(family.names()) < 60 else ""
    return p.UnknownMember.at(key.span, path, help=help, kind=family.kind, name=word)


# --- pydantic's errors in words ---------------------------------------------------------------------------------------


def _nested_class(annotation: Any) -> type[Config] | None:
    """The class of an argument that is a mapping of its own."""
    for kind in (annotation, *typing.get_args(annotation)):
        if isinstance(kind, type) and issubclass(kind, Config) and kind is not Config:
            return kind
    return None


def _translate(
    config: type[Config], error: ValidationError, arguments: MappingNode, failed: set[str], name: str, span: Span, path: str
) -> list[Diagnostic]:
    by_field: dict[str, list[ErrorDetails]] = {}
    for detail in error.errors(include_url=False, include_context=True):
        by_field.setdefault(str(detail["loc"][0]) if detail["loc"] else "", []).append(detail)
    found: list[Diagnostic] = []
    missing = [field for field, details in by_field.items() if field not in failed and _is_missing(details[0])]
    if missing:
        needed = ", ".join(f"{field}: …" for field in missing)
        keys = "` and `".join(missing)
        found.append(p.MissingKey.at(span, path, help=f"write `{name}: {{{needed}}}`", where=f"`{name}`", key=keys))
    for field, details in by_field.items():
        # What is said of all arguments together is not to be trusted where one of them was left out as wrong.
        if field in failed or (failed and not field):
            continue
        detail = _most_specific(details, arguments.get(field))
        if field in missing:
            continue
        tree = _follow(arguments, detail["loc"]) if field else arguments
        reason, help = _in_words(detail, field, tree, [d for d in details if d["type"] != detail["type"]])
        nested = _nested_class(config.model_fields[field].annotation) if field in config.model_fields else None
        if not help and nested is not None and not isinstance(tree, MappingNode):
            help = f"write `{field}: {{{', '.join(f'{key}: …' for key in list(nested.model_fields)[:2])}}}`"
        found.append(p.WrongValue.at(tree.span, tree.path, help=help, reason=reason))
    return found


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


def _in_words(detail: ErrorDetails, field: str, tree: Tree, others: list[ErrorDetails]) -> tuple[str, str]:
    kind, context = detail["type"], detail.get("ctx") or {}
    word = f"`{field}`"
    match kind:
        case "greater_than":
            return f"{word} must be greater than {context['gt']}, not {tree.kind}", f"write a number above {context['gt']}"
        case "greater_than_equal":
            return f"{word} must be at least {context['ge']}, not {tree.kind}", f"write {context['ge']} or more"
        case "less_than":
            return f"{word} must be less than {context['lt']}, not {tree.kind}", f"write a number below {context['lt']}"
        case "less_than_equal":
            return f"{word} must be at most {context['le']}, not {tree.kind}", f"write {context['le']} or less"
        case "literal_error":
            choices = [part.strip("'") for part in _CHOICE.findall(str(context["expected"])) if part != "or"]
            suggestion = closest(str(tree.plain()), choices) if isinstance(tree, Scalar) else None
            listed = ", ".join(f"`{choice}`" for choice in choices)
            help = f"did you mean `{suggestion}`?" if suggestion else ""
            numbers = " or an integer" if any(d["type"].startswith("int_") for d in others) else ""
            if len(choices) > 8:
                return f"{word} cannot be {tree.kind}", help or f"it is one of {listed}{numbers}"
            return f"{word} must be one of {listed}{numbers}, not {tree.kind}", help
        case "too_short" | "too_long":
            bound = context.get("min_length", context.get("max_length"))
            least = "at least" if kind == "too_short" else "at most"
            return f"{word} must have {least} {bound} values, not {context['actual_length']}", ""
        case "missing":
            return f"{word} has too few values", ""
        case "value_error" | "assertion_error":
            message = str(detail["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
            reason, _, meant = message.partition("; did you mean ")
            return reason, f"did you mean {meant}" if meant else unquoted(tree)
    wanted = [_EXPECTED[kind]] if kind in _EXPECTED else []
    wanted += [_EXPECTED[d["type"]] for d in others if d["type"] in _EXPECTED and _EXPECTED[d["type"]] not in wanted]
    if not wanted:
        return f"{word}: {detail['msg'][0].lower()}{detail['msg'][1:]}", ""
    help = yes_or_no(tree) or unquoted(tree)
    if not help and {"an integer", "a number"} & set(wanted):
        help = param_meant(tree)
    return f"{word} must be {' or '.join(wanted)}, not {tree.kind}", help
