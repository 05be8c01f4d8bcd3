"""The objects of a JSON file: one in each line, or all in one array."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from nnspec.data.kinds import DataError
from nnspec.data.text_files import open_text, undecodable

__all__ = ["objects_in", "word_for"]

_ARRAY = re.compile(r"\s*\[\s*(?=[{\]])")
_BETWEEN = re.compile(r"\s*(,?)\s*")
_HELP = 'write each object on a line of its own, {"column": value, …}, or all objects in one array, […]'


def objects_in(path: Path, max_bytes: int, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each object of a file, with the number of the line on which it begins.

    Args:
        path: The file, which may be compressed with gzip.
        max_bytes: The most bytes that it may decompress to.
        name: The file as the spec names it, for messages.

    Raises:
        DataError: If something in it is no JSON, or no object.
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
    raise ValueError(f"`{constant}` is no JSON; null is a value that is missing")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise ValueError(f"the key `{twice}` is there twice")
    return found


def _whole(digits: str) -> int:
    if len(digits) > _LONGEST:
        raise ValueError(f"a number of {len(digits):,} digits is too long; write it as text if it is an identifier")
    return int(digits)


_LONGEST = 4000
_DECODER = json.JSONDecoder(parse_constant=_refuse, object_pairs_hook=_distinct, parse_int=_whole)


def _parsed(line: str, path: Path, number: int) -> Any:
    try:
        return _DECODER.decode(line)
    except json.JSONDecodeError as error:
        reason = f"{path.name}, line {number}: {error.msg} (column {error.colno})"
        raise DataError(reason, help=_HELP, argument="file") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path.name}, line {number}: {error}", argument="file") from None


def _items(text: str, path: Path, line: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of an array, one after another."""
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
            reason = f"{path.name}, line {line}: {'one comma too many' if comma else 'a comma is missing'} in the array"
            raise DataError(reason, help=_HELP, argument="file")
        try:
            found, position = _DECODER.raw_decode(text, position)
        except json.JSONDecodeError as error:
            reason = f"{path.name}, line {line + text.count(chr(10), seen, error.pos)}: {error.msg}"
            raise DataError(reason, help="the array is cut short or damaged", argument="file") from None
        except (ValueError, RecursionError) as error:
            raise DataError(f"{path.name}, line {line}: {error}", argument="file") from None
        yield line, _object(found, path, line, "an item")
        first = False
    if text[position + 1 :].strip():
        line += text.count("\n", seen, position)
        raise DataError(f"{path.name}, line {line}: there is more behind the array", help=_HELP, argument="file")


def _object(found: Any, path: Path, line: int, what: str) -> dict[str, Any]:
    if not isinstance(found, dict):
        reason = f"{path.name}, line {line}: {what} is an object, and this is {word_for(found)}"
        raise DataError(reason, help='write {"column": value, …}', argument="file")
    return found


def word_for(value: Any) -> str:
    """What a value is called in messages."""
    words = {dict: "an object", list: "a list", str: "a text", bool: "a truth value", type(None): "null"}
    return words.get(type(value), "a number")
