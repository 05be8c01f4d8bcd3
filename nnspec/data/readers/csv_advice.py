"""Suggestions for the reader `csv` when a column of numbers contains other text."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from nnspec.data.data_files import DataFile
from nnspec.data.missing_texts import missing_among
from nnspec.data.readers.csv_numbers import Notation
from nnspec.spec.dumping import flow

if TYPE_CHECKING:
    from nnspec.data.readers.csv import Csv

__all__ = ["mended"]

_NOTATIONS = ((".", ","), (",", None), (",", "."), (".", " "), (",", " "), (".", "'"), (",", "'"), (".", "_"))
"""Decimal and thousands separators to try, in order."""


def _written(reader: Csv, **arguments: Any) -> str:
    """Return the reader as a spec writes it, with changed arguments."""
    given = reader.model_dump(exclude_unset=True) | arguments
    return f"csv: {flow(given)}"


def mended(reader: Csv, path: DataFile, column: str, texts: Collection[str], numeric: Collection[str]) -> str:
    """Suggest arguments that make the texts of a column numbers or missing values.

    Args:
        reader: The reader.
        path: The file.
        column: The column.
        texts: Its distinct texts that are not numbers; empty if its infinite numbers are the problem.
        numeric: The numeric columns, which must stay numeric.

    Returns:
        A clause for a help, empty if no argument helps.
    """
    notation = Notation.of(reader)
    found, used_marks = _scanned(reader, path, {column, *numeric})
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
        missing = missing_among(_not_numbers(own, better), sum(map(better.is_number, own)))
    if missing:
        arguments["missing"] = [*used_marks, *missing]
    return f"write `{_written(reader, **arguments)}`" if arguments else ""


def _not_numbers(texts: Collection[str], notation: Notation) -> list[str]:
    return [text for text in texts if not notation.is_number(text) and not notation.is_missing(text)]


def _notation(own: Collection[str], others: Collection[Collection[str]], used: Notation) -> Notation | None:
    """Return the notation in which most texts of a column are numbers and the other columns stay numeric, if any.

    Texts that are still not numbers must be the exception: one word in a column of prices is a damaged value, but one
    number in a column of words does not make it numeric.
    """
    best, least = None, min(len(_not_numbers(own, used)), len(own) / 2)
    for decimal, thousands in _NOTATIONS:
        tried = Notation(decimal, thousands, used.missing)
        left = _not_numbers(own, tried)
        damaged = len(left) - len(missing_among(left, len(own) - len(left)))
        if damaged < least and not any(_not_numbers(texts, tried) for texts in others):
            best, least = tried, damaged
    return best


def _scanned(reader: Csv, path: DataFile, columns: Collection[str]) -> tuple[dict[str, set[str]], list[str]]:
    """Return the distinct texts of some columns, and which texts of `missing` occur anywhere in the table."""
    places = {name: i for i, name in enumerate(reader.columns({"file": path})) if name in columns}
    found: dict[str, set[str]] = {name: set() for name in places}
    known = set(reader.missing) - {""}
    used: set[str] = set()
    for chunk in reader.table(path):
        for name, i in places.items():
            found[name].update(text.strip() for text in chunk[i])
        for texts in chunk:
            used |= known.intersection(texts)
    return found, sorted(used)
