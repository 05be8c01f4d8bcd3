"""Training throughput against Keras's own ``fit``, as a user writes it.

Each side runs in a process of its own and trains one epoch at a time in turn, the other waiting: what disturbs the machine
disturbs both. Ours is the public ``nnspec.train`` with all it does at the end of an epoch, a checkpoint among it; the peer is
one ``fit``. The first epoch, which compiles, is left out.

    python -m benchmarks training
    python -m benchmarks training --cases lenet,mlp --epochs 9 --torch /opt/torch/bin/python
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.rows import Row
from benchmarks.training_cases import CASES, ON_ARRAYS, Case


def rows(*arguments: str) -> Iterator[Row]:
    """The rows of the table, a case each.

    Args:
        arguments: As on the command line.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks training")
    parser.add_argument("--cases", type=lambda text: text.split(","), default=list(CASES), help=f"some of {', '.join(CASES)}")
    parser.add_argument("--epochs", type=int, default=9, help="epochs that are timed")
    parser.add_argument("--without-jit", action="store_true", help="beside it `fit` with `jit_compile=False`, not its default")
    parser.add_argument("--torch", metavar="PYTHON", help="an interpreter that has torch, which then trains beside the others")
    given = parser.parse_args(arguments)
    if unknown := set(given.cases) - set(CASES):
        parser.error(f"there is no case {', '.join(sorted(unknown))}: {', '.join(CASES)}")
    for name in given.cases:
        yield from _measured(name, given.epochs, without_jit=given.without_jit, torch=given.torch)


def _measured(name: str, epochs: int, *, without_jit: bool, torch: str | None) -> Iterator[Row]:
    case = CASES[name]
    sides = ["nnspec", "keras", *(["plain"] if without_jit else [])]
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        case.write(folder)
        seconds = _in_turns(name, folder, epochs, sides, torch if case.against == ON_ARRAYS else None)
    rates = {side: case.examples / statistics.median(taken) for side, taken in seconds.items()}
    # Half the distance between the quartiles: what a median of these may be off by, and more.
    spread = {side: half_quartiles(taken) / statistics.median(taken) for side, taken in seconds.items()}
    what = f"training, {case.what}, batch {case.batch_size}"
    peers = {"keras": case.against, "plain": f"{case.against}, jit_compile=False", "torch": "PyTorch, a loop on tensors"}
    for peer, against in peers.items():
        if peer in rates:
            noise = max(spread["nnspec"], spread[peer])
            yield Row(what, rates["nnspec"], rates[peer], "examples/s", against, "high", noise)


def _in_turns(name: str, folder: Path, epochs: int, names: list[str], torch: str | None) -> dict[str, list[float]]:
    sides = {side: _start(name, side, folder, epochs + 1) for side in names}
    if torch is not None:
        script = str(Path(__file__).with_name("torch_training.py"))
        sides["torch"] = started([torch, script, name, str(folder), str(epochs + 1)])
    return in_turns(sides, epochs)


def in_turns(sides: Mapping[str, subprocess.Popen[str]], epochs: int) -> dict[str, list[float]]:
    """The seconds of each epoch of each side but the first, which compiles."""
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    for epoch in range(epochs + 1):
        for side, process in sides.items():
            took = _epoch(process)
            if epoch:
                seconds[side].append(took)
    for process in sides.values():
        process.communicate("go\n")
    return seconds


def half_quartiles(seconds: list[float]) -> float:
    """Half the distance between the quartiles."""
    low, _, high = statistics.quantiles(seconds, n=4)
    return (high - low) / 2


def _start(name: str, side: str, folder: Path, epochs: int) -> subprocess.Popen[str]:
    return started([sys.executable, "-m", "benchmarks.training_throughput", name, side, str(folder), str(epochs)])


def started(command: list[str]) -> subprocess.Popen[str]:
    """A side in a process of its own, which waits for its turns."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True, env=environment)


def _epoch(process: subprocess.Popen[str]) -> float:
    """Lets a side train one epoch; the seconds it took."""
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write("go\n")
    process.stdin.flush()
    line = process.stdout.readline()
    if not line:
        raise SystemExit(f"a side of the benchmark broke off; run it alone to see why: {' '.join(map(str, process.args))}")  # type: ignore[arg-type]
    return float(json.loads(line))


class _Turns:
    """Waits for its turn, trains an epoch, says how long it took."""

    def __init__(self) -> None:
        self._began = 0.0

    def wait(self) -> None:
        sys.stdin.readline()
        self._began = time.perf_counter()

    def done(self) -> None:
        print(json.dumps(time.perf_counter() - self._began), flush=True)
        self.wait()


def _ours(case: Case, folder: Path, epochs: int) -> None:
    from nnspec.data import lazy

    if case.lazy:
        from nnspec.training.backends.tensorflow import TensorFlowSteps

        lazy.IN_MEMORY = 0
        TensorFlowSteps.__init__.__kwdefaults__["resident_bytes"] = 0  # type: ignore[index]
    file = folder / "net.nnspec.yaml"
    file.write_text(case.document(epochs), encoding="utf-8")
    train_in_turns(file)


def train_in_turns(file: Path) -> None:
    """Trains a spec, an epoch for each line that comes in."""
    import nnspec
    from nnspec.training import train
    from nnspec.training.loop.progress import Quiet

    turns = _Turns()

    class InTurns(Quiet):
        def begin(self, epochs: int, steps: int, batch_size: int) -> None:
            turns.wait()

        def epoch_ended(self, record: dict[str, Any]) -> None:
            turns.done()

    with tempfile.TemporaryDirectory() as out:
        train(nnspec.load(file), out=Path(out) / "run", progress=InTurns())


def _plain(case: Case, folder: Path, epochs: int) -> None:
    _keras(case, folder, epochs, jit_compile=False)


def _keras(case: Case, folder: Path, epochs: int, **compiling: Any) -> None:
    import keras

    turns = _Turns()

    class InTurns(keras.callbacks.Callback):
        def on_train_begin(self, logs: Any = None) -> None:
            turns.wait()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            turns.done()

    model, given = case.peer(folder)
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"], **compiling)
    model.fit(**given, epochs=epochs, verbose=0, callbacks=[InTurns()])


def main(name: str, side: str, folder: str, epochs: str) -> None:
    """One side of one case: an epoch for each line that comes in."""
    {"nnspec": _ours, "keras": _keras, "plain": _plain}[side](CASES[name], Path(folder), int(epochs))


if __name__ == "__main__":
    main(*sys.argv[1:])
