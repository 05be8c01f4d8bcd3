"""Validation of a tree against a pydantic class: a layer's arguments or a section of the document.

pydantic validates plain values. Its errors are reworded and located in the file. Members of a family (a wrapped layer, an
initializer, a loss) are resolved first, so that an error inside one is reported at its own location.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from typing import Annotated, Any, Generic, TypeVar, Union

from pydantic import ValidationError

from nnspec.diagnostics import Advice, Diagnostic, Span
from nnspec.diagnostics.remedies import Respell
from nnspec.spec import problems as p
from nnspec.spec.dumping import flow
from nnspec.spec.hints import spaced
from nnspec.spec.needless import without
from nnspec.spec.readings import Reading, is_like_a_number, readings
from nnspec.spec.tree import MappingNode, Place, Resolved, Scalar, SequenceNode, Tree, Unknown
from nnspec.spec.wrong_values import Where, joint_error, translated
from nnspec.types import Config, Family, Named, PluginError, closest, did_you_mean, suggested

C = TypeVar("C", bound=Config)
_Resolve = Callable[[Tree, list[Diagnostic]], Any]


class _Failed(Exception):
    """Diagnostics were reported, and no value could be built.

    Attributes:
        partial: The value without its invalid parts; None if it cannot be built.
    """

    def __init__(self, partial: Any = None) -> None:
        super().__init__()
        self.partial = partial


def check(
    config: type[C], tree: Tree | None, problems: list[Diagnostic], *, name: str = "", span: Span | None = None
) -> C | None:
    """Build a typed object from a tree.

    Args:
        config: Class to build.
        tree: Arguments as a mapping, None or an empty value for no arguments, or a bare value for the main argument.
        problems: List to which problems are appended.
        name: Name in messages; by default, the name of the class.
        span: Location at which missing arguments are reported; by default, that of the tree.

    Returns:
        The object, or None if it is invalid.
    """
    known = check_known(config, tree, problems, name=name, span=span)
    return known.value if known.is_right else None


@dataclass(frozen=True)
class Known(Generic[C]):
    """A typed object, possibly with invalid arguments.

    Attributes:
        value: The object with defaults for its invalid arguments, or None if it cannot be built. Nested objects are treated
            the same way: defaults replace their `wrong_arguments`.
        wrong: Names of arguments that are invalid or have unknown values; all have been reported.
        is_right: Whether all arguments are valid.
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
    """Build a typed object from a tree, with defaults for invalid arguments; see [`check`][].

    Args:
        config: Class to build.
        tree: Arguments.
        problems: List to which problems are appended.
        name: Name in messages.
        span: Location at which missing arguments are reported.
        instead: Replacements for invalid arguments, by name, used instead of their defaults.
    """
    name = name or config.__name__
    span = span or (tree.span if tree else Span.whole(""))
    if isinstance(tree, Unknown):
        return Known(None, frozenset(config.model_fields), False)
    arguments = _arguments(config, tree, problems, name)
    if arguments is None:
        return Known(None, frozenset(config.model_fields), False)
    bare = tree is not None and not isinstance(tree, MappingNode) and config.main_argument is not None
    place = Where(config, arguments, name, span, tree.path if tree is not None else "", bare=bare)
    before = len(problems)
    values: dict[str, Any] = {}
    partial: dict[str, Any] = {}
    failed: set[str] = set()
    for key, value in arguments.items():
        field = str(key.value)
        if field not in config.model_fields:
            meant = _meant(config, field)
            problems.append(_unknown_argument(config, key, value, name, given=meant in arguments))
            if meant not in arguments:
                failed.add(meant)  # misspelled, not missing
            continue
        try:
            values[field] = _resolver(config, field)(value, problems)
        except _Failed as failure:
            failed.add(field)
            if failure.partial is not None:
                partial[field] = failure.partial
    failed |= {str(key.value) for key, value in arguments.items() if value.unknown}
    right = {key: value for key, value in values.items() if key not in failed}
    try:
        built = config.model_validate(right)
    except ValidationError as error:
        problems.extend(translated(error, place, right, failed))
        failed |= {str(detail["loc"][0]) for detail in error.errors() if detail["loc"]}
    else:
        if not failed and len(problems) == before:
            return Known(built, frozenset(), True)
    failed -= {""}
    right = {key: value for key, value in right.items() if key not in failed}
    reason = joint_error(config, right, failed) if failed or len(problems) > before else None
    if reason is not None and not any(found.message == reason for found in problems[before:]):
        problems.append(p.WrongValue.at(arguments.span, place.path, reason=reason))
    return Known(_without(config, right | partial, failed, instead or {}), frozenset(failed), False)


