"""The process that runs a trial, and whether it still runs."""

from __future__ import annotations

import os
import platform
import uuid
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from nnspec.system import exists

_LIVE: set[str] = set()
"""The workers of this process."""


def new_owner() -> dict[str, Any]:
    """Return a record of this process, with an ID for one worker in it, which runs until `ended`."""
    owner = {
        "host": platform.node(),
        "place": place(),
        "pid": os.getpid(),
        "started": _started(os.getpid()),
        "id": uuid.uuid4().hex,
    }
    _LIVE.add(str(owner["id"]))
    return owner


def ended(owner: Mapping[str, Any]) -> None:
    """Record that a worker of this process has ended."""
    _LIVE.discard(str(owner["id"]))


def runs(owner: Mapping[str, Any]) -> bool | None:
    """Return whether a worker runs; None if it is on another machine, where this process cannot look.

    Args:
        owner: Its record.
    """
    if owner.get("place") != place():
        return None
    if owner["pid"] == os.getpid():
        return owner["id"] in _LIVE
    # Process IDs are used again; a process also has the time at which it started.
    started = _started(int(owner["pid"]))
    return started is not None and started == owner.get("started")


@cache
def place() -> str:
    """Return an ID of what process IDs are unique in: this start of the machine, and this container."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return f"{platform.node()} {uuid.getnode():x}"


def _started(pid: int) -> str | None:
    """When a process started, as the kernel counts; None if it does not run."""
    try:
        # After the name, which may contain spaces and parentheses: the state is first, the start the 20th.
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        return None if fields[0] in "ZX" else fields[19]
    except (OSError, IndexError):
        if Path("/proc/self/stat").exists():
            return None
    return "" if exists(pid) else None
