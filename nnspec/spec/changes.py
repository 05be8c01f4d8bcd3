"""Differences between the values of two documents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_ABSENT = object()
_MOST_SHOWN = 60


def changed_values(before: Any, after: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the values that differ between two documents.

    Args:
        before: A document, or a part of one.
        after: The document to compare with.
        path: Path of the part.

    Yields:
        The path, as in diagnostics, and a text with the old and the new value.

    Example:
        >>> list(changed_values({"train": {"epochs": 3, "seed": 1}}, {"train": {"epochs": 5, "seed": 1}}))
        [('train.epochs', '3 → 5')]
        >>> list(changed_values({"layers": ["Flatten"]}, {"layers": ["Flatten", "ReLU"]}))
        [('layers[1]', 'added: ReLU')]
    """
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            inner = f"{path}.{key}" if path else str(key)
            yield from changed_values(before.get(key, _ABSENT), after.get(key, _ABSENT), inner)
    elif isinstance(before, list) and isinstance(after, list):
        for i in range(max(len(before), len(after))):
            old, new = (values[i] if i < len(values) else _ABSENT for values in (before, after))
            yield from changed_values(old, new, f"{path}[{i}]")
    elif before is _ABSENT:
        yield path, f"added: {_shown(after)}"
    elif after is _ABSENT:
        yield path, f"removed: {_shown(before)}"
    elif before != after or isinstance(before, bool) != isinstance(after, bool):
        yield path, f"{_shown(before)} → {_shown(after)}"


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"
