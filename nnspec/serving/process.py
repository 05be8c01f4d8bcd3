"""What a process that serves asks of its system, and of the libraries it shares with others."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

__all__ = ["prepare_process"]

_OTHER_FILES = 256
_MMAP_THRESHOLD, _TRIM_THRESHOLD, _ARENA_MAX = -3, -1, -8
"""`mallopt` of glibc."""
_LARGE = 256 * 1024
_TEXT_BYTES = 2**20


def prepare_process(connections: int) -> None:
    """Makes room for connections, and has memory that is freed given back to the system.

    Args:
        connections: How many may be open.
    """
    _allow_files(connections + _OTHER_FILES)
    _give_memory_back()
    _bound_pictures()


def _allow_files(wanted: int) -> None:
    with suppress(ImportError, OSError, ValueError):  # not on Windows
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


def _give_memory_back() -> None:
    """By default glibc keeps what was freed, for each thread apart: after a few large requests, hundreds of megabytes."""
    if not sys.platform.startswith("linux"):
        return
    with suppress(OSError, AttributeError):  # another libc
        libc = ctypes.CDLL(None)
        for option, value in ((_MMAP_THRESHOLD, _LARGE), (_TRIM_THRESHOLD, _LARGE), (_ARENA_MAX, 2)):
            libc.mallopt(option, value)


def _bound_pictures() -> None:
    with suppress(ImportError):
        from PIL import PngImagePlugin

        # Texts in a picture are unpacked when it is opened; nobody reads them.
        PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY = _TEXT_BYTES
