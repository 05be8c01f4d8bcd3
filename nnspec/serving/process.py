"""Process-wide settings of the server: file descriptors, memory allocator, image decoder."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

__all__ = ["prepare_process"]

_OTHER_FILES = 256
_MMAP_THRESHOLD, _TRIM_THRESHOLD, _ARENA_MAX = -3, -1, -8
"""Parameters of glibc's `mallopt`."""
_LARGE = 256 * 1024
_TEXT_BYTES = 2**20


def prepare_process(connections: int) -> None:
    """Raise the limit of open files, and let freed memory return to the operating system.

    Args:
        connections: The maximum number of open connections.
    """
    _raise_file_limit(connections + _OTHER_FILES)
    _return_freed_memory()
    _limit_png_texts()


def _raise_file_limit(required: int) -> None:
    with suppress(ImportError, OSError, ValueError):  # not on Windows
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != resource.RLIM_INFINITY and soft < required:
            most = required if hard == resource.RLIM_INFINITY else min(required, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


def _return_freed_memory() -> None:
    """Configure glibc, which by default keeps freed memory per thread: hundreds of megabytes after a few large requests."""
    if not sys.platform.startswith("linux"):
        return
    with suppress(OSError, AttributeError):  # another libc
        libc = ctypes.CDLL(None)
        for option, value in ((_MMAP_THRESHOLD, _LARGE), (_TRIM_THRESHOLD, _LARGE), (_ARENA_MAX, 2)):
            libc.mallopt(option, value)


def _limit_png_texts() -> None:
    with suppress(ImportError):
        from PIL import PngImagePlugin

        # Pillow decompresses the text chunks of an image when it is opened. They are not used here.
        PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY = _TEXT_BYTES
