"""Formatting of a document in canonical form."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from nnspec.diagnostics import Diagnostic, NnspecError, SpecError
from nnspec.extras import require
from nnspec.formatting.order import misplaced, moved
from nnspec.spec.comments import comments
from nnspec.spec.limits import Limits
from nnspec.spec.reader import read_file, read_text
from nnspec.spec.tree import Tree

_MOST_PASSES = 12
"""Maximum number of passes; each opens one level of a long flow collection."""


def formatted(file: Path, limits: Limits | None = None) -> tuple[str, str]:
    """Return the original text and the canonical text, which has the same values and comments; formatting is idempotent.

    Args:
        file: Document to format.
        limits: Resource limits.

    Raises:
        SpecError: If the document cannot be read.
        NnspecError: If formatting would lose a value or a comment, or if ruamel.yaml is not installed.
    """
    require("fmt")
    problems: list[Diagnostic] = []
    tree = read_file(file, problems, limits)
    if problems:
        raise SpecError(problems)
    if tree is None:
        raise NnspecError(f"{file} not formatted: the file is empty")
    text = file.read_bytes().decode("utf-8-sig")
    return text, _canonical(text, tree, str(file), limits)


def formatted_text(text: str, name: str, limits: Limits | None = None) -> str:
    """Return the canonical form of a text; see [`formatted`][].

    Args:
        text: Document to format.
        name: Its name in errors.
        limits: Resource limits.

    Example:
        >>> formatted_text("name: net\\nnnspec:   1\\n", "net.nnspec.yaml")
        'nnspec: 1\\nname: net\\n'
    """
    require("fmt")
    problems: list[Diagnostic] = []
    tree = read_text(text, name, problems, limits)
    if problems:
        raise SpecError(problems)
    return text if tree is None else _canonical(text, tree, name, limits)


def _canonical(text: str, before: Tree, name: str, limits: Limits | None) -> str:
    now, tree = "\n".join(text.splitlines()) + "\n", before
    for _ in range(_MOST_PASSES):
        last, now = now, _restyled(_ordered(now, tree, name, limits), name)
        if now == last:
            break
        tree = _read(now, name, limits)
    else:
        raise NnspecError(f"{name} not formatted: the result does not converge")
    if now == text:
        return now
    if not _same(before, tree):
        raise NnspecError(f"{name} not formatted: formatting would change a value")
    _check_comments(text, now, name)
    return now


def _same(a: Tree, b: Tree) -> bool:
    """Return whether values and their types are equal, regardless of key order."""
    return _frozen(a.plain()) == _frozen(b.plain())


def _frozen(value: object) -> object:
    if isinstance(value, dict):
        return frozenset((repr(key), _frozen(item)) for key, item in value.items())
    if isinstance(value, list):
        return tuple(_frozen(item) for item in value)
    return repr(value)  # distinguishes 1, 1.0 and true; NaN equals itself


def _read(text: str, name: str, limits: Limits | None) -> Tree:
    problems: list[Diagnostic] = []
    tree = read_text(text, name, problems, limits)
    if tree is None or problems:
        raise NnspecError(f"{name} not formatted: the result could not be read again")
    return tree


def _ordered(text: str, tree: Tree, name: str, limits: Limits | None) -> str:
    """Move the lines of independent mappings and read again until nothing moves."""
    while True:
        lines = text.splitlines(keepends=True)
        made: list[str] = []
        place = 0
        for found, wanted in sorted(misplaced(tree), key=lambda ranked: ranked[0].span.line):
            if found.span.line > place and (move := moved(lines, found, wanted)) is not None:
                first, end, after = move
                if after != lines[first:end]:
                    made += [*lines[place:first], *after]
                    place = end
        if not place:
            return text
        text = "".join([*made, *lines[place:]])
        tree = _read(text, name, limits)


def _restyled(text: str, name: str) -> str:
    from nnspec.formatting.style import restyled

    try:
        return restyled(text)
    except Exception as error:  # ruamel.yaml raises many types on unusual but valid YAML, even RecursionError
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise NnspecError(f"{name} not formatted: ruamel.yaml cannot rewrite it: {reason}") from error


def _check_comments(before: str, after: str, name: str) -> None:
    lost = Counter(text for *_, text in comments(before)) - Counter(text for *_, text in comments(after))
    for line, _, text in comments(before):
        if text in lost:
            help = "move the comment to its own line, outside of brackets"
            raise NnspecError(f"{name}:{line} not formatted: the comment `{text}` would be lost\n  = help: {help}")
