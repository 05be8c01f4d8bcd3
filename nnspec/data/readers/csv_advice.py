"""What to write for the reader ``csv`` when texts of a column are to be numbers."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnspec.data.missing_texts import missing_among
from nnspec.data.readers.csv_numbers import Notation
from nnspec.spec.dumping import flow

if TYPE_CHECKING:
    from nnspec.data.readers.csv import Csv

__all__ = ["mended"]

_NOTATIONS = ((".", ","), (",", None), (",", "."), (".", " "), (",", " "), (".", "'"), (",", "'"), (".", "_"))
"""The decimal and thousands separators that are tried, in order."""


def _written(reader: Csv, **arguments: Any) -> str:
    """The reader as a spec writes it, with other arguments."""
    given = reader.model_dump(exclude_unset=True) | arguments
    return f"csv: {flow(given)}"


def mended(reader: Csv, path: Path, column: str, texts: Collection[str], numeric: Collection[str]) -> str:
    """The arguments with which the texts of a column are numbers or missing values, as a clause; empty if there are none.

    Args:
        reader: The reader.
        path: The file.
        column: The column.
        texts: Its texts that are no numbers, each once; none if it is its infinite numbers that cannot be used.
        numeric: The columns of numbers: they must stay so.
    """
    notation = Notation.of(reader)
    found = dict(_distinct(reader, path, {column, *numeric}))
    own = found.pop(column)
    texts = texts or [text for text in own if notation.is_infinite(text)]
    missing = missing_among(texts, sum(map(notation.is_number, own)))
    if all(map(notation.is_number, texts)):
        missing = sorted(texts)
    arguments: dict[str, Any] = {}
    if set(texts) - {*missing}:
        better = _notation(own, list(found.values()), notation)
        if better is None:
            return ""
        changed = {"decimal": better.decimal, "thousands": better.thousands}
        arguments |= {name: value for name, value in changed.items() if value != getattr(reader, name)}
        missing = missing_among(_no_numbers(own, better), sum(map(better.is_number, own)))
    if missing:
        arguments["missing"] = [*_used_marks(reader, path), *missing]
    return f"write `{_written(reader, **arguments)}`" if arguments else ""


def _no_numbers(texts: Collection[str], notation: Notation) -> list[str]:
    return [text for text in texts if not notation.is_number(text) and not notation.is_missing(text)]


def _notation(own: Collection[str], others: Collection[Collection[str]], used: Notation) -> Notation | None:
    """The notation in which most texts of a column are numbers, and the other columns keep theirs.

    What is left must be the exception: one word in a column of prices is a damaged value, one number in a column of words
    is no reason to read it as numbers.
    """
    best, least = None, min(len(_no_numbers(own, used)), len(own) / 2)
    for decimal, thousands in _NOTATIONS:
        tried = Notation(decimal, thousands, used.missing)
        left = _no_numbers(own, tried)
        damaged = len(left) - len(missing_among(left, len(own) - len(left)))
        if damaged < least and not any(_no_numbers(texts, tried) for texts in others):
            best, least = tried, damaged
    return best


def _distinct(reader: Csv, path: Path, columns: Collection[str]) -> Iterator[tuple[str, set[str]]]:
    """The different texts of columns."""
    places = {name: i for i, name in enumerate(reader.columns({"file": path})) if name in columns}
    found: dict[str, set[str]] = {name: set() for name in places}
    for chunk in reader.table(path):
        for name, i in places.items():
            found[name].update(text.strip() for text in chunk[i])
    yield from found.items()


def _used_marks(reader: Csv, path: Path) -> list[str]:
    """The texts that stand for a missing value already, as far as the table has them."""
    known = set(reader.missing) - {""}
    used: set[str] = set()
    for chunk in reader.table(path):
        for texts in chunk:
            used |= known.intersection(texts)
    return sorted(used)
