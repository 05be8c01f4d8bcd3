"""The processors and processes of this machine."""

from __future__ import annotations

import os


def processors() -> list[int]:
    """Return the numbers of the processors available to this process.

    Example:
        >>> len(processors()) >= 1
        True
    """
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))


def exists(process: int) -> bool:
    """Return whether a process with this ID exists, also one of another user. On Windows, which cannot be asked, it does.

    Example:
        >>> exists(os.getpid())
        True
    """
    if os.name == "nt":
        return True  # signal 0 would end the process there
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        pass  # a process of another user
    return True
