"""Help texts for values that are text, missing or infinite where numbers are required."""

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

Values = NDArray[Any]

_MOST = 1000
"""The maximum number of distinct texts that are examined."""

_DIGITS = 17
"""The maximum number of significant digits of float64."""

_DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}([-/.]\d{1,2})?([T ].*)?|\d{1,2}[-/.]\d{1,2}[-/.](\d{2}|\d{4})( .*)?|\d{1,2}:\d\d(:\d\d.*)?"
    r"|\d{1,2}[ -]?[A-Za-z]{3,9}\.?[ -]?,? ?(\d{2}|\d{4})( .*)?|[A-Za-z]{3,9}\.? \d{1,2},? \d{4}( .*)?"
)
_UNIT = re.compile(r"(?P<before>[^\d\s+\-.,]{0,4}) ?[+-]?[\d.,]*\d[\d.,]* ?(?P<after>[^\d\s.,]{1,6}|)")


def for_text(table: Table, feed: Feed, column: str, values: Values) -> str:
    """Return the help for a text column where numbers are required.

    Args:
        table: The table.
        feed: The input or target that uses the column.
        column: The name of the column.
        values: Its values: strings, or None if missing.
    """
    texts = {value for value in values.ravel().tolist() if value is not None}
    bad = sorted(text for text in texts if not table.is_number(text))
    if not bad:
        text = f"`{column}` contains numbers stored as text: store them as numbers in the file"
        if any(len(value) > _DIGITS for value in texts):
            text = f"`{column}` contains integers with more digits than float64 can represent: write fewer digits in the file"
        return f"{text}; if they are classes or identifiers, {_for_classes(table, feed, column, texts)}"
    missing = missing_among(bad, len(texts) - len(bad))
    mend = table.mend(column, bad)
    if mend:
        return mend + (f", and {_impute(feed)}" if missing else "")
    if missing and len(texts) > len(bad) >= len(missing) == len(bad):
        return f"replace {_listed(missing)} in the file by an empty value or null, and {_impute(feed)}"
    some = bad[:_MOST]
    if all(_DATE.fullmatch(text) for text in some):
        return _for_dates(feed, column)
    if len(texts) == len(bad) and (unit := _unit(some)):
        return f"remove the unit `{unit}` from the values of `{column}` in the file"
    classes = _for_classes(table, feed, column, texts)
    if all(text.lstrip("+-")[:1].isdigit() for text in some):
        return f"write the values of `{column}` in the file as numbers such as 1234.5; if they are classes, {classes}"
    return classes


def _for_dates(feed: Feed, column: str) -> str:
    name = f"`{column}` contains dates, which are not numbers"
    if feed.is_target:
        return f"{name}: predict a separate column of numbers, such as days since 1970"
    if len(feed.columns) > 1:
        return f"{name}: remove it from `columns`, or convert it to numbers in the file, such as days since 1970"
    return f"{name}: name another column, or convert it to numbers in the file, such as days since 1970"


def _unit(texts: Sequence[str]) -> str | None:
    """Return the unit or currency that all texts share, such as `%` in `12 %`; None if they are not numbers with one unit."""
    units = {found["before"] + found["after"] if (found := _UNIT.fullmatch(text)) else "" for text in texts}
    [unit] = units if len(units) == 1 else [""]
    return unit or None


def _for_classes(table: Table, feed: Feed, column: str, texts: set[str]) -> str:
    if any(not table.columns[other].is_text for other in feed.columns):
        if feed.is_target:
            return f"remove `{column}` from `columns`: one target cannot combine numbers and classes"
        return f"declare a separate input for `{column}` with `label_encode` under `transform`, or remove it from `columns`"
    if not feed.is_target and np.mean([len(text.split()) for text in sorted(texts)[:_MOST]]) > 2:
        return "put `tokenize` and `pad` under `transform`"
    which = "`label_encode`" if feed.is_target else "`label_encode` or `one_hot`"
    first = feed.transforms[0] if feed.transforms else None
    if isinstance(first, impute):
        if any(isinstance(step, label_encode | one_hot | tokenize) for step in feed.transforms):
            return f"replace `impute: {first.strategy}` by `impute: most_frequent`"
        return f"replace `impute: {first.strategy}` by `impute: most_frequent` and {which}"
    return f"put {which} {'first ' if first else ''}under `transform`"


def for_missing(feed: Feed) -> str:
    """Return the help for a missing value."""
    return _impute(feed) + ("" if feed.is_target else ", or remove the row")


def _impute(feed: Feed) -> str:
    first = feed.transforms[0] if feed.transforms else None
    if feed.is_target:
        return "remove rows without a target from the file"
    strategy = "most_frequent" if isinstance(first, label_encode | one_hot | tokenize) else "median"
    return f"put `impute: {strategy}` first under `transform`"


def for_infinite(table: Table, feed: Feed, column: str, values: Values) -> str:
    """Return the help for an infinite value."""
    mend = table.mend(column, []) if np.isinf(values).any() else ""
    if feed.is_target:
        return mend or "write a finite number in the file, or remove the row"
    return f"{mend or 'write a finite number in the file, or leave the value empty'}, and {_impute(feed)}"


def _listed(texts: Sequence[str]) -> str:
    return ", ".join(f"`{text}`" for text in texts[:4]) + (" …" if len(texts) > 4 else "")