def _without(config: type[C], values: Mapping[str, Any], wrong: Collection[str], instead: Mapping[str, Any]) -> C | None:
    """Return an object without its invalid arguments, or None."""
    replaced = {key: value for key, value in instead.items() if key in wrong and key not in values}
    # A rule about several arguments may fail because of one that can be replaced.
    for more in ({}, *({key: value} for key, value in instead.items() if key not in values)):
        try:
            built = config.model_validate({**replaced, **more, **values})
        except ValidationError:
            continue
        object.__setattr__(built, "wrong_arguments", frozenset({*wrong, *more}))
        return built
    return None


def check_again(built: C, tree: MappingNode, fields: Collection[str], problems: list[Diagnostic], *, where: str) -> C | None:
    """Return a copy of an object with some arguments replaced.

    Args:
        built: Object to copy.
        tree: New arguments.
        fields: Names of the arguments that may be replaced.
        problems: List to which problems are appended.
        where: Owner of the arguments, for messages.

    Returns:
        The object, or None if it is invalid.
    """
    before = len(problems)
    for key, value in tree.items():
        if key.value not in fields:
            listed = ", ".join(f"`{field}`" for field in sorted(fields)) or "no arguments"
            help = did_you_mean(str(key.value), fields, f"a call of `{type(built).__name__}` takes {listed}")
            help = type(built).unsupported.get(str(key.value), help)
            problems.append(p.UnknownKey.at(key.span, value.path, help=help, key=key.value, where=where))
    if len(problems) > before or tree.unknown:
        return None
    values = {name: getattr(built, name) for name in built.model_fields_set}
    try:
        return type(built).model_validate(values | {str(key.value): value.plain() for key, value in tree.items()})
    except ValidationError as error:
        place = Where(type(built), tree, where, tree.span, tree.path)
        problems.extend(translated(error, place, values, set()))
        return None


def check_named(family: Family, tree: Tree, problems: list[Diagnostic]) -> Config | None:
    """Build a member of a family from its name or from ``{Name: {arguments}}``."""
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
        if config.mapping is not None:
            return MappingNode([(Scalar(config.mapping, tree.span), tree)], tree.span, tree.place)
        return _without_synonyms(config, tree)
    if config.main_argument is not None:
        return MappingNode([(Scalar(config.main_argument, tree.span), tree)], tree.span, tree.place)
    problems.append(
        p.NotAMapping.at(tree.span, tree.path, help=_as_mapping(config, name, tree), what=f"`{name}`", got=tree.kind)
    )
    return None


def _without_synonyms(config: type[Config], tree: MappingNode) -> MappingNode:
    """Replace synonyms by the arguments they stand for; one whose argument is also given stays, and is reported as unknown."""
    if not any(key.value in config.synonyms for key, _ in tree.items()):
        return tree

    def named(key: Scalar) -> Scalar:
        argument = config.synonyms.get(str(key.value))
        return key if argument is None or argument in tree else Scalar(argument, key.span)

    return MappingNode([(named(key), value) for key, value in tree.items()], tree.span, tree.place)


