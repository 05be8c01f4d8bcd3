"""Keys held against those that are known, and misspelt ones read as what they stand for."""

from __future__ import annotations

from collections.abc import Sequence

from nnspec.diagnostics import Diagnostic
from nnspec.spec import problems as p
from nnspec.spec.tree import MappingNode, Scalar, Tree
from nnspec.types import closest

__all__ = ["known_keys"]


def known_keys(
    tree: MappingNode, known: Sequence[str], where: str, problems: list[Diagnostic], *, otherwise: str = ""
) -> MappingNode:
    """The mapping with its known keys alone.

    A key that is near a known one is said to be misspelt and read as that one, so that nothing else is said to be missing.

    Args:
        tree: The mapping.
        known: The keys that mean something here.
        where: What the mapping is, in words.
        problems: What is wrong is appended here.
        otherwise: The help where no known key is near; a list of them by default.
    """
    if all(key.value in known for key, _ in tree.items()):
        return tree
    entries: list[tuple[Scalar, Tree]] = []
    for key, value in tree.items():
        if key.value in known:
            entries.append((key, value))
            continue
        left = [name for name in known if name not in tree]
        meant = closest(str(key.value), left)
        suggestion = meant or closest(str(key.value), known)
        listed = ", ".join(f"`{name}`" for name in known)
        help = f"did you mean `{suggestion}`?" if suggestion else otherwise or f"{where} has {listed}"
        if suggestion and meant is None:
            help = f"`{suggestion}` is given already: move this there, or remove it"
        problems.append(p.UnknownKey.at(key.span, value.path, help=help, key=key.value, where=where))
        if meant is not None:
            entries.append((Scalar(meant, key.span, key.place), value))
    return MappingNode(entries, tree.span, tree.place)
