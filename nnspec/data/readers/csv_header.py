"""The column names of a CSV table: those of the header, or the argument `names`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nnspec.data.data_files import DataFile
from nnspec.data.kinds import DataError
from nnspec.data.readers.csv_numbers import Notation
from nnspec.spec.dumping import flow

if TYPE_CHECKING:
    from nnspec.data.readers.csv import Csv

__all__ = ["begins_with_header", "require_names"]

_MOST_SHOWN = 16
_SCANNED = 32


def require_names(names: Sequence[str] | None, reader: Csv, path: DataFile) -> list[str]:
    """Return the column names without surrounding spaces.

    Raises:
        DataError: If there are none, or if a name is empty or repeated.
    """
    if not names:
        raise DataError(f"{path.name} is empty", help="the first line must be a header with the column names", argument="file")
    names = [name.strip() for name in names]
    if reader.names is None:
        _refuse_no_header(names, reader, path)
    seen: set[str] = set()
    for position, name in enumerate(names, 1):
        if not name or name in seen:
            reason = f" has two columns `{name}`" if name else f": column {position} has no name"
            raise DataError(f"{path.name}{reason}", help=_other_names(names, reader), argument="file")
        seen.add(name)
    return names


def _refuse_no_header(names: Sequence[str], reader: Csv, path: DataFile) -> None:
    """Raise DataError if the first line is not a header."""
    first = names[0]
    if first.startswith(("[{", '{"')):
        raise DataError(f"{path.name} is JSON, not CSV text", help=f"read it with `jsonl: {reader.file}`", argument="file")
    if first.startswith("sep=") or (len(names) == 1 and first.startswith("#") and len(first) > 1):
        reason = f"{path.name} starts with the line `{first[:40]}`, which is not a header"
        raise DataError(reason, help="remove the line", argument="file")
    if len(names) == 1:
        other = next((d for d in (";", "\t", "|", ",") if d in first), None)
        if other is not None:
            raise DataError(f"{path.name} has one column", help=f"write `delimiter: {flow(other)}`", argument="file")


def _other_names(names: Sequence[str], reader: Csv) -> str:
    """Return a help that replaces unusable names."""
    if reader.names is not None:
        return "give each column a unique name under `names`"
    if len(names) > _MOST_SHOWN:
        return f"write `header: true`, and `names` with a name for each of the {len(names)} columns"
    unique: dict[str, None] = {}
    taken = set(names)
    for position, name in enumerate(names, 1):
        new = name or f"column{position}"
        number = 2
        while new in unique or (new != name and new in taken):
            new = f"{name or f'column{position}'}_{number}"
            number += 1
        unique[new] = None
    return f"write `names: {flow(list(unique))}` and `header: true` to replace the header's names"


def begins_with_header(rows: Sequence[Sequence[str]], names: Sequence[str], reader: Csv, path: DataFile) -> bool:
    """Return whether the first row is a header that `names` replace, for a spec that does not set `header`.

    Raises:
        DataError: If the row could be either a header or data.
    """
    if not rows or len(rows[0]) != len(names):
        return False
    first = [cell.strip() for cell in rows[0]]
    notation = Notation.of(reader)
    numeric = any(map(notation.is_number, first))
    named = any(cell == name and not notation.is_number(cell) for cell, name in zip(first, names, strict=True))
    if named and not numeric:
        return True
    rest = [row for row in rows[1:] if len(row) == len(names)]
    columns = [(first[i], Counter(row[i].strip() for row in rest)) for i in range(min(len(names), _SCANNED)) if rest]
    above_numbers = any(_is_above_numbers(cell, others, notation) for cell, others in columns)
    if named or above_numbers or (not numeric and any(_is_above_classes(*column) for column in columns)):
        shown = reader.separator.join(first[:8])
        reason = f"{path.name} may start with a header, `{shown[:80]}`, but `names` are given without `header`"
        help = "write `header: true` if the first line is a header, `header: false` if it is data"
        raise DataError(reason, help=help, argument="names")
    return False


def _is_above_numbers(cell: str, others: Counter[str], notation: Notation) -> bool:
    if notation.is_missing(cell) or notation.is_number(cell):
        return False
    found = [text for text in others if not notation.is_missing(text)]
    return bool(found) and all(map(notation.is_number, found))


def _is_above_classes(cell: str, others: Counter[str]) -> bool:
    """Return whether the text is unique in its column and every other text repeats."""
    return cell not in others and len(others) > 1 and min(others.values()) > 1
