"""Terminal output of the commands: colors, diagnostics, tables. All output goes through this module."""

from __future__ import annotations

import errno
import io
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

import click

from nnspec.colors import colored, uses_color
from nnspec.diagnostics import Diagnostic, NnspecError, in_memory
from nnspec.diagnostics.render import lines_of, render
from nnspec.printable import json_text, on_one_line, terminal_text

_TABLE = re.compile(r"(?m)^(?:(\S.*)\n\n)?(.+)\n(-{3,})$")
"""A header and the line below it, with the title above it if there is one."""


def styled(text: str, style: str, *, err: bool = True) -> str:
    """Style a text whose control characters are escaped, if the stream that it is written to has colors.

    Args:
        text: The text.
        style: One of the styles of [`colored`][nnspec.colors.colored].
        err: Whether it is written to stderr.
    """
    return colored(text, style) if uses_color(sys.stderr if err else sys.stdout) else text


class OutputError(NnspecError):
    """Raised when standard output cannot be written.

    Attributes:
        closed: Whether the reader closed the pipe, as ``head`` does. No message is printed then.
    """

    def __init__(self, error: OSError) -> None:
        super().__init__(f"cannot write to standard output: {error.strerror or error}")
        self.closed = error.errno == errno.EPIPE


class ClosedOutput(io.TextIOBase):
    """Replacement for a standard output that was closed before the command started (``>&-``); writing to it fails.

    Python sets ``sys.stdout`` to None in this case, and click then silently discards output. File descriptor 1 is opened on
    the null device so that no other file gets it and receives what libraries print.
    """

    def __init__(self) -> None:
        with suppress(OSError):
            if (devnull := os.open(os.devnull, os.O_WRONLY)) > 2:  # descriptors 0 to 2 were all open
                os.close(devnull)

    def writable(self) -> bool:
        return True

    def write(self, text: str, /) -> int:
        del text
        raise OSError(errno.EBADF, "it is closed")


def echo(text: object, *, lead: str = "", style: str | None = None, err: bool = False, nl: bool = True) -> None:
    """Write a text, with control characters from specs, data, or files escaped.

    Args:
        text: The text.
        lead: A prefix that is written unchanged, such as styled text.
        style: The style of the text on a terminal.
        err: Whether to write to stderr.
        nl: Whether to append a newline.

    Raises:
        OutputError: If standard output cannot be written.
    """
    shown = terminal_text(text)
    _write(lead + (styled(shown, style, err=err) if style else shown), err=err, nl=nl)


def echo_line(*parts: str | tuple[str, str], err: bool = False) -> None:
    """Write a line of texts, each alone or with its style."""
    shown = [
        terminal_text(part) if isinstance(part, str) else styled(terminal_text(part[0]), part[1], err=err) for part in parts
    ]
    _write("".join(shown), err=err)


def echo_tables(text: str) -> None:
    """Write a text with tables, each a header above a line of dashes; the headers are emphasized."""

    def emphasized(found: re.Match[str]) -> str:
        title, header = (styled(text or "", "strong", err=False) for text in found.groups()[:2])
        return (f"{title}\n\n" if title else "") + f"{header}\n{styled(found[3], 'dim', err=False)}"

    _write(_TABLE.sub(emphasized, terminal_text(text)))


def echo_error(text: object) -> None:
    """Write an error that has no location in a file."""
    echo(text, lead=f"{styled('error', 'error')}: ", err=True)


def echo_document(text: str, *, nl: bool = True) -> None:
    """Write JSON or a drawing, whose format already escapes control characters, or a file as it is."""
    _write(text, nl=nl)


def echo_json(document: object, *, indent: int | None = None, ascii: bool = True) -> None:
    """Write a document as JSON. Non-ASCII characters are escaped unless ``ascii`` is false."""
    echo_document(json_text(document, indent=indent, ascii=ascii))


def echo_path(path: Path) -> None:
    """Write a path: its exact bytes for scripts, escaped on a terminal."""
    if sys.stdout is not None and sys.stdout.isatty():
        echo(path)
    else:
        _write(os.fsencode(path))


def show(diagnostics: Iterable[Diagnostic], texts: Mapping[Path, str] | None = None) -> None:
    """Write diagnostics to stderr, in the order of the file.

    Args:
        diagnostics: Diagnostics to write.
        texts: Texts that are used in place of files, by path.
    """
    with in_memory(texts or {}):
        lines = cache(lines_of)
        for diagnostic in diagnostics:
            _write(render(diagnostic, style=styled, lines=lines) + "\n", err=True)


def _write(text: str | bytes, *, err: bool = False, nl: bool = True) -> None:
    color = uses_color(sys.stderr if err else sys.stdout)
    try:
        try:
            click.echo(text, err=err, nl=nl, color=color)
        except UnicodeEncodeError as error:
            escaped = str(text).encode(error.encoding, "backslashreplace").decode(error.encoding)
            click.echo(escaped, err=err, nl=nl, color=color)
    except OSError as error:
        discard_output(err=err)
        if not err:  # if stderr cannot be written, only the exit status can report it
            raise OutputError(error) from None


def discard_output(*, err: bool) -> None:
    """Redirect a failed stream to the null device, so that flushing its buffer at exit does not fail again."""
    with suppress(OSError, ValueError, AttributeError):
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, (sys.stderr if err else sys.stdout).fileno())
        os.close(devnull)


def terminal_width() -> int | None:
    """Return the columns of the terminal, or of ``COLUMNS``; None if standard output is none."""
    if sys.stdout is None or not (sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit()):
        return None
    return shutil.get_terminal_size().columns


_NARROWEST = 20


def _wrapped(row: Sequence[str], width: int) -> list[list[str]]:
    """The lines of a row whose last cell is at most that wide."""
    first, *more = textwrap.wrap(row[-1], width, break_on_hyphens=False) or [""]
    return [[*row[:-1], first], *([*[""] * (len(row) - 1), line] for line in more)]


def table(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, right: frozenset[int] = frozenset(), width: int | None = None
) -> str:
    """Format a table with aligned columns.

    Args:
        header: The title of each column.
        rows: The cells.
        right: Indices of right-aligned columns.
        width: The width that the table must fit by wrapping its last column; None for no limit.

    Example:
        >>> print(table(["name", "size"], [["a", "1"], ["b", "20"]], right=frozenset({1})))
        name  size
        ----------
        a        1
        b       20
    """
    header, *rows = [[on_one_line(cell) for cell in row] for row in [header, *rows]]
    if width is not None:
        start = sum(max(len(row[i]) for row in [header, *rows]) + 2 for i in range(len(header) - 1))
        rows = [line for row in rows for line in _wrapped(row, max(width - start, _NARROWEST))]
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        aligned = [c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(cells, widths, strict=True))]
        return "  ".join(aligned).rstrip()

    return "\n".join([line(header), "-" * (sum(widths) + 2 * len(widths) - 2), *map(line, rows)])
