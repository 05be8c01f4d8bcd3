"""More clients than a server has room for, its model replaced all the while, and SIGTERM at the end.

Every answer is held against what one of the two models gives in a bare session; what is refused must be refused with 503 or 504;
and no request that was sent may stay without an answer: a client that is told to close its connection opens another, and one
that finds nobody listening any more ends.

    python -m benchmarks serving overload --model build/model.onnx --seconds 120
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import signal
import tempfile
from collections import Counter
from pathlib import Path
from time import perf_counter

import numpy as np
import onnx
from onnx import numpy_helper

from benchmarks.serving.clients import request
from benchmarks.serving.servers import ours
from nnspec.onnx_backend.proto import sealed
from nnspec.runtime.metadata import PARITY
from nnspec.runtime.predictor import Predictor

_PATH = "/v2/models/net/infer"
_INPUTS = 64


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks serving overload", description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--every", type=float, default=20, help="Seconds from one replacement to the next.")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--queue", type=int, default=24)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        files = [place / "a.onnx", place / "b.onnx"]
        shutil.copy(options.model, files[0])
        files[1].write_bytes(_other(options.model))
        served = place / "served.onnx"
        shutil.copy(files[0], served)
        rng = np.random.default_rng(0)
        predictors = [Predictor(file, threads=1, spinning=False) for file in files]
        [port] = predictors[0].inputs.values()
        inputs = rng.random([_INPUTS, *port.shape[1:]], np.float32)  # type: ignore[list-item]
        right = [next(iter(predictor.predict({port.name: inputs}).values())) for predictor in predictors]
        assert np.abs(right[0] - right[1]).max() > 1e-3, "the two models are to differ"
        bodies = [
            request(_PATH, json.dumps({"inputs": [{"name": port.name, "datatype": "FP32", "shape": [1, *x.shape], "data": x.ravel().tolist()}]}).encode())
            for x in inputs
        ]  # fmt: skip
        with ours(served, place, "--queue", str(options.queue)) as (number, process):
            found = asyncio.run(_overload(number, process, bodies, right, served, files, options))
            code = process.wait(60)
    for what, count in sorted(found.items(), key=str):
        print(f"{count:>10,}  {what}")
    print(f"the server ended with {code}")
    wrong = (
        found["wrong"]
        + found["lost"]
        + found["lost after SIGTERM"]
        + sum(count for what, count in found.items() if str(what).startswith("status"))
    )
    return int(bool(wrong or code or not found["of model b"]))


async def _overload(number, process, bodies, right, served, files, options) -> Counter:  # type: ignore[no-untyped-def]
    found: Counter = Counter()
    resident = [memory(process.pid)]
    ended = asyncio.Event()
    clients = [asyncio.create_task(_client(number, bodies, right, i, found, ended)) for i in range(options.clients)]
    begun, turn = perf_counter(), 0
    while (left := options.seconds - (perf_counter() - begun)) > 0:
        await asyncio.sleep(min(left, options.every))
        turn += 1
        beside = served.with_suffix(".part")
        shutil.copy(files[turn % 2], beside)
        beside.replace(served)
        resident.append(memory(process.pid))
    process.send_signal(signal.SIGTERM)
    ended.set()
    await asyncio.gather(*clients)
    found["replacements"] = turn
    print("resident MiB at each replacement:", *resident)
    return found


async def _client(number, bodies, right, place, found, ended) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(place)
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", number)
        except OSError:
            if not ended.is_set():
                found["lost"] += 1
            return
        closing = False
        while not closing:
            i = int(rng.integers(len(bodies)))
            try:
                writer.write(bodies[i])
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
                body = json.loads(await reader.readexactly(length))
            except (OSError, EOFError):
                found["lost after SIGTERM" if ended.is_set() else "lost"] += 1
                break
            closing = b"connection: close" in head
            _judge(int(head.split()[1]), body, [answers[i] for answers in right], found)
            if b" 503 " in head.partition(b"\r\n")[0]:
                await asyncio.sleep(0.05)
        writer.close()


def _judge(status: int, body: dict, answers: list, found: Counter) -> None:  # type: ignore[type-arg]
    if status == 200:
        given = np.array(body["outputs"][0]["data"], np.float32)
        same = [np.allclose(given, answer.ravel(), rtol=1e-3, atol=1e-5) for answer in answers]
        found["of model a" if same[0] else "of model b" if same[1] else "wrong"] += 1
    else:
        found[{503: "refused with 503", 504: "refused with 504"}.get(status, f"status {status}: {body}")] += 1


def _other(file: Path) -> bytes:
    """The same network with other weights."""
    model = onnx.load(file)
    rng = np.random.default_rng(1)
    for tensor in model.graph.initializer:
        array = numpy_helper.to_array(tensor)
        if array.dtype == np.float32:
            tensor.CopyFrom(
                numpy_helper.from_array((array * rng.uniform(0.5, 1.5, array.shape)).astype(np.float32), tensor.name)
            )
    [record] = [json.loads(entry.value) for entry in model.metadata_props if entry.key == PARITY]
    return sealed(model, record)


def memory(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmRSS"))
