"""Steps of a document put in the place of others, by their paths; all else stays as it is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nnspec.spec.draft import STEP_KEYS
from nnspec.spec.overrides import keys_of

__all__ = ["Rewriting", "Swap"]


@dataclass(frozen=True)
class Swap:
    """What is to stand at the place of a step.

    Attributes:
        path: The step's path, ``layers[3]``.
        name: What the step is called, written or not.
        op: The operation; None: the step is taken away.
        arguments: The operation's arguments.
        renamed: Arguments that the step has and that are called otherwise there; one of the same name stays as it is written.
    """

    path: str
    name: str
    op: str | None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)


class Rewriting:
    """Rewrites a document of plain values.

    Args:
        document: The document; it is changed.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self._gone: list[tuple[list[Any], Any]] = []

    def swap(self, swap: Swap) -> bool:
        """Puts a step in the place of another; says whether there is one that can be."""
        found = self._step(swap.path)
        if found is None:
            return False
        steps, number = found
        written = steps[number] if isinstance(steps[number], dict) else {steps[number]: None}
        if "share" in written:
            return True  # it follows the layer that it shares
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
        """The document without the steps that were taken away."""
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
        """Takes away what the steps, and the document, say of the weights they start from."""
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
        # Told from others that say the same by what it is.
        steps[number] = {"Identity": None, **keys}
        self._gone.append((steps, steps[number]))

    def _is_named(self, name: str, itself: Any) -> bool:
        """Whether something in the document refers to a step of that name."""

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
        """The list and the number in it of a step."""
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
    """Every list of steps in a document."""
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
