"""Rows a second of ``nnspec serve --processes N``, against one process and against the bare loop on the same cores.

Every request is one row, as a binary tensor or as JSON. The bare loop is ONNX Runtime at the batch that the server of one process
ran on average: in one process with a thread for each core, and in N processes with one thread each. All are measured in turns,
in rounds; the medians are printed with the smallest and the largest value.

    python -m benchmarks serving processes --models lenet5=lenet.onnx resnet20=resnet.onnx
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.serving.clients import run_clients
from benchmarks.serving.load import bare_loop, batches, requests_of
from benchmarks.serving.servers import cpu_seconds, ours
from nnspec.runtime.predictor import Predictor


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks serving processes", description=__doc__)
    parser.add_argument("--models", nargs="+", required=True, metavar="NAME=FILE")
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--cores", type=int, default=len(os.sched_getaffinity(0)), help="Cores of the bare loop.")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--client-processes", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"{'model':<10} {'what':<42} {'rows/s':>8}  {'from':>8} {'to':>8} {'CPU ms':>8}")
    for argument in options.models:
        name, _, file = argument.partition("=")
        for what, found in _measured(Path(file).resolve(), options).items():
            rates, costs = [rate for rate, _ in found], [cost for _, cost in found]
            print(
                f"{name:<10} {what:<42} {statistics.median(rates):>8,.0f}  {min(rates):>8,.0f} {max(rates):>8,.0f}"
                f" {statistics.median(costs):>8.2f}",
                flush=True,
            )
    return 0


def _measured(model: Path, options: argparse.Namespace) -> dict[str, list[tuple[float, float]]]:
    """Rows a second, and milliseconds that all processes of the server compute for a row, of each round."""
    predictor = Predictor(model, threads=1, spinning=False)
    [port] = predictor.inputs.values()
    row = np.random.default_rng(0).random([1, *port.shape[1:]], np.float32)  # type: ignore[list-item]
    plain, binary = requests_of(port.name, row)
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    mean = 1
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        servers = {}
        for processes in options.processes:
            place = Path(folder) / str(processes)
            place.mkdir()
            servers[processes] = running.enter_context(ours(model, place, "--processes", str(processes)))
        for _ in range(options.rounds):
            for form, content in (("binary", binary), ("JSON", plain)):
                for processes, (server, process) in servers.items():
                    _load(server, content, options, 0.5)
                    before, computed = batches(server), cpu_seconds(process.pid)
                    load = _load(server, content, options, options.seconds)
                    rows, ran = (after - past for after, past in zip(batches(server), before, strict=True))
                    if processes == options.processes[0] and form == "binary":
                        mean = round(rows / ran)
                    cost = 1000 * (cpu_seconds(process.pid) - computed) / rows
                    found[f"serve --processes {processes}, {form}"].append((load, cost))
            for batch in (1, mean):
                said = "1" if batch == 1 else "as served"
                for threads, count in ((options.cores, 1), (1, options.cores)):
                    loop = partial(_loop, model, row, batch, options.seconds / 2, threads)
                    what = f"bare loop, {options.cores} {'threads' if count == 1 else 'processes'}, batch {said}"
                    found[what].append(_in_processes(count, loop))
    print(f"{'':<10} rows of a batch as served: {mean}")
    return found


def _load(port: int, content: bytes, options: argparse.Namespace, seconds: float) -> float:
    """Answers a second of clients in some processes."""
    each = options.clients // options.client_processes
    with ThreadPoolExecutor(options.client_processes) as pool:
        loads = list(pool.map(lambda _: run_clients(port, content, each, seconds), range(options.client_processes)))
    if any(load.others for load in loads):
        raise RuntimeError("requests were refused")
    return sum(load.rate for load in loads)


def _in_processes(count: int, function: Callable[[int], tuple[float, float]]) -> tuple[float, float]:
    """The sum of the rates of processes, and the mean of their costs."""
    with multiprocessing.get_context("spawn").Pool(count) as pool:
        pool.map(_warm, range(count), 1)
        rates, costs = zip(*pool.map(function, range(count), 1), strict=True)
        return sum(rates), statistics.mean(costs)


def _warm(_: int) -> None:
    import onnxruntime  # noqa: F401


def _loop(model: Path, row: np.ndarray, batch: int, seconds: float, threads: int, _: int) -> tuple[float, float]:
    predictor = Predictor(model, threads=threads, spinning=False)
    begun, computed = time.perf_counter(), time.process_time()
    rate = bare_loop(predictor, row, batch, seconds)
    return rate, 1000 * (time.process_time() - computed) / (time.perf_counter() - begun) / rate
