"""What a server is told when it starts."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

__all__ = ["Settings"]


def _threads() -> int:
    # One core is left to the connections: with all of them computing, LeNet's rate halves (docs/serving.md).
    return max(1, len(os.sched_getaffinity(0)) - 1) if hasattr(os, "sched_getaffinity") else max(1, (os.cpu_count() or 2) - 1)


@dataclass(frozen=True)
class Settings:
    """What a server is told when it starts.

    Attributes:
        tokens: The bearer tokens that are let in; none: everyone is.
        max_bytes: The most that a body may hold, unpacked.
        max_rows: The most rows of one request to ``/predict``.
        max_values: The most values of one request to ``/predict``: keys, numbers, words, and the characters of texts.
        max_ratio: How many times its size a packed body may become, beyond its first megabyte.
        held_bytes: The most that all requests being answered may hold together: bodies, what is made of them, answers.
        deadline: Seconds after which a request that asks for no shorter time is answered with 504.
        body_seconds: Seconds within which a body must have come.
        header_seconds: Seconds within which a request's head must have come.
        write_seconds: Seconds within which a client must take some of what is written to it.
        warm_up_seconds: Seconds within which a model must be loaded and have answered once.
        hosts: What a request may call this server in its header ``Host``, beside addresses and ``localhost``; ``*``: anything.
            None: anything, unless only this machine reaches the server.
        queue: How many requests may wait for one model.
        batch_rows: The most rows that are computed at once.
        tile: How large a picture may be to be computed whole, where the model can answer tile by tile; None: any is.
        threads: How many threads compute one operator.
        connections: How many may be open.
        drain_seconds: After SIGTERM, how long connections are still taken, each closed with its answer.
        access_log: Whether each request is written down.
        require_proof: Whether a model needs a parity record that is its own.
    """

    tokens: frozenset[bytes] = frozenset()
    max_bytes: int = 32 * 2**20
    max_rows: int = 10_000
    max_values: int = 1_000_000
    max_ratio: int = 100
    held_bytes: int = 128 * 2**20
    deadline: float = 30.0
    body_seconds: float = 20.0
    header_seconds: float = 10.0
    write_seconds: float = 10.0
    warm_up_seconds: float = 60.0
    hosts: frozenset[str] | None = None
    queue: int = 256
    batch_rows: int = 64
    tile: int | None = None
    threads: int = field(default_factory=_threads)
    connections: int = 1000
    drain_seconds: float = 1.0
    access_log: bool = True
    require_proof: bool = True
