"""Markdown of the reference."""

from __future__ import annotations

from collections.abc import Sequence


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Render a Markdown table."""
    return "\n".join([row(header), row(["---"] * len(header)), *map(row, rows)])


def row(cells: Sequence[str]) -> str:
    """Render a row of a Markdown table."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
