"""Replacement of steps of a document by path; everything else is unchanged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nnspec.spec.draft import STEP_KEYS
from nnspec.spec.overrides import keys_of


@dataclass(frozen=True)
class Swap:
    """A replacement for a step.

    Attributes:
        path: Path of the step, ``layers[3]``.
        name: Name of the step, explicit or default.
        op: New operation; None removes the step.
        arguments: Arguments of the new operation.
        renamed: New names of existing arguments; an argument that keeps its name is unchanged.
    """

    path: str
    name: str
    op: str | None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)


class Rewriting:
    """Rewrites a document of plain values in place.

    Args:
        document: Document, which is modified.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self._gone: list[tuple[list[Any], Any]] = []

    def swap(self, swap: Swap) -> bool:
        """Replace a step; returns whether a step exists that can be replaced."""
        found = self._step(swap.path)
        if found is None:
            return False
        steps, number = found
        written = steps[number] if isinstance(steps[number], dict) else {steps[number]: None}
        if "share" in written:
            return True  # it follows the shared layer
        op = next((key for key in written if key not in STEP_KEYS), None)
        if op is None:
            return False
        keys = {key: value for key, value in written.items() if key != op}
        if swap.op is None:
            self._take_away(steps, number, swap.name, keys)
            return True
        if not isinstance(written[op] or {}, dict):
            return False
        given = {swap.renamed.get(key, key): value for key, value in (written[op] or {}).items()}
        first = {key: value for key, value in given.items() if key in swap.renamed.values()}
        rest = {key: value for key, value in given.items() if key in swap.arguments and key not in first}
        made = {key: value for key, value in swap.arguments.items() if key not in {*first, *rest}}
        steps[number] = {swap.op: {**first, **made, **rest}, "name": swap.name, **keys}
        return True

    def finish(self) -> dict[str, Any]:
        """Return the document without the removed steps."""
        for steps, step in self._gone:
            place = next(i for i, other in enumerate(steps) if other is step)
            source = step.get("from")
            after = place + 1
            if source is not None and after < len(steps):
                following = steps[after] if isinstance(steps[after], dict) else {steps[after]: None}
                steps[after] = following if "from" in following else {**following, "from": source}
            del steps[place]
        return self.document

    def without_starts(self) -> None:
        """Remove the initial weights (``weights``) of the document and its steps."""
        self.document.pop("weights", None)
        for steps in _lists(self.document):
            for step in steps:
                if isinstance(step, dict):
                    step.pop("weights", None)

    def _take_away(self, steps: list[Any], number: int, name: str, keys: dict[str, Any]) -> None:
        last = number == len(steps) - 1
        if last or set(keys) - {"from", "name"} or self._is_named(name, steps[number]):
            steps[number] = {"Identity": None, "name": name, **keys}
            return
        # Identified by identity, since other steps may be equal.
        steps[number] = {"Identity": None, **keys}
        self._gone.append((steps, steps[number]))

    def _is_named(self, name: str, itself: Any) -> bool:
        """Return whether something in the document refers to a step of this name."""

        def names(value: Any) -> Iterator[str]:
            if isinstance(value, str):
                yield value.partition(".")[0]
            elif isinstance(value, dict):
                for key, inner in value.items():
                    if not (value is itself and key == "name"):
                        yield from names(inner)
            elif isinstance(value, list):
                for inner in value:
                    yield from names(inner)

        return name in names(self.document)

    def _step(self, path: str) -> tuple[list[Any], int] | None:
        """Return the list that contains a step, and its index."""
        keys = keys_of(path)
        if not keys or not isinstance(keys[-1], int):
            return None
        at: Any = self.document
        for key in keys[:-1]:
            try:
                at = at[key]
            except (KeyError, IndexError, TypeError):
                return None
        return (at, keys[-1]) if isinstance(at, list) and keys[-1] < len(at) else None


def _lists(value: Any) -> Iterator[list[Any]]:
    """Yield every list of steps in a document."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("layers", "shortcut") and isinstance(inner, list):
                yield inner
            if key == "branches" and isinstance(inner, dict | list):
                branches = inner.values() if isinstance(inner, dict) else inner
                yield from (branch for branch in branches if isinstance(branch, list))
            yield from _lists(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _lists(inner)
