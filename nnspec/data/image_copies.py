"""Files with the same content, such as images that a data set has twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

_PIECE = 2**10
_MOST_BYTES = 2**30
"""The maximum number of bytes that are read; most files differ in size or in their middle."""


def first_copies(paths: Sequence[Path]) -> dict[int, int]:
    """Find files that have the same content as an earlier one.

    Files are read only if others have the same size and the same bytes in their middle, and at most 1 GiB of them. Empty files,
    and those that cannot be read, have no copies.

    Args:
        paths: The files.

    Returns:
        The index of the first file with the content, by the index of each later one, in order.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> paths = [folder / name for name in "abc"]
        >>> for path, text in zip(paths, ("one", "two", "one")):
        ...     _ = path.write_text(text)
        >>> first_copies(paths)
        {2: 0}
    """
    found: dict[int, int] = {}
    files: dict[tuple[int, int], int] = {}
    sizes: dict[int, list[int]] = defaultdict(list)
    for place, path in enumerate(paths):
        try:
            facts = path.stat()
        except OSError:
            continue
        # A file can have several names.
        first = files.setdefault((facts.st_dev, facts.st_ino), place)
        if first != place:
            found[place] = first
        elif facts.st_size:
            sizes[facts.st_size].append(place)
    left = _MOST_BYTES
    for size, places in sizes.items():
        for alike in _alike(paths, places, size) if len(places) > 1 else ():
            left -= size * len(alike)
            if left >= 0:
                found.update(_equal(paths, alike))
    return {place: found.get(first, first) for place, first in sorted(found.items())}


def _alike(paths: Sequence[Path], places: Sequence[int], size: int) -> list[list[int]]:
    """Group files of one size by the bytes in their middle; groups of one file are left out."""
    groups: dict[bytes, list[int]] = defaultdict(list)
    for place in places:
        try:
            with paths[place].open("rb", buffering=0) as file:
                file.seek(max(0, size // 2 - _PIECE // 2))
                groups[file.read(_PIECE)].append(place)
        except OSError:
            continue
    return [group for group in groups.values() if len(group) > 1]


def _equal(paths: Sequence[Path], places: Sequence[int]) -> dict[int, int]:
    contents: dict[bytes, int] = {}
    found = {}
    for place in places:
        try:
            digest = blake2b(paths[place].read_bytes()).digest()
        except OSError:
            continue
        first = contents.setdefault(digest, place)
        if first != place:
            found[place] = first
    return found
