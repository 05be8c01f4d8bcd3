"""Request bodies as tables: JSON or CSV rows, a text, or an image. Sizes are checked before parsing."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from nnspec.data.data_files import MemoryFile
from nnspec.data.image_files import Header, ImageFormat, TooManyPixelsError, header_of
from nnspec.data.image_rows import decoded_rows
from nnspec.data.kinds import Column, DataError
from nnspec.data.plan import Feed
from nnspec.data.reader_arguments import with_training_arguments
from nnspec.data.readers.base import Table
from nnspec.data.readers.csv import Csv
from nnspec.data.readers.jsonl import JsonTable
from nnspec.data.recipe import require_columns
from nnspec.data.single_image import SingleValueTable, image_table, training_image_format
from nnspec.diagnostics import NnspecError
from nnspec.serving.budget import BYTES_A_VALUE, Budget
from nnspec.serving.errors import RequestError
from nnspec.serving.json_keys import require_unique_keys

_IMAGE = "the image"
_MAX_PIXELS = 2**24
_BYTES_A_PIXEL = 8
"""Memory for decoding: Pillow's four bytes, and as many for conversion or progressive scans."""

_BYTES_OF_VALUE = 64
"""Maximum length of a number or short word in a body; the excess counts as text."""

_DELIMITERS = {b",": 1, b":": 1, b"[": 4, b"{": 4}
"""Number of values counted per JSON delimiter: a list costs as much as four numbers."""

Bytes = bytes | bytearray


@dataclass(frozen=True)
class ImageInputs:
    """The images that JSON rows can have as PNG or JPEG files in base64.

    Attributes:
        columns: The column type that the model expects, by column.
        recipe: The data section of the model's metadata.
    """

    columns: Mapping[str, Column]
    recipe: Mapping[str, Any]


def json_table(
    body: Bytes,
    feeds: Sequence[Feed],
    series: Sequence[str],
    text_column: str | None,
    budget: Budget,
    images: ImageInputs | None = None,
) -> Table:
    """Parse JSON rows: an object, a list of objects, or a single string.

    Args:
        body: The body.
        feeds: The model inputs with their columns; other columns are ignored.
        series: The columns that identify the series of a row.
        text_column: The column of a single string; None if the model has other inputs.
        budget: The budget of the request.
        images: The columns that can be image files; None for none.

    Raises:
        RequestError: If the rows are invalid, or too many.
        DataError: If a value has another type than the others of its column.
    """
    # Each value except the first follows one of these delimiters.
    values = sum(weight * body.count(sign) for sign, weight in _DELIMITERS.items())
    budget.require_values(values)
    budget.require_values(len(body) - _BYTES_OF_VALUE * values, text=True)
    budget.memory.reserve(BYTES_A_VALUE * values + _characters(body))
    with budget.exclusive(len(body)):
        rows, expected = _json_rows(body, feeds, series, text_column, budget)
    found = {
        column: [row[column] for row in rows]
        for column in (images.columns if images is not None else ())
        if all(isinstance(row[column], str) for row in rows)
    }
    if images is None or not found:
        return JsonTable(((number, row) for number, row in enumerate(rows, 1)), list(expected), _row)
    others = [name for name in expected if name not in found]
    table = JsonTable(((number, {name: row[name] for name in others}) for number, row in enumerate(rows, 1)), others, _row)
    return _with_images(table if others else None, found, images, budget)


def _with_images(table: Table | None, found: Mapping[str, list[str]], images: ImageInputs, budget: Budget) -> Table:
    def reserve(header: Header, look: ImageFormat) -> None:
        budget.memory.reserve(_BYTES_A_PIXEL * (header.height * header.width + look.height * look.width * look.shape[-1]))
        budget.require_time()

    try:
        return decoded_rows(table, found, images.recipe, images.columns, _from_base64, _place, _MAX_PIXELS, reserve)
    except TooManyPixelsError:
        reason = f"an image has more than {_MAX_PIXELS:,} pixels, this server's limit; send a smaller image"
        raise RequestError(413, reason) from None


def _place(column: str, row: int) -> str:
    return f"{_row(row + 1)}, column `{column}`"


def _from_base64(text: str) -> bytes:
    try:
        return b64decode(text.partition(";base64,")[2] or text, validate=True)
    except ValueError:
        raise DataError("a text that is not base64", help="send the PNG or JPEG file in base64, or pixels as lists") from None


def _json_rows(
    body: Bytes, feeds: Sequence[Feed], series: Sequence[str], text_column: str | None, budget: Budget
) -> tuple[list[dict[str, Any]], set[str]]:
    """Return the rows with the expected columns, and these."""
    try:
        parsed = orjson.loads(body)
    except ValueError as error:
        raise RequestError(400, f"the request is not valid JSON: {str(error)[:200]}") from None
    require_unique_keys(body, parsed)
    if isinstance(parsed, str) and text_column is not None:
        parsed = {text_column: parsed}
    rows = parsed if isinstance(parsed, list) else [parsed]
    budget.require_rows(len(rows))
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise RequestError(400, 'expected rows as a JSON object {"column": value, …} or a list of objects')
    for feed in feeds:
        _require_columns(rows[0], feed)
    _require_series(rows[0], series)
    expected = {*series, *(column for feed in feeds for column in feed.columns)}
    return list(_select_columns(rows, expected, budget)), expected


