"""The names of a document: where each is defined and where it is used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from nnspec.diagnostics import Span
from nnspec.language_server.places import Keys, covers
from nnspec.spec.tree import Tree

__all__ = ["Kind", "Name", "Names"]

Kind = Literal["param", "counter", "step", "input", "output", "draw", "block", "network", "objective"]


@dataclass(frozen=True, eq=False)
class Name:
    """A definition or a use of a name.

    Attributes:
        kind: What it names.
        text: The name.
        span: Location of the name.
        keys: Path of the definition: of the param, the step, the input, the block.
        value: Value of the definition; for a step, the step.
        what: Description of what it names.
        is_definition: Whether it is defined here.
        is_implied: Whether the document does not contain the name, which is the default of a step.
        of: The definition, if it is a use.
        follows: The block or network that a step is named after by default.
    """

    kind: Kind
    text: str
    span: Span
    keys: Keys = ()
    value: Tree | None = None
    what: str = ""
    is_definition: bool = True
    is_implied: bool = False
    of: Name | None = None
    follows: Name | None = None


@dataclass(frozen=True, eq=False)
class Names:
    """All names of one version of a document.

    Attributes:
        all: Definitions and uses.
        scopes: The names that the steps of each list can read, by the path of the list: its own and those of the lists around.
        params: The params that expressions can read within a path: the document's, a block's, the counter of a repeated step.
    """

    all: tuple[Name, ...]
    scopes: dict[Keys, list[dict[str, Name]]]
    params: dict[Keys, dict[str, Name]]

    def at(self, line: int, column: int) -> Name | None:
        """Return the name at a line and column that count from 1, or at its end."""
        found = [name for name in self._by_line.get(line, ()) if covers(name.span, line, column)]
        return min(found, key=lambda name: (name.is_implied, name.span.end_column - name.span.column), default=None)

    @cached_property
    def _by_line(self) -> dict[int, list[Name]]:
        lines: dict[int, list[Name]] = {}
        for name in self.all:
            lines.setdefault(name.span.line, []).append(name)
        return lines

    def defined(self, name: Name) -> Name | None:
        """Return the definition of a name."""
        return name if name.is_definition else name.of

    def uses(self, name: Name) -> Iterator[Name]:
        """Yield a definition and all uses of a name, also those of steps that have it by default."""
        definition = self.defined(name)
        for other in self.all if definition is not None else ():
            if other is definition or other.of is definition or (other.of is not None and other.of.follows is definition):
                yield other

    def definition(self, kind: Kind, text: str) -> Name | None:
        """Return a block, a network, an objective or a param of the document."""
        return next((name for name in self.all if name.is_definition and name.kind == kind and name.text == text), None)

    def readable(self, keys: Keys, line: int) -> list[Name]:
        """Return the inputs and steps that a step may read, nearest last.

        Args:
            keys: Path of the list that the step is in.
            line: Line of the step; steps of its list below it are left out.
        """
        found: dict[str, Name] = {}
        for scope in reversed(self.scopes.get(keys, [])):
            found |= {text: name for text, name in scope.items() if name.span.line < line or name.kind == "input"}
        return sorted(found.values(), key=lambda name: name.span.line)

    def params_at(self, keys: Keys) -> dict[str, Name]:
        """Return the params and counters that an expression at a path can read."""
        found: dict[str, Name] = {}
        for count in range(len(keys) + 1):
            found |= self.params.get(keys[:count], {})
        return found
