"""A document that fails made as small as it still fails: steps, lists and keys are taken out one by one."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import yaml

__all__ = ["smallest"]

_KEPT = {"nnspec", "name", "inputs"}


def smallest(text: str, fails: Callable[[str], bool], tries: int = 200) -> str:
    """The smallest document found that fails in the same way.

    Args:
        text: A document that fails.
        fails: Whether another one fails in the same way; one that is refused does not.
        tries: How many are tried at most.
    """
    document, left = yaml.safe_load(text), tries
    going = True
    while going and left > 0:
        going = False
        for other in _smaller(document):
            left -= 1
            if left > 0 and fails(_text(other)):
                document, going = other, True
                break
    return _text(document)


def _text(document: Any) -> str:
    return str(yaml.safe_dump(document, sort_keys=False, default_flow_style=None, width=120))


def _smaller(document: Any) -> Iterator[Any]:
    """The document with one thing less: the largest things first."""
    places = sorted(_places(document, ()), key=len)
    for place in places:
        other = copy.deepcopy(document)
        around = other
        for key in place[:-1]:
            around = around[key]
        del around[place[-1]]
        yield other


def _places(value: Any, place: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    entries = value.items() if isinstance(value, dict) else reversed(list(enumerate(value))) if isinstance(value, list) else ()
    for key, inner in entries:
        if place or key not in _KEPT:
            yield (*place, key)
            yield from _places(inner, (*place, key))
