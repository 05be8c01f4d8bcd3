"""Headers of safetensors files, read without NumPy."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

from nnspec.diagnostics import NnspecError

_MOST_BYTES = 25_000_000
"""The largest header that is read, enough for about 200,000 arrays. The format allows four times as much."""

_BITS = {f"{kind}{bits}": bits for kind in "FIU" for bits in (8, 16, 32, 64)} | {"BOOL": 8, "BF16": 16}
"""The bits of a value by dtype; the size of arrays of other dtypes is not checked."""


class UnreadableHeader(NnspecError):
    """A file that is not a safetensors file. The text completes a sentence that begins with the file."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An array of a file.

    Attributes:
        shape: Its shape.
        dtype: Its dtype, such as ``F32``.
        begin: Position of its first byte in the file.
        end: Position after its last byte.
    """

    shape: tuple[int, ...]
    dtype: str
    begin: int
    end: int


def read_header(path: Path) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a file's arrays, by name, in alphabetical order.

    Args:
        path: The file.

    Raises:
        UnreadableHeader: If it is not a safetensors file, or is truncated.
    """
    return {name: entry.shape for name, entry in read_entries(path).items()}


def read_entries(path: Path) -> dict[str, Entry]:
    """Return the arrays of a file without their values, by name, in alphabetical order.

    Args:
        path: The file.

    Raises:
        UnreadableHeader: If it is not a safetensors file, or is truncated.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8)
            length = int.from_bytes(start, "little")
            if len(start) < 8 or length < 2 or length > size - 8:
                raise UnreadableHeader("is not a safetensors file: it does not begin with the length of a header")
            if length > _MOST_BYTES:
                raise UnreadableHeader(f"has a header of {length:,} bytes, and at most {_MOST_BYTES:,} are allowed")
            header = json.loads(file.read(length))
    except OSError as error:
        raise UnreadableHeader(f"cannot be read: {(error.strerror or str(error)).lower()}") from None
    except (ValueError, RecursionError):
        raise UnreadableHeader("is not a safetensors file: its header is not JSON") from None
    if not isinstance(header, dict):
        raise UnreadableHeader("is not a safetensors file: its header is not a mapping")
    header.pop("__metadata__", None)
    return {name: _entry(name, header[name], 8 + length, size) for name in sorted(header)}


def _entry(name: str, entry: Any, begin: int, size: int) -> Entry:
    """Return an array whose shape agrees with its byte range."""
    shape, offsets = (entry.get(key) if isinstance(entry, Mapping) else None for key in ("shape", "data_offsets"))
    if not _are_counts(shape) or not _are_counts(offsets) or len(offsets) != 2:
        raise UnreadableHeader(f"is not a safetensors file: its header does not describe `{name}`")
    bits = _BITS.get(str(entry.get("dtype")))
    if bits is not None and 8 * (offsets[1] - offsets[0]) != bits * math.prod(shape):
        raise UnreadableHeader(f"is damaged: `{name}` has the shape {tuple(shape)}, but has {offsets[1] - offsets[0]:,} bytes")
    if offsets[1] > size - begin:
        raise UnreadableHeader(f"is truncated: `{name}` ends after the end of the file")
    return Entry(tuple(shape), str(entry.get("dtype")), begin + offsets[0], begin + offsets[1])


def _are_counts(values: object) -> TypeGuard[list[int]]:
    return isinstance(values, list) and all(type(value) is int and 0 <= value < 2**63 for value in values)
