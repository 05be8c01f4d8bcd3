"""How commands write to a terminal: colours, diagnostics, tables. Everything they write goes through here."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import click

from nnspec.diagnostics import Diagnostic, NnspecError
from nnspec.diagnostics.render import render
from nnspec.files import json_text
from nnspec.printable import on_one_line, terminal_text

__all__ = [
    "ClosedOutput",
    "OutputError",
    "discard_output",
    "echo",
    "echo_document",
    "echo_error",
    "echo_json",
    "echo_path",
    "show",
    "styled",
    "table",
]

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


class OutputError(NnspecError):
    """Standard output that cannot be written.

    Attributes:
        closed: Whether whoever read it has gone, as ``head`` does: there is nobody to tell then.
    """

    def __init__(self, error: OSError) -> None:
        super().__init__(f"cannot write to standard output: {error.strerror or error}")
        self.closed = error.errno == errno.EPIPE


class ClosedOutput(io.TextIOBase):
    """In place of a standard output that was closed before the command began (``>&-``): writing to it fails.

    Python leaves none there, and click then writes nothing and reports nothing. Its number is given to the null device, so
    that no file that is opened gets it, and with it what libraries print.
    """

    def __init__(self) -> None:
        with suppress(OSError):
            if (nowhere := os.open(os.devnull, os.O_WRONLY)) > 2:  # it was not closed
                os.close(nowhere)

    def writable(self) -> bool:
        return True

    def write(self, text: str, /) -> int:
        del text
        raise OSError(errno.EBADF, "it is closed")


def echo(text: object, *, lead: str = "", style: str | None = None, err: bool = False, nl: bool = True) -> None:
    """Writes a text in which whatever came from a spec, data or a file is safe to show.

    Args:
        text: The text.
        lead: What is written before it, unchanged: a text that is styled already.
        style: The style that it is written in, where the stream is a terminal.
        err: Whether it goes to the error stream.
        nl: Whether a newline ends it.

    Raises:
        OutputError: Where standard output cannot be written.
    """
    shown = terminal_text(text)
    _write(lead + (styled(shown, style) if style else shown), err=err, nl=nl)


def echo_error(text: object) -> None:
    """Writes an error that has no place in a file."""
    echo(text, lead=f"{styled('error', 'error')}: ", err=True)


def echo_document(text: str) -> None:
    """Writes a document, JSON or a drawing, whose own form has made it safe to show."""
    _write(text)


def echo_json(document: object, *, indent: int | None = None, ascii: bool = True) -> None:
    """Writes a document as JSON, with letters that are not ASCII escaped unless ``ascii`` is false."""
    echo_document(json_text(document, indent=indent, ascii=ascii))


def echo_path(path: Path) -> None:
    """Writes a path for scripts, byte for byte as the system has it; a terminal gets it safe to show."""
    if sys.stdout is not None and sys.stdout.isatty():
        echo(path)
    else:
        _write(os.fsencode(path))


def show(diagnostics: Iterable[Diagnostic]) -> None:
    """Writes diagnostics to the error stream, in the order of the file."""
    for diagnostic in diagnostics:
        _write(render(diagnostic, style=styled) + "\n", err=True)


def _write(text: str | bytes, *, err: bool = False, nl: bool = True) -> None:
    try:
        try:
            click.echo(text, err=err, nl=nl)
        except UnicodeEncodeError as error:
            click.echo(str(text).encode(error.encoding, "backslashreplace").decode(error.encoding), err=err, nl=nl)
    except OSError as error:
        discard_output(err=err)
        if not err:  # an error stream that cannot be written has nobody to be told, and the status says the rest
            raise OutputError(error) from None


def discard_output(*, err: bool) -> None:
    """Lets nothing more be written to a stream that failed: what is left in its buffer would fail again at the end."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, (sys.stderr if err else sys.stdout).fileno())
        os.close(nowhere)


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
    header, *rows = [[on_one_line(cell) for cell in row] for row in [header, *rows]]
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        aligned = [c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(cells, widths, strict=True))]
        return "  ".join(aligned).rstrip()

    return "\n".join([line(header), "-" * (sum(widths) + 2 * len(widths) - 2), *map(line, rows)])
