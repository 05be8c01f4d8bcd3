"""Rows a second of ``nnspec serve --processes N``, against one process and against the bare loop on the same cores.

Every request is one row, as a binary tensor or as JSON. The bare loop is ONNX Runtime at the batch that the server of one process
ran on average: in one process with a thread for each core, and in N processes with one thread each. All are measured in turns,
in rounds; the medians are printed with the smallest and the largest value.

    python -m benchmarks serving processes --models lenet5=lenet.onnx resnet20=resnet.onnx
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.serving.clients import run_clients
from benchmarks.serving.load import bare_loop, batches, requests_of
from benchmarks.serving.servers import ours
from nnspec.runtime.predictor import Predictor


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks serving processes", description=__doc__)
    parser.add_argument("--models", nargs="+", required=True, metavar="NAME=FILE")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    print(f"{'model':<10} {'what':<42} {'rows/s':>8}  {'from':>8} {'to':>8}")
    for argument in options.models:
        name, _, file = argument.partition("=")
        for what, rates in _measured(Path(file).resolve(), options).items():
            print(
                f"{name:<10} {what:<42} {statistics.median(rates):>8,.0f}  {min(rates):>8,.0f} {max(rates):>8,.0f}", flush=True
            )
    return 0


def _measured(model: Path, options: argparse.Namespace) -> dict[str, list[float]]:
    predictor = Predictor(model, threads=1, spinning=False)
    [port] = predictor.inputs.values()
    row = np.random.default_rng(0).random([1, *port.shape[1:]], np.float32)  # type: ignore[list-item]
    plain, binary = requests_of(port.name, row)
    found: dict[str, list[float]] = defaultdict(list)
    count = options.processes
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        servers = {}
        for processes in (1, count):
            place = Path(folder) / str(processes)
            place.mkdir()
            servers[processes] = running.enter_context(ours(model, place, "--processes", str(processes)))[0]
        mean = 0
        for _ in range(options.rounds):
            for form, content in (("binary", binary), ("JSON", plain)):
                for processes, server in servers.items():
                    run_clients(server, content, options.clients, 0.5)
                    before = batches(server)
                    load = run_clients(server, content, options.clients, options.seconds)
                    rows, ran = (after - past for after, past in zip(batches(server), before, strict=True))
                    if processes == 1 and form == "binary":
                        mean = round(rows / ran)
                    found[f"serve --processes {processes}, {form}"].append(load.rate)
                    if load.others:
                        raise RuntimeError(f"{load.others} requests were refused")
            for batch in (1, mean):
                one = bare_loop(Predictor(model, threads=count, spinning=False), row, batch, options.seconds / 2)
                found[f"bare loop, {count} threads, batch {batch if batch == 1 else 'as served'}"].append(one)
                several = _in_processes(count, partial(_loop, model, row, batch, options.seconds / 2))
                found[f"bare loop, {count} processes, batch {batch if batch == 1 else 'as served'}"].append(several)
    print(f"{'':<10} batch as served: {mean}")
    return found


def _in_processes(count: int, function: Callable[[int], float]) -> float:
    """The sum of what processes return."""
    with multiprocessing.get_context("spawn").Pool(count) as pool:
        pool.map(_warm, range(count), 1)
        return sum(pool.map(function, range(count), 1))


def _warm(_: int) -> None:
    import onnxruntime  # noqa: F401


def _loop(model: Path, row: np.ndarray, batch: int, seconds: float, _: int) -> float:
    return bare_loop(Predictor(model, threads=1, spinning=False), row, batch, seconds)
