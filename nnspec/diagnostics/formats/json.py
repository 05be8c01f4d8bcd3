"""The form that scripts rely on (design: section 5)."""

from __future__ import annotations

import json

from nnspec.diagnostics.formats import Checked


def written(checked: Checked, strict: bool) -> str:
    """``{"diagnostics": [{"code", "severity", …}]}``."""
    del strict
    found = [diagnostic.as_json() for diagnostics in checked.values() for diagnostic in diagnostics]
    return json.dumps({"diagnostics": found}, indent=1)
