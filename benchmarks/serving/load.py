"""Requests a second, and how long they take, at some numbers of clients: ours, MLServer, LitServe, and the bare loop.

Every request is one row, as JSON; ours is asked in binary too. ``CPU ms`` is what all processes of the server computed for a request, whatever else the machine did. The
bare loop is ONNX Runtime in one process, with the settings of
``serve``, at the batch that our server ran on average: what no server can be faster than. All servers run in turns at one level
before the next, on one machine with the clients.

    python -m benchmarks serving load --models lenet5=build/model.onnx --mlserver envs/mlserver/bin/python \
        --litserve envs/litserve/bin/python
"""

from __future__ import annotations

import argparse
import json
import tempfile
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter

import numpy as np

from benchmarks.serving.clients import request, run_clients
from benchmarks.serving.servers import cpu_seconds, litserve, mlserver, ours
from nnspec.runtime.predictor import Predictor
from nnspec.serving.settings import Settings

_PATH = "/v2/models/net/infer"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks serving load", description=__doc__)
    parser.add_argument("--models", nargs="+", required=True, metavar="NAME=FILE")
    parser.add_argument("--clients", nargs="+", type=int, default=[1, 8, 32, 128])
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--mlserver", metavar="PYTHON")
    parser.add_argument("--litserve", metavar="PYTHON")
    options = parser.parse_args(arguments)
    for argument in options.models:
        name, _, file = argument.partition("=")
        _measure(name, Path(file).resolve(), options)
    return 0


def _measure(name: str, model: Path, options: argparse.Namespace) -> None:
    predictor = Predictor(model, threads=Settings().threads, spinning=False)
    [port] = predictor.inputs.values()
    row = np.random.default_rng(0).random([1, *port.shape[1:]], np.float32)  # type: ignore[list-item]
    plain, binary = requests_of(port.name, row)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        place = Path(folder)
        own, process = running.enter_context(ours(model, place))
        asked = {"nnspec": (own, process.pid, plain), "nnspec, binary": (own, process.pid, binary)}
        if options.mlserver:
            port_of, process = running.enter_context(mlserver(options.mlserver, model, place))
            asked["MLServer"] = port_of, process.pid, plain
        if options.litserve:
            port_of, process = running.enter_context(litserve(options.litserve, model, place))
            asked["LitServe"] = port_of, process.pid, request("/predict", plain.partition(b"\r\n\r\n")[2])
        for server, _, content in asked.values():
            run_clients(server, content, 8, 1.0)
        print(
            f"{name:<10} {'clients':>7}  {'server':<15} {'rows/s':>8} {'p50 ms':>8} {'p99 ms':>8} {'CPU ms':>8} {'batch':>6} {'of bare loop':>12}"
        )
        for clients in options.clients:
            for who, (server, session, content) in asked.items():
                before = batches(server) if server == own else (0.0, 0.0)
                computed = cpu_seconds(session)
                found = run_clients(server, content, clients, options.seconds)
                cost = 1000 * (cpu_seconds(session) - computed) / max(1, found.answers)
                told = (
                    f"{name:<10} {clients:>7}  {who:<15} {found.rate:>8,.0f} {found.p50:>8.1f} {found.p99:>8.1f} {cost:>8.2f}"
                )
                if server == own:
                    rows, ran = (after - past for after, past in zip(batches(server), before, strict=True))
                    mean = rows / max(ran, 1)
                    bare = bare_loop(predictor, row, max(1, round(mean)), min(2.0, options.seconds))
                    told += f" {mean:>6.1f} {found.rate / bare:>12.0%}"
                print(told + (f"  {found.others} not answered" if found.others else ""), flush=True)


def requests_of(name: str, row: np.ndarray) -> tuple[bytes, bytes]:
    """The requests of one row: as JSON, and as a binary tensor.

    Args:
        name: The name of the input.
        row: The row, with its batch axis.
    """
    tensor = {"name": name, "datatype": "FP32", "shape": list(row.shape)}
    plain = json.dumps({"inputs": [{**tensor, "data": row.ravel().tolist()}]}).encode()
    head = json.dumps(
        {
            "inputs": [{**tensor, "parameters": {"binary_data_size": row.nbytes}}],
            "parameters": {"binary_data_output": True},
        }
    ).encode()
    return request(_PATH, plain), request(_PATH, head + row.tobytes(), {"Inference-Header-Content-Length": len(head)})


def bare_loop(predictor: Predictor, row: np.ndarray, batch: int, seconds: float) -> float:
    feeds = {next(iter(predictor.inputs)): np.repeat(row, batch, 0)}
    predictor.run(feeds)
    begun, count = perf_counter(), 0
    while perf_counter() - begun < seconds:
        predictor.run(feeds)
        count += batch
    return count / (perf_counter() - begun)


def batches(port: int) -> tuple[float, float]:
    """The rows and the batches that a server has run."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    sums = [
        next(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"nnspec_batch_rows_{kind}{{"))
        for kind in ("sum", "count")
    ]
    return sums[0], sums[1]
