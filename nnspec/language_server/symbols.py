"""The outline of a document: its sections, definitions and steps."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol.types import DocumentSymbol, SymbolKind

from nnspec.diagnostics import Span
from nnspec.language_server.document import Analysis, Version
from nnspec.language_server.hints import shapes_text
from nnspec.language_server.places import Keys, children, is_list_of_steps, operation_of, text_of
from nnspec.spec.tree import MappingNode, Scalar, Tree

_KINDS = {
    "params": SymbolKind.Constant,
    "blocks": SymbolKind.Class,
    "networks": SymbolKind.Module,
    "objectives": SymbolKind.Module,
    "inputs": SymbolKind.Variable,
    "layers": SymbolKind.Function,
}
"""Kinds of what a section defines."""

_DEFINITIONS = ("blocks", "networks", "objectives")


def document_symbols(version: Version, analysis: Analysis | None) -> list[DocumentSymbol]:
    """Return the outline of a version.

    Args:
        version: The version.
        analysis: The analysis of the document, for default names of steps and shapes; None before the first.
    """
    return list(_symbols(version.tree, (), version, analysis))


def _symbols(tree: Tree | None, keys: Keys, version: Version, analysis: Analysis | None) -> Iterator[DocumentSymbol]:
    for key, name, value in children(tree):
        within = (*keys, key)
        if is_list_of_steps(keys):
            yield _step(value, within, version, analysis)
        elif name is not None and _is_shown(keys):
            kind = _KINDS.get(str(keys[-1]), SymbolKind.Property) if keys else SymbolKind.Namespace
            inner = list(_symbols(value, within, version, analysis))
            detail = str(value.plain()) if isinstance(value, Scalar) and value.value is not None else ""
            yield _symbol(str(key), detail, kind, name, value, inner, version)


def _is_shown(keys: Keys) -> bool:
    """Return whether the keys of a mapping are in the outline."""
    return len(keys) < 2 or (keys[0] in _DEFINITIONS and len(keys) < 4)


def _step(item: Tree, keys: Keys, version: Version, analysis: Analysis | None) -> DocumentSymbol:
    operation = operation_of(item) or item
    named = item.get("name") if isinstance(item, MappingNode) else None
    path = text_of(keys) if analysis is not None else ""
    built = analysis.steps.get(path, []) if analysis is not None else []
    defaults = analysis.names.get(path, []) if analysis is not None and named is None else []
    word = str(operation.plain()) if isinstance(operation, Scalar) else "layers"
    name = str(named.plain()) if named is not None else defaults[0] if defaults else word
    shown = shapes_text([step for _, step in built])
    inner = [symbol for steps, inside in _lists(item, keys) for symbol in _symbols(inside, steps, version, analysis)]
    return _symbol(name, f"{word} {shown}".strip(), SymbolKind.Function, operation, item, inner, version)


def _lists(tree: Tree, keys: Keys) -> Iterator[tuple[Keys, Tree]]:
    """Yield the lists of steps inside a step."""
    for key, _, value in children(tree):
        within = (*keys, key)
        if is_list_of_steps(within):
            yield within, value
        elif not isinstance(value, Scalar):
            yield from _lists(value, within)


def _symbol(
    name: str, detail: str, kind: SymbolKind, at: Tree, value: Tree, inner: list[DocumentSymbol], version: Version
) -> DocumentSymbol:
    text = version.text
    whole = _around(at.span, value.span)
    return DocumentSymbol(name or "?", kind, text.range(whole), text.range(at.span), detail or None, children=inner or None)


def _around(first: Span, second: Span) -> Span:
    if second.file != first.file or (second.line, second.column) < (1, 1):
        return first
    start = min((first.line, first.column), (second.line, second.column))
    end = max((first.end_line, first.end_column), (second.end_line, second.end_column))
    return Span(first.file, *start, *end)
