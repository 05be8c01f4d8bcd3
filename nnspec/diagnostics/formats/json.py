"""Stable JSON for scripts (design: section 5)."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.diagnostics.formats import Checked
from nnspec.printable import json_text


def written(checked: Checked, strict: bool, seconds: Mapping[str, float]) -> str:
    """Return ``{"diagnostics": [{"code", "severity", …}]}``."""
    del strict, seconds
    found = [diagnostic.as_json() for diagnostics in checked.values() for diagnostic in diagnostics]
    return json_text({"diagnostics": found}, indent=1, ascii=True)
