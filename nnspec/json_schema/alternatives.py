"""The alternatives of a schema, and values that it allows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nnspec.json_schema.forms import Schema

__all__ = ["Alternatives"]

_NOTES = ("description", "default", "examples")
_DEEPEST = 6
_INTEGER = 3
"""A size that is valid almost everywhere."""


class Alternatives:
    """The parts of a schema without references and unions.

    Args:
        root: The whole schema, to which references lead.
    """

    def __init__(self, root: Schema) -> None:
        self.root = root
        self._found: dict[int, list[Schema]] = {}

    def of(self, part: Schema) -> list[Schema]:
        """Return the alternatives of a part of the schema, each of one type and with the annotations around it."""
        if id(part) not in self._found:
            self._found[id(part)] = list(self._alternatives(part, {}))
        return self._found[id(part)]

    def _alternatives(self, part: Schema, notes: Schema) -> Iterator[Schema]:
        notes = {key: part[key] for key in _NOTES if key in part} | notes
        if "$ref" in part:
            target: Any = self.root
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

    def example(self, part: Schema) -> Any:
        """Return a value that a part of the schema allows: an example of it, else its default, else a small one."""
        return self._example(self.of(part), 0)

    def _example(self, forms: list[Schema], depth: int) -> Any:
        for form in forms:
            if form.get("examples"):
                return form["examples"][0]
        for form in forms:
            if form.get("default") not in (None, [], {}):
                return form["default"]
        return self._small(forms[0], depth) if forms else None

    def _small(self, form: Schema, depth: int) -> Any:
        if "const" in form:
            return form["const"]
        if "enum" in form:
            return form["enum"][0]
        kinds = form.get("type")
        match kinds[0] if isinstance(kinds, list) else kinds:
            case "integer":
                least = max(form.get("minimum", 1), form.get("exclusiveMinimum", 0) + 1)
                return min(max(_INTEGER, least), form.get("maximum", max(_INTEGER, least)))
            case "number":
                return form.get("minimum", 0.5) or 0.5
            case "boolean":
                return True
            case "array" if depth < _DEEPEST:
                inner = self.of(form["items"]) if "items" in form else []
                return [self._example(inner, depth + 1) for _ in range(form.get("minItems", 1))]
            case "object" if depth < _DEEPEST:
                needed = form.get("required", ())
                if not needed and form.get("minProperties"):
                    needed = list(form.get("properties", {}))[:1]
                return {key: self._example(self.of(form["properties"][key]), depth + 1) for key in needed}
            case "string":
                return "x"
        return None