def _as_mapping(config: type[Config], name: str, tree: Tree) -> str:
    """Return an example of the arguments of a class: the required ones, or else the first, with the numbers given for it."""
    if config.mapping is not None:
        return f"write `{name}: {{NAME: …}}`"
    needed = [field for field, info in config.model_fields.items() if info.is_required()]
    named = needed or list(config.model_fields)[:1]
    for reading in (Reading(tree.plain(), flow(tree.plain())), *readings(tree)) if len(named) == 1 else ():
        if isinstance(reading.value, int | float | list) and not isinstance(reading.value, bool):
            with suppress(ValidationError):
                config.model_validate({named[0]: reading.value})
                return f"write `{name}: {{{named[0]}: {reading.text}}}`"
    written = f"write `{name}: {{{', '.join(f'{field}: …' for field in named)}}}`"
    return written if needed else f"write `{name}` alone, or {written}" if named else f"`{name}` has no arguments"


def _with_operation(config: type[Config], field: str, tree: Tree, problems: list[Diagnostic]) -> MappingNode | None:
    """Normalize ``{RandomFlip: {…}, on: [image]}`` or a bare name to ``{layer: {RandomFlip: {…}}, on: [image]}``."""
    name = Scalar(field, tree.span)
    if not isinstance(tree, MappingNode):
        return MappingNode([(name, tree)], tree.span, tree.place)
    family = next(mark for mark in config.model_fields[field].metadata if isinstance(mark, Named)).family
    beside = [(key, value) for key, value in tree.items() if key.value in config.model_fields and key.value != field]
    others = [(key, value) for key, value in tree.items() if (key, value) not in beside]
    named = [entry for entry in others if entry[0].value in family or _is_resolved(*entry)] or others[:1]
    for key, value in others:
        if (key, value) not in named:
            problems.append(_unknown_argument(config, key, value, family.kind))
    if len(named) != 1:
        words = " and ".join(f"`{key.value}`" for key, _ in named) or "none"
        reason = f"expected one {family.kind} and its other keys, not {words}"
        problems.append(p.WrongValue.at(tree.span, tree.path, reason=reason))
        return None
    return MappingNode([*beside, (name, MappingNode(named, tree.span, tree.place))], tree.span, tree.place)


def _meant(config: type[Config], word: str) -> str:
    """Return the argument that an unknown word probably means, or an empty string."""
    if word in config.foreign():
        found = re.search(r"`(\w+)`", config.foreign()[word])
        return found[1] if found and found[1] in config.model_fields else ""
    return closest(word.partition(":")[0], config.model_fields) or ""


_CALLED = re.compile(r"it is called `(\w+)`(?: here)?")


def _with_remedy(config: type[Config], key: Scalar, value: Tree, help: str, *, given: bool) -> str:
    """Return the help for another framework's argument, with a remedy if it only has another name here or has no effect."""
    if (named := _CALLED.fullmatch(help)) and named[1] in config.model_fields and not given:
        return Advice(help, Respell(old=str(key.value), new=named[1]))
    return without(key, value, help)


def _unknown_argument(config: type[Config], key: Scalar, value: Tree, name: str, *, given: bool = False) -> Diagnostic:
    path = str(value.place) if value.place else str(key.value)
    word = str(key.value)
    if of_others := config.unsupported.get(word) or config.foreign().get(word):
        help = _with_remedy(config, key, value, of_others, given=given)
    elif not (help := spaced(word, config.model_fields)):
        suggestion = closest(word, config.model_fields)
        takes = ", ".join(f"`{field}`" for field in config.model_fields)
        help = suggested(word, suggestion, config.model_fields) if suggestion else f"`{name}` takes {takes or 'no arguments'}"
        if suggestion and given:
            help = f"`{suggestion}` is already given: remove this, or move its value there"
    return p.UnknownKey.at(key.span, path, help=help, key=word, where=f"`{name}`")


