"""Clients in a closed loop, each on a connection of its own: as soon as it has an answer, it asks again."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any

__all__ = ["Load", "request", "run_clients"]


@dataclass(frozen=True)
class Load:
    """What clients found.

    Attributes:
        answers: How many were right by their status.
        others: How many had another status, or none.
        seconds: How long they asked.
        p50: Milliseconds.
        p99: The same.
    """

    answers: int
    others: int
    seconds: float
    p50: float
    p99: float

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answers / self.seconds


def request(path: str, body: bytes, headers: Mapping[str, Any] | None = None) -> bytes:
    """A request's bytes."""
    told = {"Host": "localhost", "Content-Type": "application/json", "Content-Length": len(body), **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    return f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + body


def run_clients(port: int, content: bytes, clients: int, seconds: float) -> Load:
    """Asks for a while, in a process of its own, so that its work is not the server's."""
    told = json.dumps({"port": port, "content": content.decode("latin-1"), "clients": clients, "seconds": seconds})
    done = __import__("subprocess").run(
        [sys.executable, "-m", "benchmarks.serving.clients"], input=told, capture_output=True, text=True, check=True
    )
    return Load(**json.loads(done.stdout))


async def _client(port: int, content: bytes, until: float, took: list[float], others: list[int]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
    try:
        while (begun := perf_counter()) < until:
            writer.write(content)
            head = await reader.readuntil(b"\r\n\r\n")
            lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            if lengths:
                await reader.readexactly(int(lengths[0].partition(b":")[2]))
            else:  # in chunks
                while size := int(await reader.readline(), 16):
                    await reader.readexactly(size + 2)
                await reader.readline()
            status = int(head.split(b" ", 2)[1])
            if status == 200:
                took.append(perf_counter() - begun)
            else:
                others.append(status)
    finally:
        writer.close()


async def _all(port: int, content: bytes, clients: int, seconds: float) -> dict[str, float]:
    took: list[float] = []
    others: list[int] = []
    begun = perf_counter()
    await asyncio.gather(*(_client(port, content, begun + seconds, took, others) for _ in range(clients)))
    spent = perf_counter() - begun
    took.sort()
    p50, p99 = (1000 * took[min(len(took) - 1, int(part * len(took)))] if took else 0.0 for part in (0.5, 0.99))
    return {"answers": len(took), "others": len(others), "seconds": spent, "p50": p50, "p99": p99}


if __name__ == "__main__":
    import uvloop

    said = json.load(sys.stdin)
    said["content"] = said["content"].encode("latin-1")
    print(json.dumps(uvloop.run(_all(**said))))
