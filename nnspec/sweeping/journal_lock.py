"""The lock of a journal, which ends with its process."""

from __future__ import annotations

import os
from io import FileIO
from pathlib import Path

from nnspec.diagnostics import NnspecError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_TAIL = 1 << 16
_NOT_SHARED = ("nolock", "local_lock=all", "local_lock=flock")


class JournalLock:
    """Locks a journal while a record is appended.

    Optuna's own locks are files: one that a killed process leaves behind stops all others for half a minute. This one is the
    kernel's. A process that was killed while it wrote leaves half a line, which is removed before the next one is appended.

    Args:
        file: The journal.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._open: FileIO | None = None

    def acquire(self) -> bool:
        """Wait for the lock.

        Raises:
            NnspecError: If the file system has no locks.
        """
        opened = FileIO(self._file, "rb+")
        try:
            lock_exclusively(opened, self._file)
            _remove_half_line(opened)
        except BaseException:
            opened.close()
            raise
        self._open = opened
        return True

    def release(self) -> None:
        """Release the lock."""
        if self._open is not None:
            self._open.close()
            self._open = None


def has_locks() -> bool:
    """Return whether this system has locks that end with their process."""
    return fcntl is not None


def lock_exclusively(opened: FileIO, file: Path) -> None:
    """Lock an open file.

    Raises:
        NnspecError: If the file system has no locks.
    """
    try:
        fcntl.flock(opened.fileno(), fcntl.LOCK_EX)
    except OSError as error:
        raise without_locks(file, error.strerror or str(error)) from None


def without_locks(file: Path, reason: str) -> NnspecError:
    """The error for a journal on a file system without locks."""
    return NnspecError(
        f"{file} is on a file system without file locks that all workers share ({reason}), so they would destroy the journal\n"
        "  = help: use a file on another file system, or a database: `--storage postgresql://USER@HOST/DATABASE`"
    )


def local_locks(file: Path, mounts: str) -> str | None:
    """Return the mount option due to which the locks of a file are not shared between machines; None if they are.

    Args:
        file: The file, as an absolute path.
        mounts: The content of ``/proc/mounts``.

    Example:
        >>> local_locks(Path("/data/j.log"), "host:/d /data nfs rw,nolock,vers=3 0 0")
        'nolock'
    """
    found = [line.split() for line in mounts.splitlines()]
    holding = [fields for fields in found if len(fields) > 3 and file.is_relative_to(fields[1].replace("\\040", " "))]
    fields = max(holding, key=lambda fields: len(fields[1]), default=["", "", "", ""])
    options = fields[3].split(",") if fields[2].startswith("nfs") else []
    return next((option for option in _NOT_SHARED if option in options), None)


def _remove_half_line(opened: FileIO) -> None:
    size = opened.seek(0, os.SEEK_END)
    start = max(0, size - _TAIL)
    opened.seek(start)
    tail = opened.read(_TAIL)
    end = tail.rfind(b"\n") + 1
    # A file without any whole line was not written by a sweep, and is left alone.
    if end not in (0, len(tail)):
        opened.truncate(start + end)
