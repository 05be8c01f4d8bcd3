"""Suggestions for misspelled words, and which of them are certain."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from nnspec.diagnostics import Advice
from nnspec.diagnostics.remedies import Respell

_MOST_CANDIDATES, _MOST_COMPARED, _LONGEST_WORD = 300, 20, 100


def closest(word: str, candidates: Iterable[object]) -> str | None:
    """Return the candidate closest to a misspelled word, or None; only the last ones of a long list are considered.

    Example:
        >>> closest("filter", ["filters", "kernel_size"])
        'filters'
    """
    if len(word) > _LONGEST_WORD:
        return None
    names = [name for name in map(str, list(candidates)[-_MOST_CANDIDATES:]) if len(name) <= _LONGEST_WORD]
    folded = {name.lower().replace("_", ""): name for name in names}
    key = word.lower().replace("_", "")
    if key in folded:
        return folded[key]
    if (sure := certain(word, names)) is not None:
        return sure
    if (short := _abbreviated(word, names)) is not None:
        return short
    if len(folded) > _MOST_COMPARED:  # comparison is slow: keep the names with the most letter pairs in common
        pairs = _pairs(key)
        nearest = sorted(folded, key=lambda other: len(pairs & _pairs(other)), reverse=True)[:_MOST_COMPARED]
        folded = {other: folded[other] for other in nearest}
        names = list(folded.values())
    found = difflib.get_close_matches(word, names, n=1, cutoff=0.6) or difflib.get_close_matches(key, folded, n=1, cutoff=0.6)
    return folded.get(found[0], found[0]) if found else None


def did_you_mean(word: str, candidates: Iterable[object], otherwise: str = "", *, defined: bool = False) -> str:
    """Return a help text that suggests the closest candidate, or another text if there is none.

    If the suggestion is [`certain`][], it carries the remedy.

    Args:
        word: Word as written.
        candidates: All words that are valid in its place.
        otherwise: Help if no candidate is similar.
        defined: Whether the document defines the candidates.

    Example:
        >>> did_you_mean("filter", ["filters"], "remove it"), did_you_mean("x", ["filters"], "remove it")
        ('did you mean `filters`?', 'remove it')
    """
    names = [*map(str, candidates)]
    suggestion = closest(word, names)
    return suggested(word, suggestion, names, defined=defined) if suggestion else otherwise


def renamed(word: str, name: str) -> Advice:
    """Return a help text for a word that is another name of something: ``double`` is ``float64``."""
    return Advice(f"did you mean `{name}`?", Respell(old=word, new=name))


def suggested(word: str, suggestion: str, candidates: Iterable[object], *, defined: bool = False) -> Advice:
    """Return a help text for a suggestion, with the remedy if it is the [`certain`][] one.

    Args:
        word: Word as written.
        suggestion: What it probably means.
        candidates: All words that are valid in its place.
        defined: Whether the document defines the candidates.
    """
    if certain(word, candidates) == suggestion:
        return Advice(f"did you mean `{suggestion}`?", Respell(old=word, new=suggestion, is_defined=defined))
    return Advice(f"did you mean `{suggestion}`?")


def certain(word: str, candidates: Iterable[object]) -> str | None:
    """Return the candidate that a word certainly misspells, or None if there is none or another one is possible.

    The word differs from exactly one candidate by upper and lower case or separators only, or by one slip: a letter missing,
    added, replaced, or swapped with the next. In words of eight letters and more, two slips are enough if every other
    candidate differs by four. A different number is no slip: `conv3` may be a step that was forgotten, not `conv2`.

    Example:
        >>> [certain(word, ["filters", "kernel_size"]) for word in ("fliters", "KernelSize", "kernel")]
        ['filters', 'kernel_size', None]
        >>> certain("conv3", ["conv1", "conv2"]), certain("ConvD", ["Conv1D", "Conv2D"]), certain("cov1", ["conv1", "conv2"])
        (None, None, 'conv1')
    """
    names = dict.fromkeys(map(str, candidates))
    if len(word) > _LONGEST_WORD or len(names) > _MOST_CANDIDATES:
        return None
    key = _folded(word)
    same = [name for name in names if _folded(name) == key]
    if same:
        return same[0] if len(same) == 1 else None
    most, far = (2, _FAR) if len(key) >= _LONG else (1, 2)
    letters = set(key)
    near: dict[str, int] = {}
    for name in names:
        other = _folded(name)  # a slip changes the length by one, and the set of letters by two
        if abs(len(other) - len(key)) < far and len(letters.symmetric_difference(other)) < 2 * far:
            near[name] = _slips(key, other)
    fewest = min(near.values(), default=far)
    found = [name for name, slips in near.items() if slips < (far if fewest > 1 else 2)]
    if fewest > most or len(found) != 1 or max(len(word), len(found[0])) < _SHORTEST_CERTAIN:
        return None
    return found[0] if re.findall(r"\d+", found[0]) == re.findall(r"\d+", word) else None


class Misspelled(ValueError):
    """A value that is none of the valid words.

    Attributes:
        reason: What is wrong.
        help: What was probably meant, or empty.
    """

    def __init__(self, reason: str, help: str) -> None:
        super().__init__(f"{reason}; {help}" if help else reason)
        self.reason = reason
        self.help = help


_SHORTEST_CERTAIN = 4
"""Minimum length of the longer of two words of which one is certainly the other with a slip."""

_LONG, _FAR = 8, 4
"""Length from which two slips are certain, and how many slips every other candidate then differs by at least."""


def _folded(word: str) -> str:
    return re.sub(r"[_\s-]", "", word).lower()


def _slips(a: str, b: str) -> int:
    """Return how many letters to insert, delete, replace or swap with the next one, to make one word of another."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        before, last, row = row, before, [i]
        for j, other in enumerate(b, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == b[j - 2] and a[i - 2] == other:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]


_SHORTEST = 3
"""Minimum length of an abbreviation."""

_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def _abbreviated(word: str, names: Iterable[str]) -> str | None:
    """Return the shortest name that a word abbreviates: its prefix, or prefixes of its parts.

    Example:
        >>> names = ["AUC", "Accuracy", "BinaryAccuracy", "CategoricalAccuracy"]
        >>> _abbreviated("Acc", names), _abbreviated("CatAcc", names), _abbreviated("Acu", names)
        ('Accuracy', 'CategoricalAccuracy', None)
    """
    if len(word) < _SHORTEST:
        return None
    parts = [part.lower() for part in _PART.findall(word)]
    found = [name for name in names if len(name) > len(word) and _begins(parts, [p.lower() for p in _PART.findall(name)])]
    return min(found, key=len, default=None)


def _begins(parts: list[str], whole: list[str]) -> bool:
    """Whether the parts of a word are prefixes of the parts of a name, in order."""
    if not parts or not whole or len(parts) > len(whole):
        return False
    if len(parts) == 1:
        return whole[0].startswith(parts[0])
    return len(parts) == len(whole) and all(b.startswith(a) for a, b in zip(parts, whole, strict=True))


def _pairs(word: str) -> set[str]:
    return {word[place : place + 2] for place in range(len(word) - 1)}
