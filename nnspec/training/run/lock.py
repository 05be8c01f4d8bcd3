"""The lock of a run folder, so that one process at a time trains into it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nnspec.diagnostics import NnspecError


@contextmanager
def run_lock(path: Path) -> Iterator[None]:
    """Locks a run folder. The lock ends with the process.

    The lock is on the folder itself, so no lock file can be left behind. On systems without such locks (Windows), it does
    nothing.

    Raises:
        NnspecError: If another process is training into the folder.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    try:
        number = os.open(path, os.O_RDONLY)
    except OSError as error:
        raise NnspecError(f"{path} cannot be opened: {error.strerror}") from None
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(number)
        raise NnspecError(f"another process is training into {path}") from None
    except OSError:
        pass  # a file system without locks, such as some network drives
    try:
        yield
    finally:
        os.close(number)