# --- family members and nested objects --------------------------------------------------------------------------------


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
    """Return the function that converts a tree for an annotation; None if pydantic alone handles it."""
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
    takes_numbers = any(
        kind in (int, float) for _, annotation in branches for kind in (annotation, *typing.get_args(annotation)[:1])
    )

    def choose(tree: Tree, problems: list[Diagnostic]) -> Any:
        if isinstance(tree, MappingNode) and any(_is_item(tree, annotation, branches) for _, annotation in branches):
            help = f"write a list with one item: `[{flow(tree.plain())}]`"
            reason = "a mapping with other keys beside the name must be an item of a list here"
            problems.append(p.WrongValue.at(tree.span, tree.path, help=help, reason=reason))
            raise _Failed
        for resolve, origin, annotation in origins:
            if origin in (list, tuple):
                fits = isinstance(tree, SequenceNode)
            elif origin is dict:
                fits = isinstance(tree, MappingNode) and not _is_member(tree, branches)
            else:
                bare = isinstance(tree, Scalar) and isinstance(tree.value, str) and not _has_literal(branches, tree)
                bare = bare and not (takes_numbers and is_like_a_number(tree))
                main = isinstance(annotation, type) and issubclass(annotation, Config) and annotation.main_argument is not None
                fits = isinstance(tree, MappingNode | Resolved) or bare or (main and not _is_null(tree))
            if fits:
                return resolve(tree, problems)
        return tree.plain()

    return choose


def _is_item(tree: MappingNode, annotation: Any, branches: list[tuple[_Resolve | None, Any]]) -> bool:
    """Return whether a mapping is an item of a list of uses, such as a loss with its weight, that is valid in a list only."""
    [item, *_] = typing.get_args(annotation) or [None]
    if typing.get_origin(annotation) is not list or not (
        isinstance(item, type) and issubclass(item, Config) and item.operation
    ):
        return False
    if any(branch is item for _, branch in branches):
        return False
    families = [mark.family for mark in item.model_fields[item.operation].metadata if isinstance(mark, Named)]
    keys = {str(key.value) for key, _ in tree.items()}
    return bool(keys & item.model_fields.keys()) and any(key in family for key in keys for family in families)


def _is_resolved(key: Scalar, value: Tree) -> bool:
    """Return whether an entry is the use of a definition under its name."""
    return isinstance(value, Resolved) and value.name == key.value


def _is_null(tree: Tree) -> bool:
    return isinstance(tree, Scalar) and tree.value is None


def _has_literal(branches: list[tuple[_Resolve | None, Any]], tree: Scalar) -> bool:
    """Return whether the union accepts exactly this word."""
    literals = [a for _, a in branches if typing.get_origin(a) is typing.Literal]
    return any(tree.value in typing.get_args(literal) for literal in literals)


def _is_member(tree: MappingNode, branches: list[tuple[_Resolve | None, Any]]) -> bool:
    """Return whether a mapping names (or misspells) one family member in a union that also accepts a mapping."""
    marks = [mark for _, a in branches if typing.get_origin(a) is Annotated for mark in typing.get_args(a)[1:]]
    with_keys = [a for _, a in branches if isinstance(a, type) and issubclass(a, Config) and a.operation is not None]
    marks += [mark for a in with_keys for mark in a.model_fields[a.operation or ""].metadata]
    beside = {field for a in with_keys for field in a.model_fields}
    families = [mark.family for mark in marks if isinstance(mark, Named)]
    entries = [(key, value) for key, value in tree.items() if len(tree) == 1 or key.value not in beside]
    if len(entries) != 1:
        return False
    [(key, value)] = entries
    word = str(key.value)
    if _is_resolved(key, value) or any(word in family for family in families):
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
    keys = [key.value for key, _ in tree.items()]
    try:
        values = _all([lambda value=value: inner(value, problems) for _, value in tree.items()])  # type: ignore[misc]
    except _Failed as failure:
        raise _Failed(failure.partial and dict(zip(keys, failure.partial, strict=True))) from None
    return dict(zip(keys, values, strict=True))


