"""Renaming of what a document defines, in every place that names it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping
from pathlib import Path

from nnspec.diagnostics import NnspecError
from nnspec.graph.model import Graph
from nnspec.language_server.document import Analysis, Version
from nnspec.language_server.names import Name, Names
from nnspec.language_server.positions import Text

__all__ = ["Edit", "refusal", "renamed"]

Edit = tuple[int, int, str]
"""The offsets of the start and the end of a part of a text, and what to write there."""


def refusal(name: Name, names: Names) -> str:
    """Return why a name cannot be changed; empty if it can."""
    if names.defined(name) is None:
        return f"`{name.text}` is not defined in this document"
    if any(each.is_implied for each in names.uses(name)):
        return f"`{name.text}` is the default name of a step, or computed: give the step a `name` first"
    return ""


def renamed(
    name: Name, new: str, names: Names, version: Version, analysis: Analysis, others: Mapping[Path, Version]
) -> list[Edit]:
    """Return the edits that give something another name.

    The document with the edits is checked: it must have the same graphs and the same problems, so that a name which is taken
    or invalid, or a place that would then mean something else, is found before it is written.

    Args:
        name: The name.
        new: The new name.
        names: The names of the document.
        version: The version of the document.
        analysis: Its analysis.
        others: The other open documents, by path.

    Raises:
        NnspecError: If the name cannot be changed to the new one.
    """
    if reason := refusal(name, names):
        raise NnspecError(reason)
    edits: list[Edit] = [(*version.text.offsets(use.span), new) for use in names.uses(name)]
    edits = sorted(dict.fromkeys(edits))
    text = applied(version.text.text, edits)
    after = Analysis.of(Version(version.path, version.number, Text(text)), others)
    old, found = (Counter((d.code, d.severity) for d in each.checked.diagnostics) for each in (analysis, after))
    if found != old:
        first = next((d for d in after.checked.diagnostics if (d.code, d.severity) in found - old), None)
        help = f"{first.message}{f'; {first.help}' if first.help else ''}" if first is not None else "its problems change"
        raise NnspecError(f"`{name.text}` cannot be renamed to `{new}`: {help}")
    if _structure(analysis) != _structure(after):
        raise NnspecError(f"`{name.text}` cannot be renamed to `{new}`: this name is used, and the network would change")
    return edits


def applied(text: str, edits: list[Edit]) -> str:
    """Apply edits to a text.

    Example:
        >>> applied("a + b", [(0, 1, "x"), (4, 5, "y")])
        'x + y'
    """
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _structure(analysis: Analysis) -> list[Hashable]:
    """Return the graphs of a document without their names: what each node is, and what it reads."""
    networks = analysis.model.networks.values() if analysis.model is not None else ()
    return [_structure_of(graph) for graph in networks]


def _structure_of(graph: Graph) -> Hashable:
    places = {name: place for place, name in enumerate([*graph.inputs, *graph.nodes])}
    nodes = [
        (node.op, tuple((places.get(ref.source), ref.output) for ref in node.inputs.values()), tuple(map(str, node.weights)))
        for node in graph.nodes.values()
    ]
    return tuple(nodes), tuple((places.get(ref.source), ref.output) for ref in graph.outputs.values())
