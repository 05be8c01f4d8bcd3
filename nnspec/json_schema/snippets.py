"""Texts that editors insert for keys: values with marks to change one after the other."""

from __future__ import annotations

import re
from typing import Any

from nnspec.json_schema.alternatives import Alternatives
from nnspec.json_schema.forms import Schema
from nnspec.spec.dumping import flow

__all__ = ["escaped", "snippet_text", "with_snippets"]


def snippet_text(value: Any, first: int = 1) -> str:
    """Return a value as a snippet, whose scalars can be changed one after the other.

    Example:
        >>> snippet_text({"units": 64, "activation": "relu"})
        '{units: ${1:64}, activation: ${2:relu}}'
    """
    count = first - 1

    def written(value: Any) -> str:
        nonlocal count
        if isinstance(value, dict):
            return "{" + ", ".join(f"{flow(str(key))}: {written(item)}" for key, item in value.items()) + "}"
        if isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
            return "[" + ", ".join(map(written, value)) + "]"
        count += 1
        return f"${{{count}:{escaped(flow(value))}}}"

    return written(value)


def escaped(text: str) -> str:
    """Return a text that is inserted unchanged by a snippet."""
    return re.sub(r"([\\$}])", r"\\\1", text)


def with_snippets(root: Schema) -> Schema:
    """Return a schema with a value for each key that editors insert with it.

    Without one, they write what is not valid: `Conv2D:` alone, or the key once more as the value.
    """
    known = Alternatives(root)

    def visit(part: Any) -> Any:
        if isinstance(part, list):
            return [visit(item) for item in part]
        if not isinstance(part, dict):
            return part
        found = {key: visit(value) for key, value in part.items()}
        if isinstance(part.get("properties"), dict) and part.get("type") is not None:
            found["properties"] = {key: _inserted(known, visit(inner), inner) for key, inner in part["properties"].items()}
        if part is root:
            found["$defs"] = {key: _inserted(known, visit(inner), inner) for key, inner in part["$defs"].items()}
        return found

    result: Schema = visit(root)
    return result


def _inserted(known: Alternatives, written: Schema, part: Schema) -> Schema:
    # The YAML language server writes a value only if there is one proposal: a snippet, a default or an example. Beside a
    # reference, it takes a snippet for a constraint; then it is in the definition. Of mappings, it writes the required keys
    # without values, and the lines of those in snippets and examples at the wrong columns: hence a text on one line.
    value = known.example(part)
    if "$ref" in part or not isinstance(value, dict | list | int | float) or not value or "default" in part:
        return written
    written = {key: inner for key, inner in written.items() if key != "examples"}
    notes = {key: note for key, note in written.items() if key == "description"}
    core = {key: inner for key, inner in written.items() if key not in notes}
    body = f"^{snippet_text(value)}" if isinstance(value, dict | list) else value
    snippets = {"defaultSnippets": [{"label": flow(value), "body": body}]}
    return {**({"anyOf": [core]} if "properties" in part else core), **notes, **snippets}
