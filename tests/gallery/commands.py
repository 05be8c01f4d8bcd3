"""The commands in the head comments of the gallery's specs."""

from __future__ import annotations

import shlex
from itertools import pairwise
from pathlib import Path

SPECS = Path(__file__).parents[2] / "specs"


def small_overrides(file: Path) -> list[str]:
    """Return what the command in the head comment of a spec sets, to train it small; empty if it sets nothing.

    A command continues in the next line if that begins with ``--set``.
    """
    lines = [
        line[1:].strip() for line in file.read_text(encoding="utf-8").split("\nparams:")[0].splitlines() if line[:1] == "#"
    ]
    start = next((i for i, line in enumerate(lines) if line.startswith(f"nnspec train specs/{file.name}")), len(lines))
    words = shlex.split(
        " ".join(line for i, line in enumerate(lines) if i == start or (i > start and line.startswith("--set ")))
    )
    return [value for word, value in pairwise(words) if word == "--set"]
