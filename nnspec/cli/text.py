"""How commands write to a terminal: colours, diagnostics, tables."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence

import click

from nnspec.diagnostics import Diagnostic
from nnspec.diagnostics.render import render

__all__ = ["show", "styled", "table"]

_COLOURS: dict[str, dict[str, object]] = {
    "error": {"fg": "red", "bold": True},
    "warning": {"fg": "yellow", "bold": True},
    "note": {"fg": "cyan", "bold": True},
    "frame": {"fg": "blue"},
    "strong": {"bold": True},
    "good": {"fg": "green", "bold": True},
}


def styled(text: str, style: str) -> str:
    """A text in one of the styles, where the error stream is a terminal that shows colours (https://no-color.org)."""
    if os.environ.get("NO_COLOR") or not sys.stderr.isatty():
        return text
    return click.style(text, **_COLOURS[style])  # type: ignore[arg-type]


def show(diagnostics: Iterable[Diagnostic]) -> None:
    """Writes diagnostics to the error stream, in the order of the file."""
    for diagnostic in diagnostics:
        click.echo(render(diagnostic, style=styled) + "\n", err=True)


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, right: frozenset[int] = frozenset()) -> str:
    """Rows under a header, columns aligned.

    Args:
        header: A title for each column.
        rows: The cells.
        right: Columns of numbers, aligned on the right.

    Example:
        >>> print(table(["name", "size"], [["a", "1"], ["b", "20"]], right=frozenset({1})))
        name  size
        ----------
        a        1
        b       20
    """
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        aligned = [c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(cells, widths, strict=True))]
        return "  ".join(aligned).rstrip()

    return "\n".join([line(header), "-" * (sum(widths) + 2 * len(widths) - 2), *map(line, rows)])
