"""Locations of values in a spec, for problems that are found after parsing."""

from __future__ import annotations

from nnspec.diagnostics import Span
from nnspec.spec.tree import MappingNode, SequenceNode, Tree


def locate(tree: Tree, *keys: str | int) -> tuple[Span, str]:
    """Return the span and path of a value, or of its closest parent that is written."""
    for key in keys:
        inner: Tree | None = None
        if isinstance(tree, MappingNode):
            inner = next((value for name, value in tree.items() if name.value == key), None)
        elif isinstance(tree, SequenceNode) and isinstance(key, int) and key < len(tree.items):
            inner = tree.items[key]
        if inner is None:
            break
        tree = inner
    return tree.span, tree.path


def argument_of(member: Tree, argument: str | None) -> tuple[Span, str]:
    """Return the span and path of an argument in ``{Name: {arguments}}``, ``{Name: main_argument}`` or ``Name``.

    An argument ``a.file`` is that of a member under the name ``a``.
    """
    if isinstance(member, MappingNode) and len(member) == 1:
        [(_, member)] = member.items()
    name, _, own = (argument or "").partition(".")
    inner = member.get(name) if own and isinstance(member, MappingNode) else None
    if inner is not None:
        return argument_of(inner, own)
    return locate(member, *([name] if name else []))
