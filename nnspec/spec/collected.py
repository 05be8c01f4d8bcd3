"""Diagnostics as they are found, up to the limit: a file that is wrong everywhere is not read to its end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from nnspec.diagnostics import Diagnostic, Span, SpecError, once
from nnspec.spec.limits import Limits
from nnspec.spec.problems import LimitExceeded

__all__ = ["Collected"]


_REPEATED = 4
"""How often the same error is counted where a step with it is repeated: each is kept until it is known where it was made."""


class Collected(list[Diagnostic]):
    """A list of diagnostics that stops the reading when there are too many; those said twice count once.

    Args:
        limits: How many there may be.

    Raises:
        SpecError: When one more is added than that, with all that were found.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        super().__init__()
        self._limits = limits or Limits()
        self._most = self._limits.errors
        self._seen: set[tuple[str, Span]] = set()

    def empty(self) -> Collected:
        """A list of its own, with the same limit."""
        return Collected(self._limits)

    def append(self, diagnostic: Diagnostic) -> None:
        super().append(diagnostic)
        self._seen.add((diagnostic.code, diagnostic.span))
        if len(self._seen) > self._most or len(self) > _REPEATED * self._most:
            repeated = "" if len(self._seen) > self._most else ", those of repeated steps counted"
            what = f"over {max(self._most, len(self) - 1):,} errors and warnings{repeated}, the rest is not looked for"
            at = Span.whole(diagnostic.span.file)
            raise SpecError([*once(self), LimitExceeded.at(at, what=what, limit="errors", most=self._most)])

    def extend(self, diagnostics: Iterable[Diagnostic]) -> None:
        for diagnostic in diagnostics:
            self.append(diagnostic)

    def __iadd__(self, diagnostics: Iterable[Diagnostic]) -> Self:  # type: ignore[override,misc]
        self.extend(diagnostics)
        return self
