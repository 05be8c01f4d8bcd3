"""How a single mistake is put into a good text: what a fault is, and what a rule makes of a pattern."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

__all__ = ["PER_KIND", "SEED", "Fault", "Rules", "misspelt", "within"]

SEED = 7
PER_KIND = 12


@dataclass(frozen=True)
class Fault:
    """One edit.

    Attributes:
        kind: Which rule made it.
        good: The text without the fault.
        text: The text with it.
        line: The line at fault, from 1.
        column: The first column of the token at fault, from 1.
        old: What stood at that place; nothing where something was put in.
        new: What stands there instead; nothing where something was left out.
        fix: What the help must contain, or the message where the fault is a value out of its range; ``|`` parts alternatives.
    """

    kind: str
    good: str
    text: str
    line: int
    column: int
    old: str
    new: str
    fix: str


Edit = Callable[[re.Match[str], random.Random], "tuple[str, str] | None"]


class Rules:
    """The kinds of fault of one language."""

    def __init__(self) -> None:
        self._rules: dict[str, tuple[str, int | str, Edit]] = {}

    def rule(self, kind: str, pattern: str, token: int | str = 0) -> Callable[[Edit], None]:
        """A rule that edits matches of a pattern; the function gives the new text of the whole match and the fix."""

        def register(edit: Edit) -> None:
            self._rules[kind] = pattern, token, edit

        return register

    def faults(self, texts: Sequence[str], seed: int, per_kind: int) -> Iterator[Fault]:
        """Faults of every kind, at most ``per_kind`` of each, drawn from all the texts."""
        rng = random.Random(seed)
        for kind in self._rules:
            found = [fault for text in texts for fault in self._of(kind, text, rng)]
            yield from rng.sample(found, min(per_kind, len(found)))

    def _of(self, kind: str, good: str, rng: random.Random) -> Iterator[Fault]:
        pattern, token, edit = self._rules[kind]
        for match in re.finditer(pattern, good, re.MULTILINE):
            edited = edit(match, rng)
            if edited is None or edited[0] == match[0]:
                continue
            new, fix = edited
            text = good[: match.start()] + new + good[match.end() :]
            start = match.start(token)
            line, column = text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start)
            behind = len(match[0]) - (match.end(token) - match.start())
            there = new[start - match.start() : len(new) - behind]
            yield Fault(kind, good, text, line, column, match[token], there, fix)


def misspelt(word: str, rng: random.Random) -> str:
    """A word with one letter missing, two swapped, or one doubled."""
    at = rng.randrange(1, len(word) - 1)
    how = rng.randrange(3)
    if how == 0:
        return word[:at] + word[at + 1 :]
    if how == 1 and word[at] != word[at + 1]:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return word[:at] + word[at] + word[at:]


def within(match: re.Match[str], group: int | str, new: str) -> str:
    """The match with one group replaced."""
    start, end = match.start(group) - match.start(), match.end(group) - match.start()
    return match[0][:start] + new + match[0][end:]