def _all(thunks: list[Callable[[], Any]]) -> list[Any]:
    """Evaluate all thunks, so that every error is reported before the first one is raised."""
    values, failed = [], False
    for thunk in thunks:
        try:
            values.append(thunk())
        except _Failed as failure:
            failed = True
            values.append(failure.partial)
    if failed:
        raise _Failed(None if any(value is None for value in values) else values)
    return values


def _nested(config: type[Config], tree: Tree, problems: list[Diagnostic]) -> Config:
    if isinstance(tree, Unknown):
        raise _Failed
    known = check_known(config, tree, problems, name="" if config.operation or not tree.place else _place_name(tree.place))
    if known.value is None or not known.is_right:
        raise _Failed(known.value)
    return known.value


def _place_name(place: Place) -> str:
    """Return the name of a value in messages: its key, or the path of a list item."""
    return str(place.key) if isinstance(place.key, str) else str(place)


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
            reason = f"expected one {family.kind} as {{Name: {{arguments}}}}, not {len(entries)} keys"
            problems.append(p.WrongValue.at(tree.span, tree.path, reason=reason))
            raise _Failed
        key, arguments = entries[0]
    if isinstance(found := tree if arguments is None else arguments, Resolved):
        return typing.cast("Config", found.value)
    if not isinstance(key, Scalar) or not isinstance(key.value, str):
        reason = f"expected a {family.kind} name or {{Name: {{arguments}}}}, not {tree.kind}"
        problems.append(p.WrongValue.at(tree.span, tree.path, reason=reason))
        raise _Failed
    if key.value not in family:
        problems.append(unknown_member(family, key, tree.path))
        raise _Failed
    try:
        config = family.get(key.value)
    except PluginError as error:
        problems.append(broken_plugin(error, family, key, tree.path))
        raise _Failed from error
    built = check(config, arguments, problems, name=key.value, span=key.span)
    if built is None:
        raise _Failed
    return built


def broken_plugin(error: PluginError, family: Family, key: Scalar, path: str) -> Diagnostic:
    """Return the diagnostic for a plug-in that cannot be used."""
    help = "install a version of the package that supports this nnspec, or remove it"
    help += "; `nnspec layers` lists plug-ins" if family.kind == "layer" else ""
    return p.BrokenPlugin.at(key.span, path, help=help, kind=family.kind, name=key.value, reason=str(error))


def replacement_word(family: Family, word: str) -> str | None:
    """Return the replacement for another framework's word, or None."""
    return family.replacements.get(word.lower().replace("_", ""))


def intended_member(family: Family, word: str) -> str | None:
    """Return the family member that an unknown name probably means: by alias or by similar spelling."""
    if replacement_word(family, word) is not None:
        return None
    return dict(family.aliases).get(word) or closest(word, family.names(plugins=True))


def unknown_member(family: Family, key: Scalar, path: str) -> Diagnostic:
    """Return the diagnostic for an unknown member, with a suggestion."""
    word = str(key.value)
    return p.UnknownMember.at(key.span, path, help=member_help(family, word), kind=family.kind, name=word)


def member_help(family: Family, word: str) -> str:
    """Return what to write instead of an unknown name; empty if nothing is known."""
    aliases = dict(family.aliases)
    suggestion = intended_member(family, word)
    if word in family.unsupported:
        return family.unsupported[word]
    if (other := replacement_word(family, word)) is not None:
        return other
    if word in aliases:
        is_same = word not in family.inexact
        return Advice(f"use `{aliases[word]}` instead", Respell(old=word, new=aliases[word]) if is_same else None)
    if suggestion:
        return suggested(word, suggestion, family.names(plugins=True))
    return f"use one of {', '.join(family.names())}" if len(family.names()) < 60 else ""
