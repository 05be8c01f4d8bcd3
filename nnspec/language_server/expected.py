"""What may be written at a place of a document, by the JSON Schema."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any

from nnspec.json_schema import schema
from nnspec.json_schema.alternatives import Alternatives
from nnspec.language_server.places import Keys
from nnspec.spec.tree import MappingNode, Tree
from nnspec.types import PluginError

__all__ = ["Expected", "Form", "allows", "is_member", "names_of"]

Form = dict[str, Any]
"""A schema of one type: without references and alternatives."""

_ANY: Form = {}


class Expected:
    """The JSON Schema of documents, and the part of it for a place."""

    def __init__(self) -> None:
        try:
            self._root = schema(plugins=True, snippets=False)
        except PluginError:  # a broken package takes away its own layers only
            self._root = schema(snippets=False)
        self._alternatives = Alternatives(self._root)

    def at(self, tree: Tree | None, keys: Keys) -> list[Form]:
        """Return the forms that a value may have.

        Args:
            tree: The document, which decides between the forms of the values around it; None if it is not known.
            keys: Path of the value.
        """
        forms = self.forms(self._root)
        for key in keys:
            known = names_of(tree) - {str(key)}
            forms = self._unique(inner for form in self.fitting(forms, known) for inner in self._inner(form, key, known))
            tree = _child(tree, key)
        return forms

    def fitting(self, forms: Iterable[Form], known: Collection[str]) -> list[Form]:
        """Return the forms that allow some keys; all of them if none does."""
        forms = list(forms)
        return [form for form in forms if all(self._property(form, key) is not None for key in known)] or forms

    def properties(self, form: Form) -> dict[str, Form]:
        """Return the schema of each named key of a mapping."""
        found: dict[str, Form] = form.get("properties", {})
        return found

    def forms(self, part: Form) -> list[Form]:
        """Return the alternatives of a schema, each with the annotations around it."""
        return self._alternatives.of(part)

    def example(self, part: Form) -> Any:
        """Return a value that a schema allows."""
        return self._alternatives.example(part)

    def _property(self, form: Form, key: str) -> Form | None:
        """Return the schema of a key's value in a mapping; None if the key is not allowed."""
        if form.get("type") not in ("object", ["object", "null"]):
            return None
        if key in form.get("properties", {}):
            found: Form = form["properties"][key]
            return found
        for pattern, inner in form.get("patternProperties", {}).items():
            if re.search(pattern, key):
                allowed: Form = inner
                return allowed
        rest = form.get("additionalProperties", True)
        return rest if isinstance(rest, dict) else _ANY if rest else None

    def _inner(self, form: Form, key: str | int, known: Collection[str]) -> list[Form]:
        if isinstance(key, str):
            part = self._property(form, key)
        elif form.get("type") not in ("array", ["array", "null"]):
            part = None
        else:
            listed = form.get("prefixItems", [])
            part = listed[key] if key < len(listed) else form.get("items", _ANY)
        return [] if part is None else self.forms(part)

    def _unique(self, forms: Iterable[Form]) -> list[Form]:
        found: dict[int, Form] = {}
        for form in forms:
            found.setdefault(id(form), form)
        return list(found.values())


def is_member(part: Form) -> bool:
    """Return whether the schema of a key is that of a member of a family, which other keys are beside."""
    return "/anyOf/1/properties/" in part.get("$ref", "")


def names_of(tree: Tree | None) -> set[str]:
    """Return the keys of a mapping; none for another value."""
    return {str(key.value) for key, _ in tree.items()} if isinstance(tree, MappingNode) else set()


def _child(tree: Tree | None, key: str | int) -> Tree | None:
    if isinstance(tree, MappingNode):
        return tree.get(str(key))
    items = getattr(tree, "items", ())
    return items[key] if isinstance(key, int) and isinstance(items, tuple) and key < len(items) else None


def allows(forms: list[Form], value: Any) -> bool:
    """Return whether one of some forms allows a value, as far as its type and its bounds tell.

    Example:
        >>> forms = [{"type": "integer", "exclusiveMinimum": 0}]
        >>> allows(forms, 3), allows(forms, 0), allows(forms, "relu")
        (True, False, False)
    """
    return any(_allows(form, value) for form in forms)


def _allows(form: Form, value: Any) -> bool:
    if "const" in form or "enum" in form:
        return any(
            value == each and isinstance(value, bool) == isinstance(each, bool)
            for each in form.get("enum", [form.get("const")])
        )
    kinds = form.get("type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    match value:
        case bool():
            return "boolean" in kinds
        case int() | float():
            is_number = "number" in kinds or ("integer" in kinds and isinstance(value, int))
            low, above = form.get("minimum", value), form.get("exclusiveMinimum", value - 1)
            high, below = form.get("maximum", value), form.get("exclusiveMaximum", value + 1)
            return bool(is_number and low <= value <= high and above < value < below)
        case str():
            return "string" in kinds and "pattern" not in form
        case None:
            return "null" in kinds
        case list():
            items = form.get("items")
            return "array" in kinds and all(not isinstance(items, dict) or _allows_any(items, item) for item in value)
    return False


def _allows_any(part: Form, value: Any) -> bool:
    """Return whether the items of a list, which may have alternatives, allow a value."""
    return any(_allows(form, value) for form in part.get("anyOf", [part]))
