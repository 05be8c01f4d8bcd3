"""The canonical form of a document: the same values, comments kept, one order of keys and one style."""

from nnspec.formatting.canonical import formatted

__all__ = ["formatted"]
