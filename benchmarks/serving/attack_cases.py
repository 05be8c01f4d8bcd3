"""What is done to a server, by name. Each attack is bounded in requests and in seconds, and goes to 127.0.0.1 alone."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import os
import random
import signal
import struct
import subprocess
import sys
import time
import zlib
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.serving.clients import request
from benchmarks.serving.servers import free_port
from tests.serving import models

__all__ = ["CASES", "Case"]

Found = tuple["Counter[str]", list[str]]
_INFER = "/v2/models/net/infer"


@dataclass(frozen=True)
class Case:
    """An attack.

    Attributes:
        attack: Is given the server's port, its process and its folder; says what was answered how often, and what is wrong.
        options: What the server is told beside its defaults.
        models: What it serves beside the usual.
        ends_server: Whether the attack ends it.
    """

    attack: Callable[[int, int, Path], Awaitable[Found]]
    options: tuple[str, ...] = ()
    models: Callable[[], dict[str, Any]] = field(default=dict)
    ends_server: bool = False


async def _status(port: int, content: bytes, seconds: float = 40.0) -> str:
    """The status that comes back, or what happens instead."""
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
            try:
                writer.write(content)
                with suppress(OSError):
                    await writer.drain()
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                while length > 0:
                    part = await reader.read(min(length, 2**20))
                    if not part:
                        return "cut short"
                    length -= len(part)
                return head.split(b" ", 2)[1].decode()
            finally:
                writer.transport.abort()
    except TimeoutError:
        return "no answer"
    except (OSError, EOFError):
        return "closed"


async def _all(port: int, contents: list[bytes], at_once: int, allowed: str) -> Found:
    """The statuses of requests, some at a time; others than those that are allowed are wrong."""
    found: Counter[str] = Counter()
    room = asyncio.Semaphore(at_once)

    async def one(content: bytes) -> None:
        async with room:
            found[await _status(port, content)] += 1

    await asyncio.gather(*map(one, contents))
    return found, [f"{count} × {status}" for status, count in found.items() if status not in allowed.split()]


def _packed(path: str, body: bytes, kind: str = "application/json", level: int = 9) -> bytes:
    return request(path, gzip.compress(body, level), {"Content-Encoding": "gzip", "Content-Type": kind})


async def _empty_objects(port: int, pid: int, place: Path) -> Found:
    bombs = [b"[" + b",".join([b"{}"] * count) + b"]" for count in (1_000, 10_000, 1_000_000, 10_000_000)]
    return await _all(port, [_packed("/predict/iris", bomb) for bomb in bombs] * 8, 8, "400 413 503")


async def _many_rows(port: int, pid: int, place: Path) -> Found:
    row = b'{"length":1.5,"width":2.25}'
    bodies = [b"[" + b",".join([row] * count) + b"]" for count in (9_999, 100_000, 1_000_000)]
    rng = random.Random(0)
    varied = b"[" + b",".join(b'{"length":%f,"width":%f}' % (rng.random(), rng.random()) for _ in range(10_000)) + b"]"
    csv = [b"1.5,2.25\n" * count for count in (9_999, 100_000, 3_000_000)]
    contents = [request("/predict/iris", body) for body in (*bodies, varied)] + [
        request("/predict/iris", body, {"Content-Type": "text/csv"}) for body in csv
    ]
    contents += [_packed("/predict/iris", body) for body in bodies] + [
        _packed("/predict/iris", body, "text/csv") for body in csv
    ]
    return await _all(port, contents * 4, 8, "200 413 503 504")


async def _many_values(port: int, pid: int, place: Path) -> Found:
    nested = b"[" * 500 + b"]" * 500
    wide = b"{" + b",".join(b'"c%d":%d' % (i, i) for i in range(400_000)) + b',"length":1,"width":2}'
    wrong = [
        b'{"length":[' + b",".join([b"1.5"] * 8_000_000) + b'],"width":2}',
        b'{"length":1,"width":[' + b",".join([b"[]"] * 400_000) + b"]}",
        b'{"length":1,"width":[' + b",".join([nested] * 900) + b"]}",
        b'{"length":1,"width":"' + "é".encode() * 8_000_000 + b'"}',
        b'{"length":1,"width":"' + b"x" * 15_000_000 + "💥".encode() + b'"}',
        b'{"length":1,"width":"' + b"\\u00e9" * 5_000_000 + b'"}',
        wide,
    ]
    return await _all(port, [request("/predict/iris", body) for body in wrong] * 3, 8, "200 400 413 503 504")


async def _deep(port: int, pid: int, place: Path) -> Found:
    bodies = [sign * count for sign in (b"[", b'{"a":', b'[{"length":', b"[[],") for count in (1_000, 100_000, 4_000_000)]
    paths = ("/predict/iris", _INFER)
    return await _all(port, [request(path, body) for path in paths for body in bodies] * 2, 8, "400 413 503")


async def _numbers(port: int, pid: int, place: Path) -> Found:
    """Many numbers for a shape that says few; as many as it says; nested; text in place of them."""

    def said(shape: list[int], data: bytes) -> bytes:
        head = json.dumps({"name": "x", "datatype": "FP32", "shape": shape}).encode()
        return request(_INFER, b'{"inputs":[' + head[:-1] + b',"data":' + data + b"}]}")

    many = 6_000_000
    flat = b"[" + b",".join([b"1.25"] * many) + b"]"
    ints = b"[" + b",".join([b"1"] * 2 * many) + b"]"
    nested = b"[" + b",".join([b"[1,2,3]"] * (many // 2)) + b"]"
    contents = [
        said([1, 3], flat), said([many // 3, 3], flat), said([many // 3, 3], flat[:-1] + b",]"), said([many, 3], flat),
        said([1, 3], ints), said([2 * many // 3, 3], ints), said([1, 3], nested), said([many // 2, 3], nested),
        said([many // 2, 3], nested[:-6] + b"4],[]]"), said([2**62, 3], flat), said([many // 3, 3], b"[" + b'"a",' * many + b"1]"),
        request(_INFER, b'{"inputs":[{"name":"x","datatype":"FP32","shape":[' + b"1," * 8_000_000 + b"3]}]}"),
        request(_INFER, b'{"inputs":[' + b'{"name":"x"},' * 1_000_000 + b"{}]}"),
        request(_INFER, b'{"id":"' + b"\\u0061" * 4_000_000 + b'"}'),
        request(_INFER, b'{"id":"' + b'\\"' * 8_000_000),
    ]  # fmt: skip
    return await _all(port, contents * 2, 6, "200 400 413 503 504")


async def _never_read(port: int, pid: int, place: Path) -> Found:
    """Asks for large answers, and for many small ones on one connection, and reads none."""
    rows = 200_000
    body = json.dumps(
        {"inputs": [{"name": "x", "datatype": "FP32", "shape": [rows, 3], "parameters": {"binary_data_size": 12 * rows}}]}
    ).encode()
    head = {"Inference-Header-Content-Length": len(body)}
    values = np.random.default_rng(0).random(3 * rows, np.float32).tobytes()
    large = request(_INFER, body + values, head)
    small = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 5_000
    found: Counter[str] = Counter()
    held = []
    for content, count in ((large, 60), (small, 400), (b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n" * 5_000, 100)):
        held += [await _sent(port, content, found) for _ in range(count)]
    begun = time.monotonic()
    while (bytes_ := await _held(port)) > 2**20 and time.monotonic() - begun < 30:
        await asyncio.sleep(0.5)
    found[f"all given up after {time.monotonic() - begun:.0f} s"] += 1
    for one in held:
        if one:
            one.abort()
    return found, [f"{bytes_:,} bytes are held for clients that do not read"] * (bytes_ > 2**20)


async def _sent(port: int, content: bytes, found: Counter[str]) -> asyncio.Transport | None:
    """A connection on which something was sent, of which nothing is read."""
    try:
        transport, _ = await asyncio.get_running_loop().create_connection(_Deaf, "127.0.0.1", port)
    except OSError as error:
        found[type(error).__name__] += 1
        return None
    transport.write(content)
    await asyncio.sleep(0)
    return transport


class _Deaf(asyncio.Protocol):
    def connection_made(self, transport: Any) -> None:
        transport.pause_reading()


async def _held(port: int) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    text = (await reader.read()).decode()
    writer.close()
    return int(float(text.partition("\nnnspec_held_bytes ")[2].partition("\n")[0] or 0))


async def _slow_writers(port: int, pid: int, place: Path) -> Found:
    """Slow loris: heads and bodies that come a byte at a time, on more connections than are allowed."""
    found: Counter[str] = Counter()
    until = time.monotonic() + 12

    async def one(number: int) -> None:
        begin = b"POST /predict/iris HTTP/1.1\r\nHost: localhost\r\n"
        if number % 2:
            begin += b"Content-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{"
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(begin)
            while time.monotonic() < until:
                writer.write(b"X" if number % 2 else b"X-A: b\r\n")
                await writer.drain()
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.5):
                        if not await reader.read(1000):
                            break
            writer.close()
            found["ended"] += 1
        except OSError:
            found["closed"] += 1

    await asyncio.gather(*(one(number) for number in range(1500)))
    return found, []


async def _trailers(port: int, pid: int, place: Path) -> Found:
    """Bodies in chunks, with trailers, or extensions of a chunk, that have no end."""
    found: Counter[str] = Counter()
    head = b"POST /predict/iris HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"

    async def one(begin: bytes, more: bytes) -> None:
        _reader, writer = await asyncio.open_connection("127.0.0.1", port)
        until, sent = time.monotonic() + 5, 0
        try:
            writer.write(head + begin)
            while time.monotonic() < until:
                writer.write(more)
                sent += len(more)
                await writer.drain()
            found["went on"] += 1
        except OSError:
            found["closed"] += 1
        writer.transport.abort()

    kinds = ((b"0\r\n", b"X-A: b\r\n" * 5_000), (b"0\r\nX-A: ", b"b" * 50_000), (b"5;extension=", b"b" * 50_000))
    await asyncio.gather(*(one(*kind) for kind in kinds * 10))
    return found, [f"{found['went on']} went on"] * bool(found["went on"])


async def _idle(port: int, pid: int, place: Path) -> Found:
    found: Counter[str] = Counter()
    held = [await _sent(port, b"", found) for _ in range(2500)]
    await asyncio.sleep(5)
    for one in held:
        if one:
            one.abort()
    found["connections"] = len(held)
    return found, []


async def _damaged_images(port: int, pid: int, place: Path) -> Found:
    rng = random.Random(0)
    files = [_image((40, 40), "PNG"), _image((40, 40), "JPEG"), _image((400, 400), "PNG")]
    bodies = []
    for number in range(400):
        content = bytearray(rng.choice(files))
        for _ in range(rng.randint(1, 6)):
            content[rng.randrange(len(content))] = rng.randrange(256)
        bodies.append(bytes(content[: rng.randrange(1, len(content))] if number % 3 == 0 else content))
    bodies += [_png(size, size, zlib.compress(bytes(size))) for size in (5_000, 20_000, 65_535)]
    bodies += [_png(4_000, 4_000, zlib.compress(bytes(4_001 * 4_000), 9))] * 12  # 16 million pixels in 16 kB
    bodies += [_png(8, 8, zlib.compress(bytes(72)), _chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(2**20 - 10), 9)) * 60)] * 4
    bodies += [_scans(3_000, 400)] * 4
    contents = [
        request("/predict/side", body, {"Content-Type": "image/png" if number % 2 else "image/jpeg"})
        for number, body in enumerate(bodies)
    ]
    return await _all(port, contents, 12, "200 400 413 503 504")


def _image(size: tuple[int, int], form: str) -> bytes:
    stream = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    Image.fromarray(pixels).save(stream, form)
    return stream.getvalue()


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _png(width: int, height: int, packed: bytes, before: bytes = b"") -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + before + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")


def _scans(size: int, count: int) -> bytes:
    """A progressive JPEG one of whose scans comes again and again."""
    stream = io.BytesIO()
    Image.new("L", (size, size)).save(stream, "JPEG", progressive=True)
    content = stream.getvalue()
    last = content.rfind(b"\xff\xda")
    return content[:-2] + content[last:-2] * count + b"\xff\xd9"


async def _hosts(port: int, pid: int, place: Path) -> Found:
    names = [
        "evil.example",
        "127.0.0.1.evil.example:80",
        "localhost.evil.example",
        "",
        "evil.example:8000",
        "[::1].evil.example",
    ]
    body = json.dumps({"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 3], "data": [1, 2, 3]}]}).encode()
    wrong = await _all(port, [request(_INFER, body, {"Host": name}) for name in names] * 100, 16, "421 400")
    right = await _all(
        port, [request(_INFER, body, {"Host": name}) for name in ("localhost:1", "127.0.0.1", "[::1]:80")], 3, "200"
    )
    return wrong[0] + right[0], wrong[1] + right[1]


async def _endless_warm_up(port: int, pid: int, place: Path) -> Found:
    """A file is replaced by a model that never answers; another's is replaced by a good one; then SIGTERM."""
    found: Counter[str] = Counter()
    wrong = []
    models.write(place / "side.onnx", models.endless())
    await asyncio.sleep(2.5)
    models.write(place / "net2.onnx", models.scale(3, "net2"))
    body = json.dumps({"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 3], "data": [1, 2, 3]}]}).encode()
    begun = time.monotonic()
    while b"[3.0,6.0,9.0]" not in await _body(port, request("/v2/models/net2/infer", body)):
        if time.monotonic() - begun > 8:
            wrong.append("another model was not loaded beside it")
            break
        await asyncio.sleep(0.1)
    found[f"another loaded after {time.monotonic() - begun:.1f} s"] += 1
    os.kill(pid, signal.SIGTERM)
    begun = time.monotonic()
    while Path(f"/proc/{pid}/status").exists() and "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text():
        if time.monotonic() - begun > 20:
            wrong.append("SIGTERM did not end the server")
            break
        await asyncio.sleep(0.05)
    found[f"ended {time.monotonic() - begun:.1f} s after SIGTERM"] += 1
    file = models.write(place / "begun.onnx", models.endless())
    begun = time.monotonic()
    command = [sys.executable, "-m", "nnspec", "serve", str(file), "--port", str(free_port()), "--warm-up", "2"]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60)
    if done.returncode != 1 or "was not loaded within 2 s" not in done.stderr:
        wrong.append(f"a server of it alone ended with {done.returncode}: {done.stderr[-300:]}")
    found[f"alone refused after {time.monotonic() - begun:.1f} s"] += 1
    return found, wrong


async def _body(port: int, content: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(content)
    head = await reader.readuntil(b"\r\n\r\n")
    body = await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]))
    writer.close()
    return body


async def _endless_answer(port: int, pid: int, place: Path) -> Found:
    def asked(turns: float) -> bytes:
        tensor = {"name": "x", "datatype": "FP32", "shape": [1, 3], "data": [turns, 2, 3]}
        return request("/v2/models/long/infer", json.dumps({"inputs": [tensor]}).encode())

    found, wrong = await _all(port, [asked(1e15)] * 6, 6, "504")
    after, more = await _all(port, [asked(3)] * 10, 2, "200")
    return found + after, wrong + more


CASES = {
    "empty objects, gzip": Case(_empty_objects),
    "many rows": Case(_many_rows),
    "many values": Case(_many_values),
    "deep JSON": Case(_deep),
    "numbers in infer": Case(_numbers),
    "clients that never read": Case(_never_read),
    "slow writers": Case(_slow_writers),
    "bodies without end": Case(_trailers),
    "idle connections": Case(_idle),
    "damaged images": Case(_damaged_images),
    "wrong hosts": Case(_hosts),
    "endless warm-up": Case(_endless_warm_up, models=lambda: {"net2": models.scale(2, "net2")}, ends_server=True),
    "endless answer": Case(_endless_answer, ("--deadline", "3"), lambda: {"long": models.endless(turns=None)}),
}
