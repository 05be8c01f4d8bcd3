"""Canonical order of keys, by moving whole lines so that comments stay with their keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from nnspec.spec.checks import CHECK_KEYS
from nnspec.spec.document import KEYS
from nnspec.spec.draft import STEP_KEYS
from nnspec.spec.params import KEYS as KEYS_OF_PARAM
from nnspec.spec.params import is_declaration
from nnspec.spec.tree import MappingNode, Scalar, SequenceNode, Tree

_PART_KEYS = ("description", "params", "check", "inputs", "layers", "outputs")
_NESTED = ("layers", "shortcut", "branches")

Ranked = tuple[MappingNode, list[Scalar]]
"""A mapping and its keys in canonical order."""


def misplaced(tree: Tree) -> Iterator[Ranked]:
    """Yield the mappings whose keys are out of order: of the document, a block, a network, a step or a param."""
    if isinstance(tree, MappingNode):
        yield from _document(tree)


def _document(tree: MappingNode) -> Iterator[Ranked]:
    yield from _sorted(tree, _by(KEYS))
    yield from _params(tree.get("params"))
    yield from _checks(tree.get("check"))
    for group in ("blocks", "networks"):
        parts = tree.get(group)
        for _, part in parts.items() if isinstance(parts, MappingNode) else ():
            if isinstance(part, MappingNode):
                yield from _sorted(part, _by(_PART_KEYS))
                yield from _params(part.get("params"))
                yield from _checks(part.get("check"))
                yield from _steps(part.get("layers"))
    yield from _steps(tree.get("layers"))


def _params(tree: Tree | None) -> Iterator[Ranked]:
    for _, value in tree.items() if isinstance(tree, MappingNode) else ():
        if isinstance(value, MappingNode) and is_declaration(value):
            yield from _sorted(value, _by(KEYS_OF_PARAM))


def _checks(tree: Tree | None) -> Iterator[Ranked]:
    for item in tree.items if isinstance(tree, SequenceNode) else ():
        if isinstance(item, MappingNode):
            yield from _sorted(item, _by(CHECK_KEYS))


def _steps(tree: Tree | None) -> Iterator[Ranked]:
    """Handle steps in a list, a list of lists (branches) or a mapping of lists (named branches)."""
    if isinstance(tree, MappingNode):
        for _, branch in tree.items():
            yield from _steps(branch)
    for item in tree.items if isinstance(tree, SequenceNode) else ():
        if isinstance(item, SequenceNode):
            yield from _steps(item)
        elif isinstance(item, MappingNode):
            yield from _sorted(item, _step_rank)
            yield from _steps(item.get("layers"))
            for key, arguments in item.items():
                if key.value not in STEP_KEYS and isinstance(arguments, MappingNode):
                    for name in _NESTED:
                        yield from _steps(arguments.get(name))


def _sorted(tree: MappingNode, rank: Callable[[object], int]) -> Iterator[Ranked]:
    keys = [key for key, _ in tree.items()]
    wanted = sorted(keys, key=lambda key: rank(key.value))
    if wanted != keys:
        yield tree, wanted


def _by(order: Sequence[str]) -> Callable[[object], int]:
    return lambda key: order.index(key) if isinstance(key, str) and key in order else len(order)


def _step_rank(key: object) -> int:
    return STEP_KEYS.index(key) if isinstance(key, str) and key in STEP_KEYS else -1


def moved(lines: list[str], tree: MappingNode, wanted: Sequence[Scalar]) -> tuple[int, int, list[str]] | None:
    """Return a mapping's line range and its lines in the new key order.

    A key moves with its value and the comments directly above it; text above the first key stays first. Returns None for a
    flow mapping, which is not reordered.

    Args:
        lines: Lines of the document, with line ends.
        tree: Mapping in it.
        wanted: Keys in the new order.
    """
    keys = sorted((key for key, _ in tree.items()), key=lambda key: key.span.line)
    column = keys[0].span.column - 1
    if len({key.span.line for key in keys}) < len(keys) or any(key.span.column - 1 != column for key in keys):
        return None
    first = keys[0].span.line - 1
    prefix = lines[first][:column]
    if prefix.strip(" -"):
        return None
    begins = [first, *(_above(lines, key.span.line - 1, first) for key in keys[1:])]
    end = _end(lines, max(value.span.end_line for _, value in tree.items()), column)
    chunks = {}
    for key, begin, stop in zip(keys, begins, [*begins[1:], end], strict=True):
        chunk = [line if line.endswith("\n") else line + "\n" for line in lines[begin:stop]]
        if begin == first:
            chunk[0] = " " * column + chunk[0][column:]
        chunks[key.value] = chunk
    if prefix.strip():  # move the dash to the new first key
        chunk = chunks[wanted[0].value]
        at = next(i for i, line in enumerate(chunk) if line.strip() and not line.lstrip().startswith("#"))
        chunk[at] = prefix + chunk[at][column:]
    return first, end, [line for key in wanted for line in chunks[key.value]]


def _above(lines: list[str], line: int, first: int) -> int:
    """Return the start of the comments directly above a line."""
    while line - 1 > first and lines[line - 1].lstrip().startswith("#"):
        line -= 1
    return line


def _end(lines: list[str], line: int, column: int) -> int:
    """Return the end of a mapping, including deeper lines and comments of its own indentation without a blank line after."""
    while line < len(lines) and lines[line].strip() and len(lines[line]) - len(lines[line].lstrip()) > column:
        line += 1
    return line
