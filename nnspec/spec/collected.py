"""A list of diagnostics with a limit, at which checking stops."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from nnspec.diagnostics import Diagnostic, Span, SpecError, once
from nnspec.spec.limits import Limits
from nnspec.spec.problems import LimitExceeded

_REPEATED = 4
"""Factor by which repeated copies of an error, which come from repeated steps, may exceed the limit."""


class Collected(list[Diagnostic]):
    """A list of diagnostics that stops checking when it exceeds the limit; duplicates count once.

    Args:
        limits: Limits, of which ``errors`` applies.

    Raises:
        SpecError: If the limit is exceeded; contains all diagnostics found so far.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        super().__init__()
        self._limits = limits or Limits()
        self._most = self._limits.errors
        self._seen: set[tuple[str, Span]] = set()

    def empty(self) -> Collected:
        """Return an empty list with the same limit."""
        return Collected(self._limits)

    def append(self, diagnostic: Diagnostic) -> None:
        super().append(diagnostic)
        self._seen.add((diagnostic.code, diagnostic.span))
        if len(self._seen) > self._most or len(self) > _REPEATED * self._most:
            repeated = "" if len(self._seen) > self._most else ", including those of repeated steps"
            what = f"over {max(self._most, len(self) - 1):,} errors and warnings{repeated}, checking stopped"
            at = Span.whole(diagnostic.span.file)
            raise SpecError([*once(self), LimitExceeded.at(at, what=what, limit="errors", most=self._most)])

    def extend(self, diagnostics: Iterable[Diagnostic]) -> None:
        for diagnostic in diagnostics:
            self.append(diagnostic)

    def __iadd__(self, diagnostics: Iterable[Diagnostic]) -> Self:  # type: ignore[override,misc]
        self.extend(diagnostics)
        return self
