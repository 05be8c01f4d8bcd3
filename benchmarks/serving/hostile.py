"""Hostile clients by the thousand, with good ones beside them: right statuses, JSON errors, flat memory, good answers throughout.

The hostile requests are known ones, and known good ones damaged at random: bytes changed, cut, repeated, lengths that lie, numbers
made negative or enormous, nesting, rubbish. Whatever comes back must be HTTP with a body of JSON that says `error` (or an answer,
where the damage did no harm), or a closed connection where what was sent is no request. Good clients ask all the while and must get
what is right.

    python -m benchmarks serving hostile --model build/model.onnx --requests 5000
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import random
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

from benchmarks.serving.clients import request
from benchmarks.serving.overload import memory
from benchmarks.serving.servers import ours
from nnspec.runtime.predictor import Predictor

_PATH = "/v2/models/net/infer"
_KNOWN = (-1, 0, 2**31, 2**63, 2**64, 10**30, 1e308, -1e308, None, True, "", "x", [], {}, [[[]]], "\x00", "9" * 5000)


_BOMBS = dict.fromkeys((2**20, 2**26, 2**27), b"")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks serving hostile", description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    for size in _BOMBS:
        _BOMBS[size] = gzip.compress(bytes(size), 1)
    predictor = Predictor(options.model, threads=1, spinning=False)
    [port] = predictor.inputs.values()
    x = np.random.default_rng(0).random([1, *port.shape[1:]], np.float32)  # type: ignore[list-item]
    right = next(iter(predictor.predict({port.name: x}).values())).ravel()
    tensor = {"name": port.name, "datatype": "FP32", "shape": list(x.shape), "data": [round(float(v), 4) for v in x.ravel()]}
    good = {"inputs": [tensor], "id": "a", "parameters": {"timeout": 10_000_000}, "outputs": []}
    with tempfile.TemporaryDirectory() as folder, ours(options.model, Path(folder)) as (number, process):
        found = asyncio.run(_attack(number, process.pid, good, right, options))
        ends = process.poll()
    for what, count in sorted(found.items(), key=str):
        print(f"{count:>8,}  {what}")
    return int(ends is not None or any(str(what).startswith("WRONG") for what in found))


async def _attack(number, pid, good, right, options) -> Counter:  # type: ignore[no-untyped-def]
    found: Counter = Counter()
    done = asyncio.Event()
    beside = [asyncio.create_task(_good(number, good, right, found, done)) for _ in range(2)]
    before, most = memory(pid), 0
    draws = random.Random(options.seed)
    room = asyncio.Semaphore(64)
    waiting: set[asyncio.Task[None]] = set()
    for i in range(options.requests):
        await room.acquire()
        task = asyncio.create_task(_one(number, _hostile(draws, good), found))
        waiting.add(task)
        task.add_done_callback(lambda ended: (waiting.discard(ended), room.release()))
        if i % 100 == 0:
            most = max(most, memory(pid))
    await asyncio.gather(*waiting)
    done.set()
    await asyncio.gather(*beside)
    print(f"resident MiB: {before} before, {most} at most, {memory(pid)} after")
    return found


def _hostile(draws: random.Random, good: dict) -> bytes:  # type: ignore[type-arg]
    """One request that is not as it should be."""
    kind = draws.randrange(10)
    plain = json.dumps(good).encode()
    if kind == 0:  # a value of the message is another
        return request(_PATH, json.dumps(_changed(draws, good)).encode())
    if kind == 1:  # bytes of the body are others
        return request(_PATH, _damaged(draws, plain))
    if kind == 2:  # bytes of the whole are others
        return _damaged(draws, request(_PATH, plain))
    if kind == 3:  # a header length that lies
        length = draws.choice([-1, 0, 1, len(plain), len(plain) + 1, 2**40, 2**70, "x", "1e3", " ", "٣"])
        return request(_PATH, plain, {"Inference-Header-Content-Length": length}).replace("٣".encode(), b"\xd9\xa3")
    if kind == 4:  # a bomb
        return request(_PATH, draws.choice(list(_BOMBS.values())), {"Content-Encoding": "gzip"})
    if kind == 5:  # nesting
        return request(_PATH, draws.choice([b"[", b'{"a":', b'{"inputs":[']) * draws.choice([100, 100_000]))
    if kind == 6:  # a path that leads elsewhere
        name = draws.choice(
            ["../../etc/passwd", "%2e%2e%2f%2e%2e", "net%00", "net/versions/../..", "%ff%fe", "a" * 9000, "net;id", "net?x=1#y"]
        )
        return request(f"/v2/models/{name}/infer", plain)
    if kind == 7:  # not numbers
        data = [
            draws.choice(["NaN", "Infinity", "-Infinity", "1e999", "null", "true", '"1"']) for _ in good["inputs"][0]["data"]
        ]
        text = json.dumps({**good, "inputs": [{**good["inputs"][0], "data": []}]}).replace(
            '"data": []', f'"data": [{",".join(data)}]'
        )
        return request(_PATH, text.encode())
    if kind == 8:  # a method, a version of HTTP or a header that is none
        return draws.choice(
            [
                b"BREW / HTTP/1.1\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\0" * 100,
                b"GET /v2 HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: -4\r\n\r\n",
                b"POST /v2 HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
                b"GET /v2 HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nHost: a\r\n\r\n",
                b"GET /v2 HTTP/1.1\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
                b"PUT " + _PATH.encode() + b" HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n1",
            ]
        )  # fmt: skip
    # /predict with rubbish of every kind
    rubbish = draws.choice(
        [
            b"",
            draws.randbytes(500),
            b"\x89PNG\r\n\x1a\n" + draws.randbytes(300),
            b"\xff\xd8\xff" + draws.randbytes(300),
            b"a,b\n1,2",
        ]
    )
    kind_of = draws.choice(["image/png", "text/csv", "application/json", "text/plain", "", "a" * 300])
    return request("/predict/net", rubbish, {"Content-Type": kind_of})


def _changed(draws: random.Random, value):  # type: ignore[no-untyped-def]
    """The same with one of its values another, at any depth."""
    if isinstance(value, dict) and value and draws.random() < 0.9:
        key = draws.choice(list(value))
        if draws.random() < 0.1:
            return {(key + "x" if name == key else name): own for name, own in value.items()}
        return {**value, key: _changed(draws, value[key])}
    if isinstance(value, list) and value and draws.random() < 0.8:
        place = draws.randrange(len(value))
        return [*value[:place], _changed(draws, value[place]), *value[place + 1 :]]
    return draws.choice(_KNOWN)


def _damaged(draws: random.Random, content: bytes) -> bytes:
    made = bytearray(content)
    for _ in range(draws.randrange(1, 5)):
        place = draws.randrange(max(1, min(len(made), draws.choice([80, 400, len(made)]))))
        what = draws.randrange(3)
        if what == 0:
            made[place : place + 1] = draws.randbytes(1)
        elif what == 1:
            del made[place : place + draws.randrange(1, 30)]
        else:
            made[place:place] = made[place : place + draws.randrange(1, 30)] or b"{"
    return bytes(made)


async def _one(number: int, content: bytes, found: Counter) -> None:  # type: ignore[type-arg]
    """Sends it, closes its side, and judges what comes back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", number)
    answer = b""
    try:
        writer.write(content)
        async with asyncio.timeout(4.0):
            while part := await reader.read(65536):
                answer += part
                head, _, body = answer.partition(b"\r\n\r\n")
                length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
                if length and len(body) >= int(length):
                    break
    except TimeoutError:
        pass  # a request that is not all there: the server waits for the rest
    except OSError:
        pass
    finally:
        writer.close()
    found[_judged(answer)] += 1


