"""Declared inputs of a network: shapes of known, symbolic or unknown sizes, and dtypes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeGuard

from nnspec.diagnostics import Advice, Diagnostic, Span
from nnspec.diagnostics.remedies import Respell
from nnspec.spec import problems as p
from nnspec.spec.keys import known_keys
from nnspec.spec.readings import rewritten, suggest_literal
from nnspec.spec.tree import MappingNode, Scalar, SequenceNode, Tree, Unknown
from nnspec.types import DTYPES, Dim, TensorType, did_you_mean, renamed, symbol, unknown

SYMBOL = re.compile(r"[A-Z][A-Za-z0-9_]*")
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_LARGEST = 2**31 - 1
HIGHEST_RANK = 8


@dataclass(frozen=True)
class Input:
    """A declared input.

    Attributes:
        name: Name of the input.
        type: Shape and dtype.
        span: Location of the declaration.
        path: Path of the declaration.
    """

    name: str
    type: TensorType
    span: Span
    path: str


_MEANT = {"int": "int32", "integer": "int32", "long": "int64", "float": "float32", "double": "float64", "half": "float16"}
"""Dtypes by their names in other languages."""


def read_inputs(tree: Tree | None, problems: list[Diagnostic]) -> dict[str, Input | None]:
    """Read the inputs of a network by name; the value is None for an invalid declaration."""
    if tree is None or isinstance(tree, Unknown):
        return {}
    if not isinstance(tree, MappingNode):
        help = "write `inputs: {image: [28, 28, 1]}`"
        problems.append(p.NotAMapping.at(tree.span, tree.path, help=help, what="`inputs`", got=tree.kind))
        return {}
    inputs: dict[str, Input | None] = {}
    for key, value in tree.items():
        name = str(key.value)
        if not NAME.fullmatch(name):
            problems.append(p.BadName.at(key.span, value.path, name=name, what="an input", pattern=NAME.pattern))
        inputs[name] = declared(key, value, problems)
    return inputs


def declared(key: Scalar, value: Tree, problems: list[Diagnostic]) -> Input | None:
    """Read the declaration of one input; reports and returns None if it is invalid."""
    found = _read_type(value, problems)
    return Input(str(key.value), found, key.span, value.path) if found else None


def _read_type(tree: Tree, problems: list[Diagnostic]) -> TensorType | None:
    if not isinstance(tree, MappingNode):
        shape = _read_shape(tree, problems)
        return None if shape is None else TensorType(shape)
    tree = known_keys(tree, ("shape", "dtype"), "an input", problems)
    dtype = tree.get("dtype")
    known = not isinstance(dtype, Unknown)
    if known and dtype is not None and (not isinstance(dtype, Scalar) or dtype.value not in DTYPES):
        word = str(dtype.plain())
        meant = _MEANT.get(word)
        help = renamed(word, meant) if meant else did_you_mean(word, DTYPES, f"use one of {', '.join(DTYPES)}")
        problems.append(p.WrongValue.at(dtype.span, dtype.path, help=help, reason=f"{dtype.kind} is not a dtype"))
        known = False
    given = tree.get("shape")
    if given is None:
        problems.append(p.MissingKey.at(tree.span, tree.path, help="write `shape: [28, 28, 1]`", where="an input", key="shape"))
        return None
    shape = _read_shape(given, problems)
    return TensorType(shape, str(dtype.plain()) if dtype else "float32") if known and shape is not None else None


def _read_shape(tree: Tree, problems: list[Diagnostic]) -> tuple[int | Dim, ...] | None:
    if isinstance(tree, Unknown):
        return None
    if not isinstance(tree, SequenceNode):
        help = "write `[28, 28, 1]`"
        if isinstance(tree, Scalar) and isinstance(tree.value, int):
            help = Advice(f"write `[{tree.plain()}]`", rewritten(tree, f"[{tree.plain()}]"))
        problems.append(
            p.BadShape.at(tree.span, tree.path, help=help, reason=f"a shape must be a list of sizes, not {tree.kind}")
        )
        return None
    if len(tree.items) > HIGHEST_RANK:
        reason = f"the shape has {len(tree.items)} axes; the maximum is {HIGHEST_RANK}"
        problems.append(p.BadShape.at(tree.span, tree.path, reason=reason))
        return None
    sizes = [_read_size(item, problems) for item in tree.items]
    return None if any(size is None for size in sizes) else tuple(size for size in sizes if size is not None)


def _is_size(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _LARGEST


def _read_size(item: Tree, problems: list[Diagnostic]) -> int | Dim | None:
    if isinstance(item, Unknown):
        return None
    if isinstance(item, Scalar):
        value = item.value
        if value is None:
            return unknown()
        if _is_size(value):
            return value
        if isinstance(value, str) and SYMBOL.fullmatch(value):
            return symbol(value)
    help = "a size is a positive integer, a symbol such as `T`, or null"
    if isinstance(item, Scalar) and isinstance(item.value, str) and SYMBOL.fullmatch(item.value.capitalize()):
        meant = item.value[:1].upper() + item.value[1:]
        help = Advice(f"a symbol starts with a capital letter: `{meant}`", Respell(old=item.value, new=meant))
    elif isinstance(item, Scalar) and item.value == -1:
        help = "write a symbol such as `T`, or null, for a size known only at run time; the batch axis is implicit"
    else:
        help = suggest_literal(item, _is_size) or help
    problems.append(p.BadShape.at(item.span, item.path, help=help, reason=f"{item.kind} is not a size"))
    return None
