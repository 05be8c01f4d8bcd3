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
from nnspec.spec.reader import Parsed
from nnspec.spec.scalars import resolve_plain
from nnspec.spec.tree import MappingNode, Scalar, SequenceNode, Tree

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
    spans = list(dict.fromkeys(use.span for use in names.uses(name)))
    edits = sorted((*version.text.offsets(span), new) for span in spans)
    assert version.tree is not None
    changed = _with_words(version.tree, [(span.line, span.column, span.end_column, new) for span in spans])
    text = applied(version.text.text, edits)
    after = Analysis.of(
        Version(version.path, version.number, Text(text), Parsed(text, changed, version.parsed.problems)), others
    )
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


Word = tuple[int, int, int, str]
"""The line and the columns of a word, and what is written in its place."""


def _with_words(tree: Tree, words: list[Word]) -> Tree:
    """Return a tree with words replaced. Parsing the text again would take longer than all of the rest."""
    first, last = tree.span.line, tree.span.end_line
    words = [word for word in words if first <= word[0] <= last]
    if not words:
        return tree
    match tree:
        case MappingNode():
            entries = [(_scalar(key, words), _with_words(value, words)) for key, value in tree.items()]
            return MappingNode(entries, tree.span, tree.place)
        case SequenceNode():
            return SequenceNode([_with_words(item, words) for item in tree.items], tree.span, tree.place)
        case Scalar():
            return _scalar(tree, words)
    return tree


def _scalar(scalar: Scalar, words: list[Word]) -> Scalar:
    span, text = scalar.span, scalar.text
    inside = [word for word in words if word[0] == span.line and span.column <= word[1] and word[2] <= span.end_column]
    if not inside or text is None or span.line != span.end_line:
        return scalar
    start = span.column + scalar.quoted
    changed = applied(text, [(first - start, last - start, new) for _, first, last, new in inside])
    value = changed if scalar.quoted else resolve_plain(changed)
    return Scalar(value, span, scalar.place, quoted=scalar.quoted, text=changed)


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
