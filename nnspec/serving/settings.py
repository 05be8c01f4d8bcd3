"""Settings of the server."""

from __future__ import annotations

import os
from dataclasses import dataclass, field


def default_threads(processes: int = 1) -> int:
    """The number of threads per operator.

    Args:
        processes: The number of processes that share the cores.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 2
    # Leave one core for the connections: if all cores compute, the throughput of LeNet halves (docs/serving.md).
    return max(1, (cores - 1) // processes)


@dataclass(frozen=True)
class Settings:
    """Settings of the server.

    Attributes:
        tokens: The accepted bearer tokens; if empty, no token is required.
        max_bytes: The maximum size of a decompressed body.
        max_rows: The maximum number of rows of a request to ``/predict``.
        max_values: The maximum number of values of a request to ``/predict``: keys, numbers, words, and characters of text.
        max_ratio: The maximum compression ratio of a body that decompresses to more than 1 MiB.
        memory_bytes: The maximum memory of all requests in progress: bodies, tensors, and responses.
        deadline: Seconds after which a request gets 504, unless it asks for a shorter timeout.
        body_seconds: Seconds to receive a body.
        header_seconds: Seconds to receive the request headers.
        write_seconds: Seconds without the client reading its response, after which the connection is closed.
        warm_up_seconds: Seconds to load a model and run it once.
        hosts: The host names accepted in the header ``Host``, besides IP addresses and ``localhost``; ``*`` accepts any.
            None: any, unless the server listens on a loopback address.
        queue: The maximum number of waiting requests per model.
        batch_rows: The maximum number of rows per batch.
        tile: Images larger than this are computed in tiles, if the model supports it; None: never.
        threads: The number of threads per operator.
        connections: The maximum number of open connections.
        drain_seconds: Seconds to keep accepting connections after SIGTERM; each is closed with its response.
        access_log: Whether requests are logged.
        require_proof: Whether models need a valid parity record.
    """

    tokens: frozenset[bytes] = frozenset()
    max_bytes: int = 32 * 2**20
    max_rows: int = 10_000
    max_values: int = 1_000_000
    max_ratio: int = 100
    memory_bytes: int = 128 * 2**20
    deadline: float = 30
    body_seconds: float = 20
    header_seconds: float = 10
    write_seconds: float = 10
    warm_up_seconds: float = 60
    hosts: frozenset[str] | None = None
    queue: int = 256
    batch_rows: int = 64
    tile: int | None = None
    threads: int = field(default_factory=default_threads)
    connections: int = 1000
    drain_seconds: float = 1
    access_log: bool = True
    require_proof: bool = True
