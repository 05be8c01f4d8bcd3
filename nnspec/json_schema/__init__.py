"""JSON Schema of a document for editors, generated from the classes that validate it."""

from nnspec.json_schema.document import as_text, schema

__all__ = ["as_text", "schema"]
