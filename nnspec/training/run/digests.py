"""Digests of the files of a run folder. A changed bit is detected when a file is read, and its array is named."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnspec.printable import json_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

_KEY = "nnspec"
"""The key of a safetensors header for all values that are not arrays."""

_UNCOVERED = ("digest", "notes")
"""The keys of ``run.json`` that its digest does not cover: itself, and the user's notes."""


class Altered(ValueError):
    """Content that differs from its digest. The text completes a sentence that begins with the file."""


@dataclass(frozen=True)
class Sealed:
    """Arrays read from a safetensors file.

    Attributes:
        arrays: The arrays by name, in alphabetical order.
        metadata: The further values of the header.
        digest: The digest of the file's content; None in a file that was written without digests.
    """

    arrays: dict[str, NDArray[Any]]
    metadata: Mapping[str, Any]
    digest: str | None


def digest_of(content: bytes) -> str:
    """The digest of a file's bytes: BLAKE2b of 256 bits.

    Example:
        >>> digest_of(b"")[:24]
        'blake2b:0e5751c026e543b2'
    """
    return f"blake2b:{hashlib.blake2b(content, digest_size=32).hexdigest()}"


def info_digest(info: Mapping[str, Any]) -> str:
    """The digest of what ``run.json`` states. The order of keys, the layout, and the key ``notes`` do not change it."""
    covered = {name: value for name, value in info.items() if name not in _UNCOVERED}
    return digest_of(_canonical(covered))


def sealed(arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, Any]) -> tuple[bytes, str]:
    """A safetensors file whose header has a digest of each array, and one of the whole.

    Args:
        arrays: The arrays.
        metadata: Further values for the header, plain JSON.

    Returns:
        The file's content, and the digest of the whole.
    """
    import numpy as np
    from safetensors.numpy import save

    arrays = {name: np.asarray(array) for name, array in arrays.items()}
    record = {**metadata, "digests": dict(zip(arrays, _array_digests(arrays.values()), strict=True))}
    whole = _header_digest(arrays, record)
    # One key: the library writes several in an order that differs from time to time.
    return save(dict(arrays), {_KEY: json_text({**record, "digest": whole})}), whole


def read_sealed(path: Path, *, required: bool = False) -> Sealed:
    """Reads a safetensors file and compares it with the digests in its header.

    Args:
        path: The file.
        required: Whether a file without digests is refused.

    Raises:
        Altered: If a digest is missing or differs; the text names the array.
        SafetensorError: If it is no safetensors file.
        OSError: If it cannot be read.
    """
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata() or {}
        arrays = {name: file.get_tensor(name) for name in sorted(file.keys())}
    if _KEY not in metadata and not required:
        return Sealed(arrays, metadata, None)
    record = _record(metadata)
    whole, expected = record.pop("digest", None), record.get("digests")
    if whole is None or whole != _header_digest(arrays, record) or not isinstance(expected, dict):
        raise Altered("the header differs from its digest")
    for name, found in zip(arrays, _array_digests(arrays.values()), strict=True):
        if expected.get(name) != found:
            raise Altered(f"the array `{name}` differs from its digest")
    return Sealed(arrays, record, whole)


def _record(metadata: Mapping[str, str]) -> dict[str, Any]:
    try:
        record = json.loads(metadata.get(_KEY, ""))
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict):
        raise Altered("the header has no digests")
    return record


def _header_digest(arrays: Mapping[str, NDArray[Any]], record: Mapping[str, Any]) -> str:
    """The digest of everything but the arrays' values, which have digests of their own in the record."""
    types = {name: [str(array.dtype), list(array.shape)] for name, array in arrays.items()}
    return digest_of(_canonical([types, dict(record)]))


def _canonical(document: Any) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


_WORTH_THREADS = 2**23
"""Bytes from which on hashing takes longer than starting threads."""


def _array_digests(arrays: Collection[NDArray[Any]]) -> list[str]:
    """Hashing releases the interpreter, so several large arrays are hashed at once."""
    if sum(array.nbytes for array in arrays) < _WORTH_THREADS:
        return [_array_digest(array) for array in arrays]
    with ThreadPoolExecutor() as pool:
        return list(pool.map(_array_digest, arrays))


def _array_digest(array: NDArray[Any]) -> str:
    import numpy as np

    flat = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    return hashlib.blake2b(flat.data, digest_size=16).hexdigest()
