"""``--set path=value``: values of a document replaced before it is read."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nnspec.diagnostics import Diagnostic, Span
from nnspec.spec import problems as p
from nnspec.spec.params import KEYS, is_declaration
from nnspec.spec.reader import read_text
from nnspec.spec.tree import MappingNode, Place, Scalar, SequenceNode, Tree

_PATH = re.compile(r"[^.\[\]]+(?:\[\d+\])*(?:\.[^.\[\]]+(?:\[\d+\])*)*")
_KEY = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


def keys_of(path: str) -> list[str | int] | None:
    """Parse a path as written in diagnostics; returns None if it is invalid.

    Example:
        >>> keys_of("layers[3].Conv2D.filters")
        ['layers', 3, 'Conv2D', 'filters']
    """
    if not _PATH.fullmatch(path):
        return None
    return [int(match[1]) if match[1] else match[2] for match in _KEY.finditer(path)]


def find(tree: Tree | None, path: str | Sequence[str | int]) -> Tree | None:
    """Return the value at a path in a tree, or None."""
    keys = keys_of(path) if isinstance(path, str) else path
    for key in keys or ():
        if isinstance(tree, SequenceNode) and isinstance(key, int):
            tree = tree.items[key] if key < len(tree.items) else None
        elif isinstance(tree, MappingNode):
            tree = next((value for name, value in tree.items() if str(name.value) == str(key)), None)
        else:
            return None
    return tree if keys is not None else None


def override(tree: MappingNode, settings: Sequence[str], problems: list[Diagnostic]) -> MappingNode:
    """Apply ``path=value`` overrides to a document, in order.

    Args:
        tree: Document.
        settings: Overrides; the path as written in diagnostics (``train.epochs``, ``layers[3].Dense.units``), the
            value as YAML.
        problems: List to which problems are appended.
    """
    for setting in settings:
        path, equals, text = setting.partition("=")
        span = Span(f"--set {setting}", 1, 1, 1, len(setting) + 1)
        keys = keys_of(path.strip())
        if not equals or keys is None:
            problems.append(
                p.BadOverride.at(span, help="write --set train.epochs=3", text=setting, reason="expected path=value")
            )
            continue
        # Columns count in the setting as it is written.
        written = text if "\n" in text else " " * (len(path) + 1) + text
        value = read_text(written, f"--set {setting}", problems) or Scalar(None, span)
        keys = _within_declaration(tree, keys, value)
        try:
            changed = _replaced(tree, keys, value, span)
            assert isinstance(changed, MappingNode)
            tree = changed
        except LookupError as error:
            problems.append(p.BadOverride.at(span, path.strip(), text=setting, reason=str(error.args[0])))
    return tree


def _within_declaration(tree: MappingNode, keys: list[str | int], value: Tree) -> list[str | int]:
    """Return the path with ``default`` in it if it names a declared param, whose declaration then checks the value."""
    depth = 2 if keys[0] == "params" else 4 if keys[0] == "blocks" and keys[2:3] == ["params"] else len(keys) + 1
    declared, rest = keys[:depth], keys[depth:]
    if len(keys) < depth or not is_declaration(find(tree, declared)):
        return keys
    is_whole = rest[0] in KEYS if rest else is_declaration(value)
    return keys if is_whole else [*declared, "default", *rest]


def _replaced(tree: Tree | None, keys: list[str | int], value: Tree, span: Span, place: Place | None = None) -> Tree:
    if not keys:
        return _placed(value, place)
    key, rest = keys[0], keys[1:]
    inner = Place(place, key)
    if isinstance(key, int):
        if not isinstance(tree, SequenceNode) or key >= len(tree.items):
            raise LookupError(f"`{inner}` does not exist")
        items = list(tree.items)
        items[key] = _replaced(items[key], rest, value, span, inner)
        return SequenceNode(items, tree.span, tree.place)
    if tree is None or (isinstance(tree, Scalar) and tree.value is None):
        tree = MappingNode([], span, place)
    if not isinstance(tree, MappingNode):
        raise LookupError(f"`{place}` is {tree.kind}, so it has no `{inner}`")
    entries = list(tree.items())
    for index, (name, old) in enumerate(entries):
        if str(name.value) == key:
            entries[index] = (name, _replaced(old, rest, value, span, inner))
            break
    else:
        entries.append((Scalar(key, span), _replaced(None, rest, value, span, inner)))
    return MappingNode(entries, tree.span, tree.place)


def _placed(tree: Tree, place: Place | None) -> Tree:
    """Return a tree that was read elsewhere with its place in the document."""
    match tree:
        case MappingNode():
            entries = [(key, _placed(value, Place(place, str(key.value)))) for key, value in tree.items()]
            return MappingNode(entries, tree.span, place)
        case SequenceNode():
            return SequenceNode([_placed(item, Place(place, i)) for i, item in enumerate(tree.items)], tree.span, place)
        case Scalar():
            return Scalar(tree.value, tree.span, place, quoted=tree.quoted, text=tree.text)
    return tree
