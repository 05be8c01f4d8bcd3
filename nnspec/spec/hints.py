"""What to write instead of a slip that can stand in arguments of any kind."""

from __future__ import annotations

from collections.abc import Iterable

from nnspec.spec.tree import Scalar, Tree
from nnspec.types import closest

__all__ = ["spaced", "unquoted", "yes_or_no"]


def spaced(word: str, names: Iterable[str]) -> str:
    """What to write for ``units:64``, a key without a space after its colon; empty where it is not one.

    >>> spaced("unit:64", ["units", "use_bias"])
    'a space is missing after the colon: write `units: 64`'
    """
    glued, colon, value = word.partition(":")
    meant = closest(glued, names) if colon else None
    return f"a space is missing after the colon: write `{meant}: {value}`" if meant else ""


def unquoted(tree: Tree) -> str:
    """What to write for a number in quotes; empty where it is none."""
    text = isinstance(tree, Scalar) and tree.quoted and isinstance(tree.value, str)
    return "write it without quotes" if text and str(tree.plain()).strip("-+").replace(".", "", 1).isdigit() else ""


def yes_or_no(tree: Tree) -> str:
    """What to write for `yes`, `no`, `on` and `off`, which YAML 1.2 reads as text; empty where it is none of them."""
    if not isinstance(tree, Scalar) or tree.value not in ("no", "yes", "on", "off"):
        return ""
    return f"write `{'true' if tree.value in ('yes', 'on') else 'false'}`: in YAML 1.2 `{tree.value}` is text"
