"""The readers, by the names they have in a spec."""

from __future__ import annotations

from nnspec.data.readers.base import Files, Reader, Table
from nnspec.types import Family

__all__ = ["READERS", "Files", "Reader", "Table"]

READERS = Family(
    kind="reader",
    modules={name: f"nnspec.data.readers.{name}" for name in ("builtin", "csv", "idx", "npz")},
    aliases={"mnist": "idx", "numpy": "npz", "sklearn": "builtin", "tsv": "csv"},
)
"""Every reader by name."""
