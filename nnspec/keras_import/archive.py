"""A ``.keras`` file opened as what it may be: hostile. Nothing is unpacked before its size is known to be bearable."""

from __future__ import annotations

import json
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from nnspec.diagnostics import Diagnostic, Span, SpecError
from nnspec.keras_import import problems as k

__all__ = ["open_archive", "read_config_file"]

CONFIG = "config.json"
WEIGHTS = "model.weights.h5"

_LARGEST_CONFIG = 64 * 2**20
_MOST_VALUES = 2_000_000
"""Those of NASNetLarge are 50,000. Parsed, a value takes up to 200 bytes, however few it has in the text."""

_LARGEST_WEIGHTS = 64 * 2**30
_MOST_MEMBERS = 10_000
_DEEPEST = 200
_EXPANSION = 200
"""Keras stores its members as they are; a config compresses to a tenth. What grows more than this is a bomb."""

_CHUNK = 2**20


def refuse(file: str, reason: str, help: str = "") -> SpecError:
    """The error that ends the reading of a file."""
    return SpecError([_refusal(file, reason, help)])


def _refusal(file: str, reason: str, help: str) -> Diagnostic:
    return k.NotAKerasModel.at(Span.whole(file), help=help, reason=reason)


@contextmanager
def open_archive(path: Path) -> Iterator[tuple[Any, IO[bytes] | None]]:
    """The config of a ``.keras`` file, and its weights as an open file; None where it has none.

    Raises:
        SpecError: Where it is not what Keras writes.
    """
    _require_file(path)
    with TemporaryFile() as weights:
        config, has_weights = _opened(path, weights)
        weights.seek(0)
        yield config, weights if has_weights else None


def _opened(path: Path, weights: IO[bytes]) -> tuple[Any, bool]:
    """The config; the weights are written into a file, where there are any."""
    name = str(path)
    try:
        with zipfile.ZipFile(path) as archive:
            members = _members(archive, name)
            if CONFIG not in members:
                raise refuse(name, f"it has no {CONFIG}", _SAVE)
            config = parse_json(_read(archive, members[CONFIG], _LARGEST_CONFIG, name), name)
            if WEIGHTS in members:
                _unpack(archive, members[WEIGHTS], weights, name)
            elif other := next((member for member in members if member.startswith("model.weights")), None):
                raise refuse(name, f"its weights are in `{other}`, and only {WEIGHTS} is read", _SAVE)
            return config, WEIGHTS in members
    except (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, RuntimeError, ValueError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise refuse(name, f"it cannot be read: {error.strerror or error}") from None
        raise refuse(name, f"it is not a whole .keras file: {_first_line(error)}", _SAVE) from None


_SAVE = "save the model in Keras 3: `model.save('model.keras')`"


def read_config_file(path: Path) -> Any:
    """The config in a ``.json`` file, what ``model.to_json()`` gives.

    Raises:
        SpecError: Where it cannot be read, or is no JSON.
    """
    _require_file(path)
    name = str(path)
    try:
        if path.stat().st_size > _LARGEST_CONFIG:
            raise refuse(name, f"a config of {path.stat().st_size:,} bytes; {_LARGEST_CONFIG:,} is the most")
        return parse_json(path.read_bytes(), name)
    except OSError as error:
        raise refuse(name, f"it cannot be read: {error.strerror or error}") from None


def parse_json(data: bytes, name: str) -> Any:
    """The value of a JSON text that is not too deep.

    Raises:
        SpecError: Where it is no such text.
    """
    values = sum(data.count(mark) for mark in (b",", b"[", b"{"))
    if values > _MOST_VALUES:
        raise refuse(name, f"its config has some {values:,} values; {_MOST_VALUES:,} is the most")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise refuse(name, f"its config is no JSON: {_first_line(error)}") from None
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > _DEEPEST:
            raise refuse(name, f"its config is nested over {_DEEPEST} deep")
        inside = [item.values() if isinstance(item, dict) else item for item in level if isinstance(item, dict | list)]
        level = [item for items in inside for item in items]
    return value


def _require_file(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise refuse(str(path), "there is no such file") from None
    except (OSError, ValueError) as error:
        raise refuse(str(path), f"it cannot be read: {error}") from None
    if stat.S_ISDIR(mode):
        raise refuse(str(path), "it is a directory", "name a .keras file, or the .json of `model.to_json()`")
    if not stat.S_ISREG(mode):
        raise refuse(str(path), "it is no ordinary file")


def _members(archive: zipfile.ZipFile, name: str) -> dict[str, zipfile.ZipInfo]:
    """The members by name, each once; those that a model has not are not looked at."""
    entries = archive.infolist()
    if len(entries) > _MOST_MEMBERS:
        raise refuse(name, f"it has {len(entries):,} members; {_MOST_MEMBERS:,} is the most")
    members: dict[str, zipfile.ZipInfo] = {}
    for entry in entries:
        if entry.filename in members:
            raise refuse(name, f"it has `{entry.filename}` twice")
        if entry.filename.startswith(("/", "\\")) or ".." in entry.filename.replace("\\", "/").split("/"):
            raise refuse(name, f"it has a member that leaves its folder: `{entry.filename}`")
        members[entry.filename] = entry
    return members


def _check_size(entry: zipfile.ZipInfo, most: int, name: str) -> None:
    if entry.flag_bits & 1:
        raise refuse(name, f"`{entry.filename}` is encrypted")
    if entry.file_size > most:
        raise refuse(name, f"`{entry.filename}` has {entry.file_size:,} bytes; {most:,} is the most")
    if entry.file_size > 2**20 and entry.file_size > _EXPANSION * max(entry.compress_size, 1):
        raise refuse(name, f"`{entry.filename}` unpacks to {entry.file_size / max(entry.compress_size, 1):,.0f} times its size")


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int, name: str) -> bytes:
    _check_size(entry, most, name)
    with archive.open(entry) as member:
        data = member.read(entry.file_size + 1)  # what a header says of the size is only a claim
    if len(data) != entry.file_size:
        raise refuse(name, f"`{entry.filename}` is not as long as it says")
    return data


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, out: IO[bytes], name: str) -> None:
    _check_size(entry, _LARGEST_WEIGHTS, name)
    written = 0
    with archive.open(entry) as member:
        while chunk := member.read(_CHUNK):
            written += len(chunk)
            if written > entry.file_size:
                raise refuse(name, f"`{entry.filename}` is longer than it says")
            out.write(chunk)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
