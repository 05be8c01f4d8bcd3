"""The page of a sweep."""

from __future__ import annotations

from nnspec.sweeping.trials import Sweep


def sweep_page(found: Sweep) -> str:
    return ""
