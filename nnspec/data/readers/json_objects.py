"""The objects of a JSON file: one on each line, or all in one array."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, NoReturn

from nnspec.data.data_files import DataFile
from nnspec.data.kinds import DataError
from nnspec.data.text_files import open_text, undecodable

_ARRAY = re.compile(r"\s*\[\s*(?=[{\]])")
_BETWEEN = re.compile(r"\s*(,?)\s*")
_HELP = 'write one object on each line, {"column": value, …}, or all objects in one array, […]'


def objects_in(path: DataFile, max_bytes: int, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Iterate over the objects of a file, each with the number of its first line.

    Args:
        path: The file, optionally compressed with gzip.
        max_bytes: The maximum decompressed size.
        name: The file's name in the spec, for messages.

    Raises:
        DataError: If the file is not valid JSON or has a value that is not an object.
    """
    try:
        with open_text(path, "JSON", max_bytes, name=name) as file:
            first = file.readline()
            number = 1
            while first and not first.strip():
                first, number = file.readline(), number + 1
            if _ARRAY.match(first) or first.strip() == "[":
                yield from _items(first + file.read(), path, number)
                return
            while first:
                if first.strip():
                    yield number, _object(_parsed(first, path, number), path, number, "a line")
                first, number = file.readline(), number + 1
    except UnicodeDecodeError as error:
        raise undecodable(path, error, max_bytes, "save it as UTF-8") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"`{constant}` is not valid JSON; write null for a missing value")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise ValueError(f"duplicate key `{twice}`")
    return found


def _whole(digits: str) -> int:
    if len(digits) > _LONGEST:
        raise ValueError(f"a number of {len(digits):,} digits is too long; if it is an identifier, write it as a string")
    return int(digits)


_LONGEST = 4000
_DECODER = json.JSONDecoder(parse_constant=_refuse, object_pairs_hook=_distinct, parse_int=_whole)


def _parsed(line: str, path: DataFile, number: int) -> Any:
    try:
        return _DECODER.decode(line)
    except json.JSONDecodeError as error:
        reason = f"{path.name}, line {number}: {error.msg} (column {error.colno})"
        raise DataError(reason, help=_HELP, argument="file") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path.name}, line {number}: {error}", argument="file") from None


def _items(text: str, path: DataFile, line: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """Iterate over the objects of an array."""
    position = text.index("[") + 1
    seen, comma, first = 0, False, True
    while True:
        between = _BETWEEN.match(text, position)
        assert between is not None
        position, comma = between.end(), bool(between[1])
        line += text.count("\n", seen, position)
        seen = position
        if text[position : position + 1] == "]" and not comma:
            break
        if position < len(text) and comma == first:
            reason = f"{path.name}, line {line}: {'extra comma' if comma else 'missing comma'} in the array"
            raise DataError(reason, help=_HELP, argument="file")
        try:
            found, position = _DECODER.raw_decode(text, position)
        except json.JSONDecodeError as error:
            reason = f"{path.name}, line {line + text.count(chr(10), seen, error.pos)}: {error.msg}"
            raise DataError(reason, help="the array is truncated or damaged", argument="file") from None
        except (ValueError, RecursionError) as error:
            raise DataError(f"{path.name}, line {line}: {error}", argument="file") from None
        yield line, _object(found, path, line, "an item")
        first = False
    if text[position + 1 :].strip():
        line += text.count("\n", seen, position)
        raise DataError(f"{path.name}, line {line}: unexpected text after the array", help=_HELP, argument="file")


def _object(found: Any, path: DataFile, line: int, what: str) -> dict[str, Any]:
    if not isinstance(found, dict):
        reason = f"{path.name}, line {line}: {what} must be an object, got {word_for(found)}"
        raise DataError(reason, help='write {"column": value, …}', argument="file")
    return found


def word_for(value: Any) -> str:
    """Return the name of a value's type for messages."""
    words = {dict: "an object", list: "a list", str: "a string", bool: "a Boolean", type(None): "null"}
    return words.get(type(value), "a number")
