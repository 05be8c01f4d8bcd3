"""Canonical formatting of documents, with values and comments preserved."""

from nnspec.formatting.canonical import formatted

__all__ = ["formatted"]
