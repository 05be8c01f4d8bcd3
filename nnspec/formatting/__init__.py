"""Canonical formatting of documents, with values and comments preserved."""

from nnspec.formatting.canonical import formatted, formatted_text

__all__ = ["formatted", "formatted_text"]
