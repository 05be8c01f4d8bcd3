"""Safe reading of ``.keras`` files: sizes are checked before anything is unpacked."""

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

CONFIG = "config.json"
WEIGHTS = "model.weights.h5"

_LARGEST_CONFIG = 64 * 2**20
_MOST_VALUES = 2_000_000
"""NASNetLarge has 50,000. A parsed value takes up to 200 bytes, even if its text is short."""

_LARGEST_WEIGHTS = 64 * 2**30
_MOST_MEMBERS = 10_000
_DEEPEST = 200
_EXPANSION = 200
"""The largest compression ratio, against zip bombs. Keras does not compress; a config compresses to a tenth."""

_CHUNK = 2**20


def refuse(file: str, reason: str, help: str = "") -> SpecError:
    """Return the error for an invalid file."""
    return SpecError([_refusal(file, reason, help)])


def _refusal(file: str, reason: str, help: str) -> Diagnostic:
    return k.NotAKerasModel.at(Span.whole(file), help=help, reason=reason)


@contextmanager
def open_archive(path: Path) -> Iterator[tuple[Any, IO[bytes] | None]]:
    """Open a ``.keras`` file: its config, and its weights as an open file, or None.

    Raises:
        SpecError: If it is not a valid ``.keras`` file.
    """
    _require_file(path)
    with TemporaryFile() as weights:
        config, has_weights = _opened(path, weights)
        weights.seek(0)
        yield config, weights if has_weights else None


def _opened(path: Path, weights: IO[bytes]) -> tuple[Any, bool]:
    """Return the config and whether there are weights, which are written to a file."""
    name = str(path)
    try:
        with zipfile.ZipFile(path) as archive:
            members = _members(archive, name)
            if CONFIG not in members:
                raise refuse(name, f"it does not contain {CONFIG}", _SAVE)
            config = parse_json(_read(archive, members[CONFIG], _LARGEST_CONFIG, name), name)
            if WEIGHTS in members:
                _unpack(archive, members[WEIGHTS], weights, name)
            elif other := next((member for member in members if member.startswith("model.weights")), None):
                raise refuse(name, f"its weights are in `{other}`, but only {WEIGHTS} is supported", _SAVE)
            return config, WEIGHTS in members
    except (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, RuntimeError, ValueError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise refuse(name, f"it cannot be read: {error.strerror or error}") from None
        raise refuse(name, f"it is not a complete .keras file: {_first_line(error)}", _SAVE) from None


_SAVE = "save the model in Keras 3: `model.save('model.keras')`"


def read_config_file(path: Path) -> Any:
    """Read the config in a ``.json`` file, as returned by ``model.to_json()``.

    Raises:
        SpecError: If it cannot be read or is not JSON.
    """
    _require_file(path)
    name = str(path)
    try:
        if path.stat().st_size > _LARGEST_CONFIG:
            raise refuse(name, f"its config has {path.stat().st_size:,} bytes; the limit is {_LARGEST_CONFIG:,}")
        return parse_json(path.read_bytes(), name)
    except OSError as error:
        raise refuse(name, f"it cannot be read: {error.strerror or error}") from None


def parse_json(data: bytes, name: str) -> Any:
    """Parse JSON of limited size and depth.

    Raises:
        SpecError: If it is invalid or exceeds the limits.
    """
    values = sum(data.count(mark) for mark in (b",", b"[", b"{"))
    if values > _MOST_VALUES:
        raise refuse(name, f"its config has about {values:,} values; the limit is {_MOST_VALUES:,}")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise refuse(name, f"its config is not JSON: {_first_line(error)}") from None
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > _DEEPEST:
            raise refuse(name, f"its config is nested more than {_DEEPEST} levels deep")
        inside = [item.values() if isinstance(item, dict) else item for item in level if isinstance(item, dict | list)]
        level = [item for items in inside for item in items]
    return value


def _require_file(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise refuse(str(path), "the file does not exist") from None
    except (OSError, ValueError) as error:
        raise refuse(str(path), f"it cannot be read: {error}") from None
    if stat.S_ISDIR(mode):
        raise refuse(str(path), "it is a directory", "pass a .keras file, or the .json of `model.to_json()`")
    if not stat.S_ISREG(mode):
        raise refuse(str(path), "it is not a regular file")


def _members(archive: zipfile.ZipFile, name: str) -> dict[str, zipfile.ZipInfo]:
    """Return the members by name, after checking their names."""
    entries = archive.infolist()
    if len(entries) > _MOST_MEMBERS:
        raise refuse(name, f"it has {len(entries):,} members; the limit is {_MOST_MEMBERS:,}")
    members: dict[str, zipfile.ZipInfo] = {}
    for entry in entries:
        if entry.filename in members:
            raise refuse(name, f"it contains `{entry.filename}` twice")
        if entry.filename.startswith(("/", "\\")) or ".." in entry.filename.replace("\\", "/").split("/"):
            raise refuse(name, f"it contains a path outside the archive: `{entry.filename}`")
        members[entry.filename] = entry
    return members


def _check_size(entry: zipfile.ZipInfo, most: int, name: str) -> None:
    if entry.flag_bits & 1:
        raise refuse(name, f"`{entry.filename}` is encrypted")
    if entry.file_size > most:
        raise refuse(name, f"`{entry.filename}` has {entry.file_size:,} bytes; the limit is {most:,}")
    if entry.file_size > 2**20 and entry.file_size > _EXPANSION * max(entry.compress_size, 1):
        raise refuse(name, f"`{entry.filename}` unpacks to {entry.file_size / max(entry.compress_size, 1):,.0f} times its size")


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int, name: str) -> bytes:
    _check_size(entry, most, name)
    with archive.open(entry) as member:
        data = member.read(entry.file_size + 1)  # the size in the header may be wrong
    if len(data) != entry.file_size:
        raise refuse(name, f"`{entry.filename}` does not have the size in its header")
    return data


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, out: IO[bytes], name: str) -> None:
    _check_size(entry, _LARGEST_WEIGHTS, name)
    written = 0
    with archive.open(entry) as member:
        while chunk := member.read(_CHUNK):
            written += len(chunk)
            if written > entry.file_size:
                raise refuse(name, f"`{entry.filename}` is larger than the size in its header")
            out.write(chunk)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
