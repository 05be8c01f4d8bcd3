"""The body of a request as a table: rows of JSON or CSV, a text, or a picture; counted before it is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from nnspec.data.as_trained import reader_as_trained
from nnspec.data.data_files import MemoryFile
from nnspec.data.kinds import Column, DataError
from nnspec.data.one_picture import OneValue, look_as_trained, picture_table
from nnspec.data.pictures import TooManyPixelsError, header_of
from nnspec.data.plan import Feed
from nnspec.data.readers.base import Table
from nnspec.data.readers.csv import Csv
from nnspec.data.readers.jsonl import JsonTable
from nnspec.data.recipe import require_columns
from nnspec.serving.budget import BYTES_A_VALUE, Budget
from nnspec.serving.json_keys import require_unique_keys
from nnspec.serving.refusals import Refused

__all__ = ["csv_table", "json_table", "picture_of", "text_table"]

_PICTURE = "the picture"
_MAX_PIXELS = 2**24
_BYTES_A_PIXEL = 8
"""What decoding takes: Pillow's four bytes, and as many where a picture is converted or comes in several scans."""

_BYTES_OF_VALUE = 64
"""What a number, or a short word, takes in a body at most; what is more is counted as text."""

_SIGNS = {b",": 1, b":": 1, b"[": 4, b"{": 4}
"""How many values a sign of JSON stands for: a list costs as much as four numbers."""

Bytes = bytes | bytearray


def json_table(body: Bytes, feeds: Sequence[Feed], text_column: str | None, budget: Budget) -> Table:
    """Rows of JSON: an object, a list of objects, or a text alone.

    Args:
        body: The body.
        feeds: What needs which columns; the others are left out.
        text_column: The column that a text alone stands for; None where the model takes more than a text.
        budget: What the request may use.

    Raises:
        Refused: Where they are no such rows, or too many.
        DataError: Where a row is not like the first.
        NnspecError: Where the first row lacks a column.
    """
    # Each value but the first comes after one of these signs: there are no more.
    values = sum(weight * body.count(sign) for sign, weight in _SIGNS.items())
    budget.require_values(values)
    budget.require_values(len(body) - _BYTES_OF_VALUE * values, text=True)
    budget.room.take(BYTES_A_VALUE * values + _characters(body))
    with budget.alone(len(body)):
        return _json_table(body, feeds, text_column, budget)


def _json_table(body: Bytes, feeds: Sequence[Feed], text_column: str | None, budget: Budget) -> Table:
    try:
        said = orjson.loads(body)
    except ValueError as error:
        raise Refused(400, f"the request is no JSON: {str(error)[:200]}") from None
    require_unique_keys(body, said)
    if isinstance(said, str) and text_column is not None:
        said = {text_column: said}
    rows = said if isinstance(said, list) else [said]
    budget.require_rows(len(rows))
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise Refused(400, 'rows are JSON objects, {"column": value, …}, alone or in a list')
    for feed in feeds:
        require_columns(rows[0], feed)
    wanted = {column for feed in feeds for column in feed.columns}
    return JsonTable(_wanted(rows, wanted, budget), list(wanted), _row)


def _wanted(rows: Sequence[Mapping[str, Any]], wanted: set[str], budget: Budget) -> Iterator[tuple[int, dict[str, Any]]]:
    first = rows[0].keys()
    for number, row in enumerate(rows, 1):
        if number % 256 == 0:
            budget.require_time()
        if row.keys() != first:
            other = min(row.keys() ^ first)
            has = (
                f"has `{other}`, which the first row has not" if other in row else f"has no `{other}`, which the first row has"
            )
            raise DataError(f"{_row(number)}: it {has}", help="give every row the same keys; null is a value that is missing")
        yield number, {column: row[column] for column in wanted}


def _row(number: int) -> str:
    return f"the request, row {number}"


def csv_table(body: Bytes, feeds: Sequence[Feed], columns: Sequence[str], recipe: Mapping[str, Any], budget: Budget) -> Table:
    """Rows of CSV, written as the training data's, with a line of names or in the model's order.

    Args:
        body: The body.
        feeds: What needs which columns.
        columns: The model's columns, in order.
        recipe: What the model says of its data.
        budget: What the request may use.

    Raises:
        Refused: Where there are too many.
        DataError: Where they are no such rows.
        NnspecError: Where a column is missing.
    """
    reader = reader_as_trained(Csv.model_validate({"file": "rows.csv"}), recipe, {})
    assert isinstance(reader, Csv)
    # What was counted is the body as it is: a compressed one may not become more.
    reader = reader.model_copy(update={"encoding": None, "max_bytes": max(len(body), 1)})
    lines = max(body.count(b"\n"), body.count(b"\r")) + 1
    budget.require_rows(lines - 2)
    values = body.count(reader.separator.encode()) + lines
    budget.require_values(values)
    budget.room.take(BYTES_A_VALUE * values + _characters(body))
    first = bytes(body[: body.find(b"\n") + 1 or len(body)]).decode(errors="replace")
    header = {cell.strip().strip('"') for cell in first.split(reader.separator)}
    if not header.intersection(columns):
        reader = reader.model_copy(update={"names": list(columns), "header": False})
    files = {"file": MemoryFile("rows.csv", body)}
    found = reader.columns(files)
    for feed in feeds:
        require_columns(found, feed)
    budget.require_time()
    return reader.open(files)


def text_table(body: Bytes, column: str, budget: Budget) -> Table:
    """A text alone.

    Raises:
        Refused: Where it is not UTF-8.
    """
    budget.room.take(_characters(body))
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise Refused(400, "the text is not UTF-8") from None
    return OneValue(column, text, "the text")


def picture_of(body: Bytes, column: str, wanted: Column, recipe: Mapping[str, Any], budget: Budget) -> Table:
    """A picture, decoded and resized as `nnspec predict` would.

    Args:
        body: A PNG or JPEG file's bytes.
        column: The column it stands for.
        wanted: What the model takes: height, width and, of three axes, channels.
        recipe: What the model says of its data.
        budget: What the request may use.

    Raises:
        Refused: Where there is no room for it.
        DataError: Where it is no picture, or damaged.
    """
    try:
        header = header_of(body, _PICTURE, _MAX_PIXELS)
    except TooManyPixelsError:
        reason = f"{_PICTURE} has more than {_MAX_PIXELS:,} pixels, the most that this server takes; send a smaller one"
        raise Refused(413, reason) from None
    look = look_as_trained(header, _PICTURE, recipe, wanted, _MAX_PIXELS)
    budget.room.take(_BYTES_A_PIXEL * (header.height * header.width + look.height * look.width * look.shape[-1]))
    budget.require_time()
    return picture_table(body, _PICTURE, look, column, wanted)


def _characters(body: Bytes) -> int:
    """What the texts in a body take as strings, at most: a character of four bytes makes all of a string as wide."""
    return len(body) * (1 if body.isascii() else 4)