def _require_columns(columns: Collection[str], feed: Feed) -> None:
    try:
        require_columns(columns, feed)
    except NnspecError as error:
        raise RequestError(400, str(error).replace("\n  = help:", ";")) from None


def _require_series(columns: Collection[str], series: Sequence[str]) -> None:
    """Require the columns that identify the series of a row, whose statistics the model uses."""
    for name in series:
        if name not in columns:
            reason = f"the rows have no `{name}`, which identifies the series of a row; add `{name}` to every row"
            raise RequestError(400, reason)


def _select_columns(rows: Sequence[Mapping[str, Any]], expected: set[str], budget: Budget) -> Iterator[dict[str, Any]]:
    first = rows[0].keys()
    for number, row in enumerate(rows, 1):
        if number % 256 == 0:
            budget.require_time()
        if row.keys() != first:
            other = min(row.keys() ^ first)
            has = f"has `{other}`, unlike the first row" if other in row else f"has no `{other}`, unlike the first row"
            raise RequestError(400, f"{_row(number)}: it {has}; use the same keys in every row, and null for missing values")
        yield {column: row[column] for column in expected}


def _row(number: int) -> str:
    return f"the request, row {number}"


def csv_table(
    body: Bytes,
    feeds: Sequence[Feed],
    series: Sequence[str],
    columns: Sequence[str],
    recipe: Mapping[str, Any],
    budget: Budget,
) -> Table:
    """Parse CSV rows in the dialect of the training data, with a header line or in the order of the model's columns.

    Args:
        body: The body.
        feeds: The model inputs with their columns.
        series: The columns that identify the series of a row.
        columns: The model's columns, in order.
        recipe: The data section of the model's metadata.
        budget: The budget of the request.

    Raises:
        RequestError: If the CSV is invalid, there are too many rows or values, or a column is missing.
    """
    reader = with_training_arguments(Csv.model_validate({"file": "rows.csv"}), recipe, {})
    assert isinstance(reader, Csv)
    # The limits were checked on this body, so it must not be decompressed.
    reader = reader.model_copy(update={"encoding": None, "max_bytes": max(len(body), 1)})
    lines = max(body.count(b"\n"), body.count(b"\r")) + 1
    budget.require_rows(lines - 2)
    values = body.count(reader.separator.encode()) + lines
    budget.require_values(values)
    budget.memory.reserve(BYTES_A_VALUE * values + _characters(body))
    first = bytes(body[: body.find(b"\n") + 1 or len(body)]).decode(errors="replace")
    header = {cell.strip().strip('"') for cell in first.split(reader.separator)}
    if not header.intersection(columns):
        reader = reader.model_copy(update={"names": list(columns), "header": False})
    files = {"file": MemoryFile("rows.csv", body)}
    try:
        found = reader.columns(files)
        for feed in feeds:
            _require_columns(found, feed)
        _require_series(found, series)
        budget.require_time()
        return reader.open(files)
    except DataError as error:
        expected = f"expected CSV in UTF-8 with the delimiter {reader.separator!r}"
        raise RequestError(400, f"{error.message}; {expected}", advice=error.help) from None


def text_table(body: Bytes, column: str, budget: Budget) -> Table:
    """Decode a text.

    Raises:
        RequestError: If it is not UTF-8.
    """
    budget.memory.reserve(_characters(body))
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise RequestError(400, "the text is not UTF-8") from None
    return SingleValueTable(column, text, "the text")


def decode_image(body: Bytes, column: str, expected: Column, recipe: Mapping[str, Any], budget: Budget) -> Table:
    """Decode and resize an image as `nnspec predict` does.

    Args:
        body: The bytes of a PNG or JPEG file.
        column: The column of the image.
        expected: The input of the model: height, width, and for three axes channels.
        recipe: The data section of the model's metadata.
        budget: The budget of the request.

    Raises:
        RequestError: If the image is too large or memory is exhausted.
        DataError: If the file is not an image or is damaged.
    """
    try:
        header = header_of(body, _IMAGE, _MAX_PIXELS)
        look = training_image_format(header, _IMAGE, recipe, expected, _MAX_PIXELS)
        budget.memory.reserve(_BYTES_A_PIXEL * (header.height * header.width + look.height * look.width * look.shape[-1]))
        budget.require_time()
        return image_table(body, _IMAGE, look, column, expected, header)
    except TooManyPixelsError:
        reason = f"{_IMAGE} has more than {_MAX_PIXELS:,} pixels, this server's limit; send a smaller image"
        raise RequestError(413, reason) from None


def _characters(body: Bytes) -> int:
    """Maximum memory of the strings in a body. One wide character makes all characters of a string four bytes."""
    return len(body) * (1 if body.isascii() else 4)
