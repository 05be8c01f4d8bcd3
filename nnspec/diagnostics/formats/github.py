"""GitHub Actions workflow commands, shown as annotations in a pull request.

``::error file=F,line=1,col=2,title=T::MESSAGE``, one per line. Values and messages are escaped for the runner
(actions/toolkit, ``packages/core/src/command.ts``).
"""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.diagnostics.diagnostic import Diagnostic
from nnspec.diagnostics.formats import Checked
from nnspec.printable import printable


def written(checked: Checked, strict: bool, seconds: Mapping[str, float]) -> str:
    """Return one command per diagnostic."""
    del strict, seconds
    return "\n".join(_command(diagnostic) for diagnostics in checked.values() for diagnostic in diagnostics)


def _command(diagnostic: Diagnostic) -> str:
    span = diagnostic.span
    places: dict[str, object] = {"file": span.file, "line": span.line}
    if span.end_line == span.line:  # columns only apply within one line
        places |= {"col": span.column, "endLine": span.end_line, "endColumn": span.end_column}
    else:
        places |= {"endLine": span.end_line}
    places["title"] = f"nnspec {diagnostic.code}"
    lines = [diagnostic.message]
    if diagnostic.help:
        lines.append(f"help: {diagnostic.help}")
    lines += [f"note: {note.message}" + (f" ({note.span})" if note.span else "") for note in diagnostic.notes]
    properties = ",".join(f"{name}={_property(str(value))}" for name, value in places.items())
    return f"::{diagnostic.severity.replace('note', 'notice')} {properties}::{_data(chr(10).join(lines))}"


def _data(text: str) -> str:
    return printable(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
