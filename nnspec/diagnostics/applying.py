"""Application of fixes to texts: in rounds, because a fix may reveal another problem, and only if errors become fewer."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nnspec.diagnostics.diagnostic import Diagnostic
from nnspec.diagnostics.fixes import Edit, Fix
from nnspec.diagnostics.sources import SourceText, in_memory, source_text

_MOST_ROUNDS, _MOST_ALONE = 10, 20
"""Maximum number of rounds, and of fixes that are tried alone, because all together do not help."""

Check = Callable[[], Sequence[Diagnostic]]


@dataclass(frozen=True)
class Fixed:
    """The result of applying every certain fix of a spec.

    Attributes:
        before: Diagnostics before.
        after: Diagnostics after; those of ``before`` if nothing changed.
        texts: New text of each changed file.
    """

    before: tuple[Diagnostic, ...]
    after: tuple[Diagnostic, ...]
    texts: Mapping[Path, str]

    @property
    def refused(self) -> list[Diagnostic]:
        """Diagnostics whose fixes were not applied, because no fewer errors would remain."""
        return [diagnostic for diagnostic in self.after if diagnostic.fix is not None]

    def gone(self, severity: str) -> int:
        """Return how many diagnostics of a severity there are less."""
        return sum(d.severity == severity for d in self.before) - sum(d.severity == severity for d in self.after)


class Edited:
    """A text to which edits are added.

    Args:
        text: Text before.

    Example:
        >>> from nnspec.diagnostics import Span
        >>> edited = Edited("a: 22")
        >>> edited.add([Edit(Span("net.nnspec.yaml", 1, 4, 1, 6), "1")]), edited.text
        (True, 'a: 1')
    """

    def __init__(self, text: str) -> None:
        self._source = SourceText(text)
        self._edits: list[tuple[int, int, str]] = []

    def add(self, edits: Sequence[Edit]) -> bool:
        """Add edits that belong together; returns False if one is outside the text or touches an earlier one."""
        placed: list[tuple[int, int, str]] = []
        for edit in edits:
            found = self._source.range(edit.span)
            if found is None or not self._is_free(*found):
                return False
            placed.append((*found, edit.text))
        for one in placed:
            insort(self._edits, one)
        return True

    def _is_free(self, start: int, end: int) -> bool:
        at = bisect_left(self._edits, (start,))
        is_after = at == 0 or self._edits[at - 1][1] < start
        return is_after and (at == len(self._edits) or end < self._edits[at][0])

    @property
    def text(self) -> str:
        """The text after all edits."""
        parts, at = [], 0
        for start, end, new in self._edits:
            parts += [self._source.text[at:start], new]
            at = end
        return "".join([*parts, self._source.text[at:]])


def apply_fixes(check: Check) -> Fixed:
    """Apply the certain fixes of a spec to its texts in memory, until nothing certain is left.

    Fixes of one round are applied together, except those that touch each other. A fix may reveal as many other errors, which
    hid behind the one that it fixes, and which the next rounds may fix; the result is what has the fewest errors (or, with
    the same number of errors, warnings). Then each fix that is left is tried alone.

    Args:
        check: Checks the spec, with the texts that are in memory.
    """
    first = state = best = _State(check, tuple(check()), {})
    for _ in range(_MOST_ROUNDS):
        together = state.after(diagnostic.fix for diagnostic in state.found if diagnostic.fix is not None)
        if together is None or together.rank > state.rank:
            break
        state = together
        best = state if state.rank < first.rank else best
    tried: set[object] = set()
    for _ in range(_MOST_ALONE):
        fixable = next((d for d in best.found if d.fix is not None and _key(d) not in tried), None)
        if fixable is None or fixable.fix is None:
            break
        tried.add(_key(fixable))
        alone = best.after([fixable.fix])
        best = alone if alone is not None and alone.rank < best.rank else best
    return Fixed(first.found, best.found, best.texts)


def _key(diagnostic: Diagnostic) -> object:
    return diagnostic.code, diagnostic.path, diagnostic.message


@dataclass(frozen=True)
class _State:
    check: Check
    found: tuple[Diagnostic, ...]
    texts: Mapping[Path, str]

    @property
    def rank(self) -> tuple[int, int]:
        """Numbers of errors and warnings, of which fewer are better."""
        return sum(d.is_error for d in self.found), sum(d.severity == "warning" for d in self.found)

    def after(self, fixes: Iterable[Fix]) -> _State | None:
        """Return the state after the fixes, without those that touch an earlier one; None if no text changes."""
        edited: dict[Path, Edited] = {}
        changed: set[Path] = set()
        for fix in dict.fromkeys(fixes):
            files = _by_file(fix)
            for file in files.keys() - edited.keys():
                edited[file] = Edited(self._text(file))
            if len(files) == 1 and all(edited[file].add(edits) for file, edits in files.items()):
                changed |= files.keys()
        if not changed:
            return None
        texts = {**self.texts, **{file: edited[file].text for file in changed}}
        with in_memory(texts):
            return _State(self.check, tuple(self.check()), texts)

    def _text(self, file: Path) -> str:
        return self.texts[file] if file in self.texts else source_text(file) or ""


def _by_file(fix: Fix) -> dict[Path, list[Edit]]:
    files: dict[Path, list[Edit]] = {}
    for edit in fix.edits:
        files.setdefault(Path(edit.span.file).resolve(), []).append(edit)
    return files
