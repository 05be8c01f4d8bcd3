"""The names in the source of the package: identifiers, and whole string literals."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.architecture.imports import ROOT

__all__ = ["Use", "identifiers_of", "uses_of", "words_of"]


@dataclass(frozen=True)
class Use:
    """A name in the source.

    Attributes:
        file: The file, relative to the package.
        line: The line.
        text: The identifier, or the string.
        is_literal: Whether it is a string.
    """

    file: str
    line: int
    text: str
    is_literal: bool

    def __str__(self) -> str:
        return f"nnspec/{self.file}:{self.line}: {self.text!r}"


@cache
def uses_of(path: Path) -> tuple[Use, ...]:
    """The identifiers and the string literals of a file."""
    return tuple(_uses_of(path))


def _uses_of(path: Path) -> Iterator[Use]:
    file = path.relative_to(ROOT).as_posix()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield Use(file, node.lineno, node.value, True)
        for text in identifiers_of(node):
            yield Use(file, getattr(node, "lineno", 0), text, False)


def identifiers_of(node: ast.AST) -> Iterator[str]:
    """The identifiers of one node of a syntax tree.

    Example:
        >>> [name for node in ast.walk(ast.parse("def f(a, *, b=c.d): pass")) for name in identifiers_of(node)]
        ['f', 'a', 'b', 'd', 'c']
    """
    match node:
        case ast.Name(id=text) | ast.Attribute(attr=text) | ast.arg(arg=text):
            yield text
        case ast.FunctionDef(name=text) | ast.AsyncFunctionDef(name=text) | ast.ClassDef(name=text):
            yield text
        case ast.alias(name=text, asname=other):
            yield from (name for name in (text.rpartition(".")[2], other) if name)
        case ast.keyword(arg=str(text)):
            yield text


@cache
def words_of(identifier: str) -> str:
    """An identifier in snake case between underscores, so that whole words can be found in it.

    Example:
        >>> words_of("GanLearner"), words_of("is_GAN"), words_of("began")
        ('_gan_learner_', '_is_gan_', '_began_')
    """
    return f"_{re.sub(r'(?<=[a-z0-9])(?=[A-Z])', '_', identifier).lower().strip('_')}_"
