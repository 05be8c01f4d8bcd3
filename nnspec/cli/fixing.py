"""``nnspec validate --fix``: writes the fixed files, or shows what would change."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import unified_diff
from pathlib import Path
from typing import Any

from nnspec.api import fix
from nnspec.cli.text import echo, echo_document
from nnspec.diagnostics import Diagnostic, source_text
from nnspec.diagnostics.applying import Fixed
from nnspec.diagnostics.render import counted, summary
from nnspec.files import write_whole
from nnspec.printable import on_one_line

_MARK = b"\xef\xbb\xbf"


class Fixing:
    """Fixes one spec after the other.

    Args:
        texts: Texts that are used in place of files, by absolute path; those of fixed files are added.
        stdin: The file that stands for standard input, whose fixed text is written to standard output.
        writes: Whether to write files; otherwise, a diff is printed.
        prints: Whether to print what was not fixed, and the diff.
    """

    def __init__(self, texts: dict[Path, str], stdin: Path | None, *, writes: bool, prints: bool) -> None:
        self._texts = texts
        self._stdin = stdin.resolve() if stdin is not None else None
        self._writes = writes
        self._prints = prints
        self._gone = {"error": 0, "warning": 0}
        self.changed = 0

    def remaining(self, file: Path, overrides: Sequence[str], **options: Any) -> list[Diagnostic]:
        """Fix a spec; returns the remaining diagnostics."""
        result = fix(file, overrides, **options)
        for path, text in result.texts.items():
            self._changed(file if path == file.resolve() else path, text)
        if self._stdin == file.resolve() and self._writes:
            echo_document(self._texts[self._stdin], nl=False)
        if self._prints:
            self._show_refused(result)
        for severity in self._gone:
            self._gone[severity] += result.gone(severity)
        return list(result.after)

    def _changed(self, file: Path, text: str) -> None:
        self.changed += 1
        before = self._texts.get(file.resolve(), source_text(file)) or ""
        self._texts[file.resolve()] = text
        if not self._writes:
            name = str(file)
            lines = unified_diff(before.splitlines(True), text.splitlines(True), name, name)
            echo(
                "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines), nl=False
            )
        elif file.resolve() != self._stdin:
            is_marked = file.read_bytes().startswith(_MARK)
            write_whole(file.resolve(), (_MARK if is_marked else b"") + text.encode())  # keep a symbolic link a link

    def _show_refused(self, result: Fixed) -> None:
        for diagnostic in result.refused:
            assert diagnostic.fix is not None
            reason = "not fixed, because no fewer errors would remain"
            echo(f"{on_one_line(diagnostic.span)}: {reason}: {diagnostic.fix.title} ({diagnostic.code})", err=True)

    def summary(self, remaining: Sequence[Diagnostic], files: int, strict: bool) -> str:
        """Return how many diagnostics were fixed, and how many remain, in one line."""
        gone = " and ".join(counted(count, severity) for severity, count in self._gone.items() if count > 0)
        done = "fixed" if self._writes else "would be fixed"
        left = sum(diagnostic.fails(strict) for diagnostic in remaining)
        return f"{gone or 'nothing'} {done}" + (
            f", {left} remaining" if left else f"; {summary(remaining, files, strict=strict)}"
        )
