"""``python -m benchmarks serving load|processes|overload|hostile|attacks|footprint|packages``: what is said of ``nnspec serve`` in docs/serving.md."""

from __future__ import annotations

import sys
from importlib import import_module

PARTS = ("load", "processes", "overload", "hostile", "attacks", "footprint", "packages")


def main(arguments: list[str]) -> int:
    """Runs the part that is named."""
    if not arguments or arguments[0] not in PARTS:
        print(f"name one of {', '.join(PARTS)}", file=sys.stderr)
        return 2
    return int(import_module(f"benchmarks.serving.{arguments[0]}").main(arguments[1:]))
