"""What a column contains, judged by its values: numbers, categories, text, dates, identifiers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import quantiles
from typing import Literal

from nnspec.data.times import iso_time, looks_like_time
from nnspec.drafting.table_sample import Value

Kind = Literal["number", "category", "text", "date", "identifier", "constant", "empty"]

_MOST_CATEGORIES = 1_000
_MOST_SHOWN = 3
_LONGEST_SHOWN = 16
_WORDS_OF_TEXT = 4
_MOSTLY = 0.95
_CHECKED_TIMES = 1_000
_LARGEST = 1e150

_IDENTIFIER = re.compile(r"(?i:(?:.*[ _-])?(?:id|uuid|guid|index|idx|key|row|rownum|unnamed: 0|code|nr|no))|.*[a-z](?:Id|ID)")
_SURE_IDENTIFIER = re.compile(r"(?i:(?:.*[ _-])?(?:id|uuid|guid))|.*[a-z](?:Id|ID)")


@dataclass(frozen=True)
class ColumnFacts:
    """What a column contains.

    Attributes:
        name: Its name.
        kind: What its values are.
        rows: The number of rows.
        missing: The number of missing values.
        counts: How often each value occurs; empty for texts and dates.
        words: The number of words that 95 % of the texts do not exceed; 0 for other kinds.
        vocabulary: The number of distinct words that occur more than once; 0 for other kinds.
        ordered: Whether dates are in order, from the first row to the last.
        shown: Its values in a few words.
    """

    name: str
    kind: Kind
    rows: int
    missing: int
    counts: Counter[str | float] = field(default_factory=Counter)
    words: int = 0
    vocabulary: int = 0
    ordered: bool = False
    shown: str = ""

    @property
    def names_rows(self) -> bool:
        """Whether the column is called an ID, and its values repeat."""
        return (
            self.kind == "identifier"
            and _SURE_IDENTIFIER.fullmatch(self.name) is not None
            and 1 < len(self.counts) < self.rows - self.missing
        )

    @property
    def is_too_large(self) -> bool:
        """Whether the square of a number, or the number itself, is infinite, so that no deviation can be computed."""
        return self.kind == "number" and any(isinstance(value, float) and abs(value) > _LARGEST for value in self.counts)


def column_facts(name: str, values: Sequence[Value]) -> ColumnFacts:
    """Judge a column by its values.

    Args:
        name: Its name.
        values: Its values.

    Example:
        >>> column_facts("age", [22.0, 38.0, None]).kind
        'number'
        >>> column_facts("sex", ["male", "female", "female"]).counts.most_common(1)
        [('female', 2)]
    """
    present = [value for value in values if value is not None]
    rows, missing = len(values), len(values) - len(present)
    if not present:
        return ColumnFacts(name, "empty", rows, missing, shown="no values")
    if any(isinstance(value, list) for value in present):
        return _of_text(name, rows, [value for value in present if isinstance(value, list)])
    scalars = [value for value in present if not isinstance(value, list)]
    counts = Counter(scalars)
    if len(counts) == 1:
        return ColumnFacts(name, "constant", rows, missing, counts, shown=f"always {_short(scalars[0])}")
    if all(isinstance(value, float) for value in scalars):
        return _of_numbers(name, rows, missing, counts)
    return _of_texts(name, rows, missing, [str(value) for value in scalars], counts)


def _of_numbers(name: str, rows: int, missing: int, counts: Counter[str | float]) -> ColumnFacts:
    numbers = sorted(float(value) for value in counts)
    shown = f"{_number(numbers[0])} to {_number(numbers[-1])}"
    is_whole = all(number.is_integer() for number in numbers)
    is_distinct = len(counts) == rows - missing
    if is_whole and all(18000101 <= number <= 22001231 and iso_time(f"{number:.0f}") for number in numbers[:_CHECKED_TIMES]):
        return ColumnFacts(name, "date", rows, missing, shown=shown)
    # Distinct whole numbers without gaps number the rows; measurements have gaps.
    is_sequence = is_whole and is_distinct and numbers[-1] - numbers[0] == len(numbers) - 1 and len(numbers) > _MOST_SHOWN
    is_identifier = is_whole and (
        is_sequence or (_IDENTIFIER.fullmatch(name) is not None and len(counts) > 0.9 * (rows - missing))
    )
    repeats = is_whole and _SURE_IDENTIFIER.fullmatch(name) is not None
    return ColumnFacts(name, "identifier" if is_identifier or repeats else "number", rows, missing, counts, shown=shown)


def _of_texts(name: str, rows: int, missing: int, texts: Sequence[str], counts: Counter[str | float]) -> ColumnFacts:
    present = rows - missing
    checked = texts[:_CHECKED_TIMES]
    if sum(map(looks_like_time, checked)) >= _MOSTLY * len(checked):
        ordered = all(one <= other for one, other in pairwise(texts))
        ordered = ordered and missing == 0 and all(map(iso_time, texts))
        return ColumnFacts(name, "date", rows, missing, ordered=ordered, shown=f"{min(texts)} to {max(texts)}")
    words = sum(text.count(" ") + 1 for text in checked) / len(checked)
    if words >= _WORDS_OF_TEXT and len(counts) > 0.5 * present:
        return _of_text(name, rows, [text.lower().split() for text in texts], missing)
    common = [f"{_short(value)} {count:,}" for value, count in counts.most_common(_MOST_SHOWN)]
    more = f", {len(counts) - _MOST_SHOWN:,} more" if len(counts) > _MOST_SHOWN else ""
    shown = ", ".join(common) + more
    # Of values that hardly repeat, no training learns anything that holds for other rows.
    repeated = present / len(counts) >= 2 and len(counts) <= _MOST_CATEGORIES
    if _SURE_IDENTIFIER.fullmatch(name) or not repeated:
        return ColumnFacts(name, "identifier", rows, missing, counts, shown=f"{len(counts):,} distinct values")
    return ColumnFacts(name, "category", rows, missing, counts, shown=shown)


def _of_text(name: str, rows: int, texts: Sequence[Sequence[str]], missing: int | None = None) -> ColumnFacts:
    lengths = [len(words) for words in texts]
    long = quantiles(lengths, n=20)[-1] if len(lengths) > 1 else lengths[0]
    vocabulary = sum(count > 1 for count in Counter(word for words in texts for word in words).values())
    missing = rows - len(texts) if missing is None else missing
    least, most = min(lengths), max(lengths)
    shown = f"{least} to {most} words" if least < most else f"{most} words"
    return ColumnFacts(name, "text", rows, missing, words=max(1, round(long)), vocabulary=vocabulary, shown=shown)


def _number(number: float) -> str:
    if not number.is_integer() or abs(number) >= 1e12:
        return f"{number:.4g}"
    return f"{number:.0f}" if abs(number) < 10_000 else f"{number:,.0f}"  # 1984 may be a year


def _short(value: str | float) -> str:
    text = _number(value) if isinstance(value, float) else str(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"
