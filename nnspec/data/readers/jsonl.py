"""JSON Lines: one object on each line, whose keys are the columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from nnspec.data.data_files import DataFile, size_of
from nnspec.data.kinds import Column, DataError
from nnspec.data.missing_texts import missing_among
from nnspec.data.readers.base import Files, Reader, Table
from nnspec.data.readers.json_objects import objects_in, word_for
from nnspec.layers.scalars import PositiveInt

if TYPE_CHECKING:
    from nnspec.data.readers.base import Rows, Values


_MOST_EXAMINED = 1000
"""The maximum number of objects that are examined for a list that is empty in the first one."""


class Jsonl(Reader):
    """A table in JSON Lines format, or one array of objects, optionally compressed with gzip.

    All objects have the same keys. A value is a number, a Boolean, a string, a list of strings (tokens) or a list of
    numbers, which may be nested; null means a missing value. `pad` gives lists of different lengths the same length.
    """

    main_argument: ClassVar[str | None] = "file"
    paths: ClassVar[tuple[str, ...]] = ("file",)
    not_of_values: ClassVar[tuple[str, ...]] = ("max_bytes",)

    file: str = Field(description="The file, UTF-8.", examples=["data/train.jsonl"])
    max_bytes: PositiveInt = Field(2 * 2**30, description="The maximum size of the file after decompression, in bytes.")

    def columns(self, files: Files) -> dict[str, Column]:
        path = files["file"]
        objects = (found for _, found in self._objects(path))
        first = next(objects, None)
        if first is None:
            raise DataError(f"{path.name} is empty", help="write one JSON object on each line", argument="file")
        found = {name: _kind(value) for name, value in first.items()}
        empty = {name for name, value in first.items() if value == []}
        for other in islice(objects, _MOST_EXAMINED) if empty else ():
            known = {name for name in empty if other.get(name, []) != []}
            found |= {name: _kind(other[name]) for name in known}
            empty -= known
            if not empty:
                break
        return found

    def open(self, files: Files) -> Table:
        path = files["file"]
        size = size_of(path)
        if size > self.max_bytes:
            raise DataError(f"{path.name} has {size:,} bytes; `max_bytes` is {self.max_bytes:,}", argument="file")
        return JsonTable(self._objects(path), list(self.columns(files)), lambda number: f"{path.name}, line {number}")

    def _objects(self, path: DataFile) -> Iterator[tuple[int, dict[str, Any]]]:
        return objects_in(path, self.max_bytes, self.file)


jsonl = Jsonl


def _kind(value: Any) -> Column:
    """Return the column type that one value suggests; other values may be more general."""
    depth = 0
    while isinstance(value, list):
        value = value[0] if value else None
        depth += 1
    kind = "text" if isinstance(value, str) else "bool" if isinstance(value, bool) else "unknown"
    return Column((None,) * depth, kind, ragged=kind == "text" and depth == 1)


class JsonTable(Table):
    """A table of JSON objects.

    Args:
        objects: The objects, each with its line number.
        names: The keys of every object.
        place: Returns the place of an object from its number, for messages.

    Raises:
        DataError: If an object has other keys, or a column has values of unsupported or mixed types.
    """

    def __init__(self, objects: Iterable[tuple[int, dict[str, Any]]], names: list[str], place: Callable[[int], str]) -> None:
        self._place = place
        self._lines: list[int] = []
        cells: dict[str, list[Any]] = {name: [] for name in names}
        for number, found in objects:
            if found.keys() != cells.keys():
                other = next(iter(sorted(found.keys() ^ cells.keys())))
                has = "the key `{}` is not in the first line" if other in found else "the key `{}` of the first line is missing"
                reason = f"{place(number)}: {has.format(other)}"
                raise DataError(reason, help="give every line the same keys; write null for a missing value", argument="file")
            self._lines.append(number)
            for name, value in found.items():
                cells[name].append(value)
        self._values = {name: self._array(name, values) for name, values in cells.items()}
        self.columns = {name: _column(array) for name, array in self._values.items()}

    def __len__(self) -> int:
        return len(self._lines)

    def read(self, column: str, rows: Rows) -> Values:
        return self._values[column][rows]

    def where(self, column: str, row: int) -> str:
        return f"{self._place(self._lines[row])}, column `{column}`"

    def _array(self, name: str, values: list[Any]) -> Values:
        import numpy as np

        kinds = {type(value) for value in values} - {type(None)}
        if kinds <= {int, float} or kinds == {bool}:
            return self._numbers(name, values)
        if kinds == {str}:
            self._require_unicode(name, values)
            result = np.empty(len(values), object)
            result[:] = values
            return result
        if kinds == {list}:
            found = next((item for value in values for item in value or ()), None)
            return self._token_lists(name, values) if isinstance(found, str) else self._lists(name, values)
        row = next(
            i for i, value in enumerate(values) if type(value) is dict or type(value) not in (type(values[0]), type(None))
        )
        reason = f"{self.where(name, row)}: got {word_for(values[row])}"
        if type(values[row]) is not dict:
            reason += f", but {word_for(values[0])} in the first line"
        help = "a column has numbers, strings, lists of strings, or lists of numbers"
        texts = {value for value in values if isinstance(value, str)}
        if texts and kinds <= {int, float, str}:
            missing = missing_among(texts, len({value for value in values if isinstance(value, int | float)}))
            help = "write all values of the column as numbers, or all as strings"
            if len(missing) == len(texts):
                help = "write null for a missing value, and put `impute: median` first under `transform`"
        raise DataError(reason, help=help, argument="file")

    def _require_unicode(self, name: str, texts: list[str | None]) -> None:
        """Raise DataError for lone surrogates, which JSON can escape but UTF-8 cannot encode."""
        for row, text in enumerate(texts):
            if text is not None and not text.isascii():
                try:
                    text.encode()
                except UnicodeEncodeError:
                    reason = f"{self.where(name, row)}: lone surrogate (\\ud800 to \\udfff) in the text"
                    raise DataError(reason, help="write the character itself", argument="file") from None

    def _token_lists(self, name: str, values: list[Any]) -> Values:
        """Return an array of lists of strings."""
        import numpy as np

        result = np.empty(len(values), object)
        for row, value in enumerate(values):
            if value is None or not all(isinstance(token, str) for token in value):
                what = "the list is missing" if value is None else "the list has values that are not strings"
                raise DataError(f"{self.where(name, row)}: {what}", help="write a list of strings", argument="file")
            result[row] = value
        self._require_unicode(name, [" ".join(value) for value in values])
        return result

    def _numbers(self, name: str, values: list[Any]) -> Values:
        import numpy as np

        if None in values:
            values = [np.nan if value is None else value for value in values]
        try:
            result = np.array(values)
            return result if result.dtype.kind in "bif" else result.astype(np.float64)
        except OverflowError:
            row = next(i for i, value in enumerate(values) if abs(value) > 1e308)
            raise DataError(f"{self.where(name, row)}: the number is too large", argument="file") from None

    def _lists(self, name: str, values: list[Any]) -> Values:
        """Stack lists of the same shape, or return an array of arrays if their lengths differ."""
        import numpy as np

        result = np.empty(len(values), object)
        for row, value in enumerate(values):
            try:
                array = np.array([] if value is None else value)
            except ValueError:
                array = np.array(None)
            if array.dtype.kind not in "bif" or value is None:
                what = (
                    "the list is missing"
                    if value is None
                    else "the list has values that are not numbers, or lists of different lengths"
                )
                raise DataError(f"{self.where(name, row)}: {what}", argument="file")
            result[row] = array if array.size else array.astype(np.int64)
        first = next((array for array in result if array.size), result[0])
        for row, array in enumerate(result):
            if not array.size and array.ndim < first.ndim:  # a list without rows
                result[row] = array.reshape(0, *first.shape[1:]).astype(first.dtype)
        for row, array in enumerate(result):
            if array.ndim != first.ndim or array.shape[1:] != first.shape[1:]:
                reason = f"{self.where(name, row)}: a list of shape {array.shape}, but {first.shape} in the first line"
                raise DataError(reason, argument="file")
        if len({len(array) for array in result}) == 1:
            return np.stack(list(result))
        dtype = np.result_type(*result)
        result[:] = [array.astype(dtype) for array in result]
        return result


def _column(array: Values) -> Column:
    if array.dtype != object:
        return Column(array.shape[1:], array.dtype.name)
    first = next((value for value in array if value is not None), "")
    if isinstance(first, str | list):
        return Column((None,), "text", ragged=True) if isinstance(first, list) else Column((), "text")
    return Column((None, *array[0].shape[1:]), array[0].dtype.name, ragged=True)
