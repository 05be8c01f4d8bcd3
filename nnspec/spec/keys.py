"""Check of a mapping's keys, with correction of misspelled ones."""

from __future__ import annotations

from collections.abc import Sequence

from nnspec.diagnostics import Diagnostic
from nnspec.spec import problems as p
from nnspec.spec.tree import MappingNode, Scalar, Tree
from nnspec.types import closest, suggested


def known_keys(
    tree: MappingNode, known: Sequence[str], where: str, problems: list[Diagnostic], *, otherwise: str = ""
) -> MappingNode:
    """Return the mapping with only its known keys.

    A misspelled key is reported and treated as the intended one, so that it is not also reported as missing.

    Args:
        tree: Mapping to check.
        known: Known keys.
        where: Description of the mapping, for messages.
        problems: List to which problems are appended.
        otherwise: Help if no similar key is known; by default, the list of known keys.
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
        help = suggested(str(key.value), suggestion, known) if suggestion else otherwise or f"the keys of {where} are {listed}"
        if suggestion and meant is None:
            help = f"`{suggestion}` is already given: move this there, or remove it"
        problems.append(p.UnknownKey.at(key.span, value.path, help=help, key=key.value, where=where))
        if meant is not None:
            entries.append((Scalar(meant, key.span, key.place), value))
    return MappingNode(entries, tree.span, tree.place)
