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
    if missing:
        arguments["missing"] = [*_used_marks(reader, path), *missing]
    if set(texts) - {*missing}:
        better = _notation(own, list(found.values()), notation.missing | {*missing})
        if better is None:
            return ""
        changed = {"decimal": better.decimal, "thousands": better.thousands}
        arguments |= {name: value for name, value in changed.items() if value != getattr(reader, name)}
    return f"write `{_written(reader, **arguments)}`" if arguments else ""


def _notation(own: Collection[str], others: Collection[Collection[str]], missing: frozenset[str]) -> Notation | None:
    """A way of writing numbers in which all texts of a column are such, and the other columns keep theirs."""
    for decimal, thousands in _NOTATIONS:
        tried = Notation(decimal, thousands, missing)
        if all(tried.is_number(text) or tried.is_missing(text) for texts in (own, *others) for text in texts):
            return tried
    return None


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
