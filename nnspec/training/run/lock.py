"""One process at a time trains into a run folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nnspec.diagnostics import NnspecError

__all__ = ["run_lock"]


@contextmanager
def run_lock(path: Path) -> Iterator[None]:
    """Holds a run folder against other processes. The hold ends with the process, however that ends.

    It is on the folder itself: no file of it can be left behind. Where the system has no such holds (Windows), it is none.

    Raises:
        NnspecError: If another process trains into it.
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
        raise NnspecError(f"another process trains into {path} right now") from None
    except OSError:
        pass  # a file system without holds: some network drives
    try:
        yield
    finally:
        os.close(number)
