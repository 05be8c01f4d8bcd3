"""The keys of what an exported model says of itself."""

from __future__ import annotations

__all__ = ["CONDITIONS", "PARITY", "SPEC_HASH", "SPEC_NAME", "VERSION"]

VERSION = "nnspec.version"
"""The version of nnspec that wrote it."""

SPEC_NAME = "nnspec.spec.name"
"""The spec's name."""

SPEC_HASH = "nnspec.spec.hash"
"""The spec's hash."""

CONDITIONS = "nnspec.conditions"
"""What free sizes must satisfy, as JSON: ``{"H": {"multiple_of": 8}}``."""

PARITY = "nnspec.parity"
"""How far it is from the model it was made of, as JSON (`parity.Parity`)."""
