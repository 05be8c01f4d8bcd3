"""Building blocks of the JSON Schema, and values that may be written as expressions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nnspec.spec.blocks import BLOCK_NAME
from nnspec.spec.draft import STEP_KEYS

Schema = dict[str, Any]

ANY: Schema = {}
NAME: Schema = {"type": "string", "minLength": 1}
EXPRESSION: Schema = {"$ref": "#/$defs/expression"}
"""A string with ``$``, allowed in place of any typed value."""

OWN_NAME = rf"^(?!(?:{'|'.join(STEP_KEYS)})$)\$?{BLOCK_NAME.pattern}$"
"""The name of a block or network of the document, or a param that names one."""

GROUPED = r"^[-+]?[0-9]+(_[0-9]+)+(\.[0-9]*)?([eE][-+]?[0-9]+)?$"
"""A number with underscores between its digits, as a document may contain it."""

_ANNOTATIONS = ("default", "description", "examples", "title")


def reference(definition: str) -> Schema:
    return {"$ref": f"#/$defs/{definition}"}


def any_of(*schemas: Schema) -> Schema:
    return {"anyOf": list(schemas)}


def either(names: Iterable[str]) -> Schema:
    return {"type": "string", "enum": sorted(names)}


def list_of(items: Schema, **more: Any) -> Schema:
    return {"type": "array", "items": items, **more}


def mapping_of(values: Schema, pattern: str | None = None, **more: Any) -> Schema:
    """Return the schema of a mapping whose keys match a pattern."""
    names = {} if pattern is None else {"propertyNames": {"pattern": f"^(?:{pattern})$"}}
    return {"type": "object", "additionalProperties": values, **names, **more}


def closed(properties: Mapping[str, Schema], required: Iterable[str] = (), **more: Any) -> Schema:
    """Return the schema of a mapping with exactly these keys."""
    needed = {"required": sorted(required)} if required else {}
    return {"type": "object", "properties": dict(properties), "additionalProperties": False, **needed, **more}


def value(schema: Schema) -> Schema:
    """Extend a schema to also allow an expression, and underscores between the digits of a number.

    Example:
        >>> value({"type": "boolean", "description": "Whether."})
        {'anyOf': [{'type': 'boolean'}, {'$ref': '#/$defs/expression'}], 'description': 'Whether.'}
        >>> [branch.get("$ref") for branch in value({"type": "integer"})["anyOf"]]
        [None, '#/$defs/grouped_number', '#/$defs/expression']
    """
    notes = {key: schema[key] for key in _ANNOTATIONS if key in schema}
    core = {key: part for key, part in schema.items() if key not in notes}
    if not core or core == {"type": "string"}:
        return schema
    branches = core["anyOf"] if set(core) == {"anyOf"} else [core]
    grouped = [reference("grouped_number")] if any(branch.get("type") in ("integer", "number") for branch in branches) else []
    return {"anyOf": [*branches, *grouped, EXPRESSION], **notes}