def _judged(answer: bytes) -> str:
    if not answer:
        return "nothing: what was sent is not a whole request"
    head, _, body = answer.partition(b"\r\n\r\n")
    status = int(head.split()[1])
    try:
        said = json.loads(body)
    except ValueError:
        return f"WRONG: {status} without JSON: {body[:100]!r}"
    if status >= 500 and status not in (503, 504):
        return f"WRONG: {status}: {body[:200]!r}"
    return f"status {status}" if status == 200 or "error" in said else f"WRONG: {status} without an error: {body[:100]!r}"


async def _good(number, good, right, found, done) -> None:  # type: ignore[no-untyped-def]
    content = request(_PATH, json.dumps(good).encode())
    while not done.is_set():
        reader, writer = await asyncio.open_connection("127.0.0.1", number)
        for _ in range(50):
            writer.write(content)
            head = await reader.readuntil(b"\r\n\r\n")
            body = await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]))
            given = json.loads(body).get("outputs", [{"data": [0]}])[0]["data"]
            same = len(given) == len(right) and np.allclose(given, right, rtol=1e-3, atol=1e-5)
            found["good clients: right" if same else f"WRONG: a good client got {head[:30]!r} {body[:200]!r}"] += 1
            await asyncio.sleep(0.02)
        writer.close()
