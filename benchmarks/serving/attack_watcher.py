"""Asks a server under attack for its health, and its models what it knows the answer to, until its standard input ends."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from time import perf_counter

from benchmarks.serving.clients import request

_INFER = request(
    "/v2/models/net/infer",
    json.dumps({"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 3], "data": [1, 2, 3]}]}).encode(),
)
_ROWS = request("/predict/iris", b'{"length": 1, "width": 2.5}')
_HEALTH = b"GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


async def _asked(port: int, content: bytes) -> tuple[bytes, bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(content)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return head, await reader.readexactly(length)
    finally:
        writer.close()


async def _health(port: int, done: threading.Event, found: dict, ends: bool) -> None:  # type: ignore[type-arg]
    while not done.is_set():
        begun = perf_counter()
        try:
            async with asyncio.timeout(20):
                head, _ = await _asked(port, _HEALTH)
            taken = perf_counter() - begun if b" 200 " in head else 99.0
        except (OSError, EOFError, TimeoutError):
            if ends:
                return
            taken = 99.0
        found["health"] = max(found["health"], taken)
        await asyncio.sleep(0.02)


async def _good(
    port: int, content: bytes, right: list[float], key: str, done: threading.Event, found: dict, ends: bool
) -> None:  # type: ignore[type-arg]
    while not done.is_set():
        try:
            async with asyncio.timeout(20):
                head, body = await _asked(port, content)
            said = json.loads(body)
            given = said["outputs"][0]["data"] if key == "net" else said["predictions"][0]["kind"]
            same = given == right
            example = body[:200].decode() if not same else ""
        except (OSError, EOFError, TimeoutError, KeyError, ValueError) as error:
            if ends and not isinstance(error, KeyError):
                return
            same, example = False, f"{type(error).__name__}: {error} {locals().get('body', b'')[:200]!r}"
        found["right" if same else "wrong"] += 1
        found["example"] = found["example"] or example
        await asyncio.sleep(0.02)


async def _watch(port: int, ends: bool) -> dict:  # type: ignore[type-arg]
    found = {"health": 0.0, "right": 0, "wrong": 0, "example": "", "peak": 0}
    done = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), done.set()), daemon=True).start()
    print("ready", flush=True)
    await asyncio.gather(
        _health(port, done, found, ends),
        _good(port, _INFER, [2, 4, 6], "net", done, found, ends),
        _good(port, _ROWS, [1.0, 2.5, 0.0], "iris", done, found, ends),
    )
    return found


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_watch(int(sys.argv[1]), sys.argv[2] == "1"))))
