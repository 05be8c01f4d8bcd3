"""A mistake in a peer's language, what the peer said of it, and what that is worth."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["MEASURES", "Answer", "Mistake", "allowed", "judged"]

MEASURES = ("all", "found", "line", "token", "fix")

_LARGER = r"greater than|larger than|positive|at least|minimum|> ?0|>= ?1|non-zero"
_WHOLE = r"\bint(eger)?\b"
_ALLOWED = {
    "an argument that follows from the input": r"leave|remove|omit|unexpected|unrecognized|additional",
    "a negative size": _LARGER,
    "a size of zero": _LARGER,
    "a size of zero in a shape": _LARGER,
    "the batch axis in a shape": r"batch|positive|negative",
    "a fraction for a whole number": _WHOLE,
    "a number in quotes": _WHOLE + r"|quote",
    "a tab for indentation": r"spaces",
    "an argument given twice": r"",
}


@dataclass(frozen=True)
class Mistake:
    """One mistake in a peer's language.

    Attributes:
        kind: As in the table.
        good: The text without it.
        text: The text with it.
        line: The line at fault, from 1.
        column: The column at fault, from 1.
        tokens: What names it: the faulty token, and its argument where a value is at fault.
        fix: A regular expression for what undoes it.
    """

    kind: str
    good: str
    text: str
    line: int
    column: int
    tokens: tuple[str, ...]
    fix: str


@dataclass(frozen=True)
class Answer:
    """What a peer said.

    Attributes:
        message: Its words, hints included, without the traceback; None where it said nothing.
        lines: The lines of the user's file that it names.
        stretches: Where it points at columns: the line, the first column from 1, and the first one behind.
    """

    message: str | None
    lines: tuple[int, ...] = ()
    stretches: tuple[tuple[int, int, int], ...] = ()


def allowed(kind: str, right: str) -> str:
    """What a good answer to a mistake of this kind says: the right word, or what would be allowed."""
    return _ALLOWED.get(kind, rf"(?<!\w){re.escape(right)}(?!\w)")


def judged(mistake: Mistake, answer: Answer) -> dict[str, bool]:
    """The measures, each true or false."""
    said = answer.message
    if said is None:
        return {"all": True} | dict.fromkeys(MEASURES[1:], False)
    line = mistake.line in answer.lines
    pointed = any(at == mistake.line and first <= mistake.column < end for at, first, end in answer.stretches)
    named = any(re.search(rf"(?<![\w.]){re.escape(token)}(?!\w|\.\w)", said) for token in mistake.tokens if token)
    fixed = re.search(mistake.fix, said, re.IGNORECASE) is not None
    return {"all": True, "found": True, "line": line, "token": pointed or named, "fix": fixed}
