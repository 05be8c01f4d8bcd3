"""What may be written at a place of a document, by the JSON Schema."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from nnspec.json_schema import schema
from nnspec.language_server.places import Keys
from nnspec.spec.tree import MappingNode, Tree
from nnspec.types import PluginError

__all__ = ["Expected", "Form", "is_member", "names_of"]

Form = dict[str, Any]
"""A schema of one type: without references and alternatives."""

_ANY: Form = {}
_NOTES = ("description", "default", "examples")


class Expected:
    """The JSON Schema of documents, and the part of it for a place."""

    def __init__(self) -> None:
        try:
            self._root = schema(plugins=True)
        except PluginError:  # a broken package takes away its own layers only
            self._root = schema()
        self._forms: dict[int, list[Form]] = {}

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
        if id(part) not in self._forms:
            self._forms[id(part)] = list(self._alternatives(part, {}))
        return self._forms[id(part)]

    def _alternatives(self, part: Form, notes: Form) -> Iterator[Form]:
        notes = {key: part[key] for key in _NOTES if key in part} | notes
        if "$ref" in part:
            target: Any = self._root
            for key in part["$ref"].removeprefix("#/").split("/"):
                target = target[int(key) if isinstance(target, list) else key]
            yield from self._alternatives(target, notes)
        elif "anyOf" in part:
            for inner in part["anyOf"]:
                yield from self._alternatives(inner, notes)
        elif "then" in part:
            yield from self._alternatives(part["then"], notes)
        elif part.get("enum") != []:
            yield {**part, **notes}

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
