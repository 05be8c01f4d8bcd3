"""The section ``neighbors``: the knowledge base in which an exported model finds the nearest rows. Its fields and its check."""

from __future__ import annotations

__all__ = ["INDICES", "SIMILARITY"]

INDICES, SIMILARITY = "neighbors", "similarity"
"""The outputs that an exported file has in addition: the nearest rows of the knowledge base, and their similarities."""
