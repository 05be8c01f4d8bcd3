"""What to write when a value of the data is not what its use takes: for the help of a diagnostic."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data.missing_texts import missing_among
from nnspec.data.plan import Feed
from nnspec.data.readers.base import Table
from nnspec.data.transforms.classes import label_encode, one_hot
from nnspec.data.transforms.numbers import impute
from nnspec.data.transforms.text import tokenize

__all__ = ["for_infinite", "for_missing", "for_text"]

Values = NDArray[Any]

_MOST = 1000
"""The most different texts that are looked at."""

_DIGITS = 17
"""The most digits that float64 keeps."""

_DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}([-/.]\d{1,2})?([T ].*)?|\d{1,2}[-/.]\d{1,2}[-/.](\d{2}|\d{4})( .*)?|\d{1,2}:\d\d(:\d\d.*)?"
    r"|\d{1,2}[ -]?[A-Za-z]{3,9}\.?[ -]?,? ?(\d{2}|\d{4})( .*)?|[A-Za-z]{3,9}\.? \d{1,2},? \d{4}( .*)?"
)
_UNIT = re.compile(r"(?P<before>[^\d\s+\-.,]{0,4}) ?[+-]?[\d.,]*\d[\d.,]* ?(?P<after>[^\d\s.,]{1,6}|)")


def for_text(table: Table, feed: Feed, column: str, values: Values) -> str:
    """The help for a column of text whose values are to be numbers.

    Args:
        table: The table.
        feed: What the column feeds.
        column: The column.
        values: Its values: texts, None for a missing one.
    """
    texts = {value for value in values.ravel().tolist() if value is not None}
    bad = sorted(text for text in texts if not table.is_number(text))
    if not bad:
        text = f"`{column}` holds numbers as text: write them as numbers into the file"
        if any(len(value) > _DIGITS for value in texts):
            text = f"`{column}` holds whole numbers of more digits than a number keeps: write fewer digits into the file"
        return f"{text}; if they are classes or identifiers, {_for_classes(table, feed, column, texts)}"
    missing = missing_among(bad, len(texts) - len(bad))
    mend = table.mend(column, bad)
    if mend:
        return mend + (f", and {_impute(feed)}" if missing else "")
    if missing and len(texts) > len(bad) >= len(missing) == len(bad):
        return f"write an empty value, or null, for {_listed(missing)} into the file, and {_impute(feed)}"
    some = bad[:_MOST]
    if all(_DATE.fullmatch(text) for text in some):
        return _for_dates(feed, column)
    if len(texts) == len(bad) and (unit := _unit(some)):
        return f"write the numbers of `{column}` without `{unit}` into the file"
    classes = _for_classes(table, feed, column, texts)
    if all(text.lstrip("+-")[:1].isdigit() for text in some):
        return f"write the values of `{column}` as numbers such as 1234.5 into the file; if they are classes, {classes}"
    return classes


def _for_dates(feed: Feed, column: str) -> str:
    name = f"`{column}` holds dates, which are not numbers"
    if feed.is_target:
        return f"{name}: predict a number, such as the days since 1970, in a column of its own"
    if len(feed.columns) > 1:
        return f"{name}: leave it out of `columns`, or write numbers into the file, such as the days since 1970"
    return f"{name}: name another column, or write numbers into the file, such as the days since 1970"


def _unit(texts: Sequence[str]) -> str | None:
    """The unit or currency that all texts have, as `%` in `12 %`; None if they have none, or are no numbers with one."""
    units = {found["before"] + found["after"] if (found := _UNIT.fullmatch(text)) else "" for text in texts}
    [unit] = units if len(units) == 1 else [""]
    return unit or None


def _for_classes(table: Table, feed: Feed, column: str, texts: set[str]) -> str:
    if any(not table.columns[other].is_text for other in feed.columns):
        if feed.is_target:
            return f"leave `{column}` out of `columns`: numbers and classes cannot be one target"
        return f"give `{column}` an input of its own with `label_encode` under `transform`, or leave it out of `columns`"
    if not feed.is_target and np.mean([len(text.split()) for text in sorted(texts)[:_MOST]]) > 2:
        return "put `tokenize` and `pad` under `transform`"
    which = "`label_encode`" if feed.is_target else "`label_encode` or `one_hot`"
    first = feed.transforms[0] if feed.transforms else None
    if isinstance(first, impute):
        if any(isinstance(step, label_encode | one_hot | tokenize) for step in feed.transforms):
            return f"write `impute: most_frequent` in place of `impute: {first.strategy}`"
        return f"write `impute: most_frequent` and {which} in place of `impute: {first.strategy}`"
    return f"put {which} {'first ' if first else ''}under `transform`"


def for_missing(feed: Feed) -> str:
    """The help for a missing value."""
    return _impute(feed) + ("" if feed.is_target else ", or leave the row out")


def _impute(feed: Feed) -> str:
    first = feed.transforms[0] if feed.transforms else None
    if feed.is_target:
        return "leave the rows without a target out of the file"
    strategy = "most_frequent" if isinstance(first, label_encode | one_hot | tokenize) else "median"
    return f"put `impute: {strategy}` first under `transform`"


def for_infinite(table: Table, feed: Feed, column: str, values: Values) -> str:
    """The help for an infinite value."""
    mend = table.mend(column, []) if np.isinf(values).any() else ""
    if feed.is_target:
        return mend or "write a finite number into the file, or leave the row out"
    return f"{mend or 'write a finite number, or none, into the file'}, and {_impute(feed)}"


def _listed(texts: Sequence[str]) -> str:
    return ", ".join(f"`{text}`" for text in texts[:4]) + (" …" if len(texts) > 4 else "")
