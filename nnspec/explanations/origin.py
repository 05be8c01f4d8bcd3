"""Origin of a value: where it is written, the params of its expression, and where those are set."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from nnspec.diagnostics import Span
from nnspec.spec.evaluate import names_read
from nnspec.spec.overrides import find
from nnspec.spec.tree import MappingNode, Place, Tree


@dataclass(frozen=True)
class Link:
    """One source of a value.

    Attributes:
        what: Description of the source.
        span: Location; None for a built-in default or the command line.
    """

    what: str
    span: Span | None = None


@dataclass(frozen=True)
class Use:
    """An enclosing step of a node: a block, a network or a repeated step.

    Attributes:
        name: Path in the graph, ``unit/0``.
        op: Operation of the step.
        span: Location of the step.
    """

    name: str
    op: str
    span: Span


@dataclass(frozen=True)
class Origin:
    """A value and its origin.

    Attributes:
        name: Full name of the value.
        value: Plain value.
        links: Sources of the value, from its location back to where it was first written.
        uses: Enclosing steps of its node, outermost first.
    """

    name: str
    value: Any
    links: tuple[Link, ...]
    uses: tuple[Use, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the JSON form for ``nnspec explain --format json``."""
        return {
            "name": self.name,
            "value": self.value,
            "origin": [{"what": link.what, **_place(link.span)} for link in self.links],
            "uses": [{"name": use.name, "op": use.op, **_place(use.span)} for use in self.uses],
        }

    def text(self) -> str:
        """Return the origin as text."""
        rows = [(str(link.span or ""), link.what) for link in self.links]
        rows += [(str(use.span), f"in `{use.name}`, a use of `{use.op}`") for use in reversed(self.uses)]
        width = max(len(place) for place, _ in rows)
        lines = [f"  {place.ljust(width)}  {what}" if width else f"  {what}" for place, what in rows]
        return "\n".join([f"{self.name} = {shown(self.value)}", *lines])


def _place(span: Span | None) -> dict[str, Any]:
    return {"file": span.file, "line": span.line, "column": span.column} if span else {}


def shown(value: Any) -> str:
    """Format a plain value as in a spec."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def links(tree: Tree, before: MappingNode | None = None) -> tuple[Link, ...]:
    """Return the sources of a document's value.

    Args:
        tree: Value with its expression evaluated.
        before: Document without ``--set``, to show what an override replaced.
    """
    return tuple(_links(tree, "", before, set()))


def _links(tree: Tree, role: str, before: MappingNode | None, seen: set[tuple[Span, str]]) -> Iterator[Link]:
    if (tree.span, role) in seen:
        return
    seen.add((tree.span, role))
    if tree.span.file.startswith("--set "):
        yield Link(f"{role}set by `{tree.span.file}`")
        old = find(before, tree.path) if before is not None else None
        if old is not None:
            yield Link(f"replaces {shown(old.plain())}", old.span)
    elif tree.formula is None:
        yield Link(f"{role}written here", tree.span)
    else:
        yield Link(f"{role}computed from `{tree.formula.text}`", tree.span)
    if tree.formula is not None:
        for name in sorted(names_read(tree.formula.text)):
            param = tree.formula.params.get(name)
            if param is not None:
                yield from _links(param, f"`{name}` = {shown(param.plain())}, {_role(name, param)}: ", before, seen)


def _role(name: str, tree: Tree) -> str:
    """Describe a name in an expression by its location in the document."""
    keys = _keys(tree.place)
    if keys[:1] == ["params"]:
        return "a param of the document"
    if len(keys) > 2 and keys[0] == "blocks" and keys[2] == "params":
        return f"the default of the block `{keys[1]}`"
    if keys[-1:] == ["as"]:
        return "the counter of a `repeat`"
    return f"given to `{keys[-2]}`" if len(keys) > 1 else f"the param `{name}`"


def _keys(place: Place | None) -> list[str | int]:
    keys: list[str | int] = []
    while place is not None:
        keys.append(place.key)
        place = place.parent
    return keys[::-1]
