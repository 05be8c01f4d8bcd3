"""Trainings by several processes against the same trainings by one.

python -m benchmarks processes losses       # the losses of 1, 2 and 4 processes, and of two runs of 2
python -m benchmarks processes rescale      # killed and gone on with, by 1, 4 and 2 processes in turns
python -m benchmarks processes overhead     # milliseconds of a step, by one process and by two
python -m benchmarks processes reduction    # milliseconds of the sum of gradients
python -m benchmarks processes peers        # Lightning and Accelerate killed in the same way, with --python of their environment
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.process_peers import kills
from benchmarks.resume import damaged_files, spec_of
from benchmarks.training_cases import CASES
from nnspec.training.processes.launch import launch
from nnspec.training.run.checkpoints import Checkpoints
from nnspec.training.run.folder import Run

_ROOT = Path(__file__).parent.parent
_TIMES = {"seconds", "examples_per_second"}

CONTRASTIVE = """nnspec: 1
name: contrastive
inputs: {image: [8, 8, 1]}
layers:
  - Conv2D: {filters: 16, kernel_size: 3, activation: relu}
  - Flatten
  - Dropout: 0.1
  - Dense: 16
data: {train: {builtin: digits}, validation: 0.2}
train:
  objective: {contrastive: {views: [{RandomRotation: {factor: 0.05}}, {RandomTranslation: {height_factor: 0.1, width_factor: 0.1}}]}}
  epochs: %d
  batch_size: 16
  seed: 3
  optimizer: {Adam: {learning_rate: 1e-3}}
"""

BOUNDS: Mapping[str, float] = {"lenet": 1e-4, "lstm": 1e-4, "contrastive": 1e-4, "convolution": 0.05, "pair": 0.05}
"""The nets, and the largest relative difference of a metric of an epoch: batch normalization and Adam amplify rounding."""


def document(net: str, epochs: int, folder: Path) -> str:
    """The spec of a net, whose data are written beside it.

    Args:
        net: One of `BOUNDS`: LeNet-5; an LSTM with dropout; within-batch negatives; convolutions with batch normalization,
            dropout and noise; a GAN with a gradient penalty.
        epochs: How long it is trained.
        folder: The folder of the spec.
    """
    if net == "contrastive":
        return CONTRASTIVE % epochs
    if net != "lenet":
        return spec_of(net, epochs)
    CASES["lenet"].write(folder)
    return CASES["lenet"].document(epochs)


def trained(spec: Path, run: Path, processes: int) -> list[dict[str, Any]]:
    """The metrics of the epochs of a training by some processes.

    Args:
        spec: The spec.
        run: The run folder.
        processes: Their number.
    """
    child = _child(["train", str(spec), "--backend", "jax", "--out", str(run), "--processes", str(processes)], spec.parent)
    if child.wait() != 0:
        raise SystemExit((spec.parent / "log.txt").read_text()[-3000:])
    return records(run)


def records(run: Path) -> list[dict[str, Any]]:
    """The metrics of the epochs of a run, without times."""
    return [{name: value for name, value in record.items() if name not in _TIMES} for record in Run.open(run).metrics()]


def difference(one: Sequence[Mapping[str, Any]], other: Sequence[Mapping[str, Any]]) -> float:
    """The largest relative difference of a metric of an epoch.

    Example:
        >>> difference([{"loss": 2.0}], [{"loss": 2.1}])
        0.05
    """
    if [record.keys() for record in one] != [record.keys() for record in other]:
        return float("inf")
    pairs = [(a[name], b[name]) for a, b in zip(one, other, strict=True) for name in a if isinstance(a[name], float)]
    return round(max((abs(a - b) / max(abs(a), 1e-3) for a, b in pairs), default=0.0), 12)


def losses(nets: Sequence[str], epochs: int, counts: Sequence[int]) -> bool:
    """Prints the largest difference between the metrics of several processes and of one, and between two runs of two."""
    good = True
    for net in nets:
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            spec = folder / "net.nnspec.yaml"
            spec.write_text(document(net, epochs, folder), encoding="utf-8")
            alone = trained(spec, folder / "1", 1)
            found = {count: difference(alone, trained(spec, folder / str(count), count)) for count in counts}
            trained(spec, folder / "again", counts[0])
            again = [(folder / name / "weights.safetensors").read_bytes() for name in (str(counts[0]), "again")]
        good &= max(found.values()) <= BOUNDS[net] and again[0] == again[1]
        shown = ", ".join(f"{count} processes {worst:.1e}" for count, worst in found.items())
        same = "the same bits" if again[0] == again[1] else "DIFFERENT BITS"
        print(f"{net}, {epochs} epochs: {shown} (bound {BOUNDS[net]:.0e}); two runs of {counts[0]}: {same}", flush=True)
    return good


def rescale(net: str, times: int, epochs: int, seed: int) -> bool:
    """Kills a training at random moments and goes on with 1, 4 or 2 processes; prints its difference from an undisturbed one."""
    moments = random.Random(seed)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        spec, run = folder / "net.nnspec.yaml", folder / "cut"
        spec.write_text(document(net, epochs, folder), encoding="utf-8")
        alone = trained(spec, folder / "whole", 1)
        command = ["train", str(spec), "--backend", "jax", "--out", str(run), "--checkpoint-every", "0.01"]
        kills, steps, damaged = 0, [], []
        for turn in range(times):
            count = (1, 4, 2)[turn % 3]
            child = _child([*command, "--processes", str(count)], folder)
            _until_saved(child, run, moments.uniform(0.0, 3.0))
            if child.poll() is not None:
                break
            _kill(child, moments)
            kills += 1
            damaged += damaged_files(run)
            newest, _ = Checkpoints(run / "checkpoints").newest()
            steps.append(0 if newest is None else newest.position.step)
            if (run / "run.json").is_file():
                command = ["train", "--resume", str(run)]
        if _child([*command, "--processes", "2"], folder).wait() != 0:
            raise SystemExit((folder / "log.txt").read_text()[-3000:])
        worst = difference(alone, records(run))
    print(
        f"{net}: killed {kills} times, at the steps {steps}; damaged files: {damaged or 'none'}; "
        f"largest difference of a metric of an epoch from the training let alone: {worst:.1e} (bound {BOUNDS[net]:.0e})",
        flush=True,
    )
    return kills == times and not damaged and worst <= BOUNDS[net]


def overhead(nets: Sequence[str], epochs: int) -> bool:
    """Prints the milliseconds of a step by one process and by two, both with all processors of this machine."""
    for net in nets:
        case = CASES[net]
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            spec = folder / "net.nnspec.yaml"
            case.write(folder)
            spec.write_text(case.document(epochs), encoding="utf-8")
            times = {count: _milliseconds(spec, folder / str(count), count, case.batch_size) for count in (1, 2)}
        print(f"{net}: {times[1]:.1f} ms by one process, {times[2]:.1f} ms by two: {times[2] / times[1]:.2f} times", flush=True)
    return True


def _milliseconds(spec: Path, run: Path, processes: int, batch_size: int) -> float:
    trained(spec, run, processes)
    # The first epoch compiles.
    rates = [record["examples_per_second"] for record in Run.open(run).metrics()][1:]
    return 1000 * batch_size / statistics.median(rates)


def reduction(processes: int) -> bool:
    """Prints the milliseconds of the sum of arrays over processes."""
    environment = {"PYTHONPATH": str(_ROOT)}
    os.environ |= environment
    return launch([sys.executable, "-m", "benchmarks.processes", "--reduce"], processes) == 0


def _reduce() -> None:
    import jax
    import jax.numpy as jnp

    from nnspec.training.backends.sharing import Sharing, summed
    from nnspec.training.processes.environment import place_in
    from nnspec.training.processes.group import current, join

    place = place_in(os.environ)
    assert place is not None
    join(place)
    sharing = Sharing(jax.devices())
    for megabytes, arrays in ((0.004, 1), (1, 1), (1, 50), (10, 10), (100, 20)):
        size = int(megabytes * 2**18) // arrays
        values = [sharing.place(jnp.ones(size)) for _ in range(arrays)]
        run = jax.jit(sharing.over(summed, [False]))
        times = []
        for _ in range(12):
            began = time.perf_counter()
            jax.block_until_ready(run(values))
            times.append(time.perf_counter() - began)
        if current().index == 0:
            print(f"{megabytes} MB in {arrays} arrays: {1000 * statistics.median(times[2:]):.1f} ms", flush=True)


def _until_saved(child: subprocess.Popen[bytes], run: Path, seconds: float) -> None:
    """Waits until a training has begun or gone on, and then for some seconds."""
    before = {file.name for file in Checkpoints(run / "checkpoints").files()}
    while child.poll() is None and {file.name for file in Checkpoints(run / "checkpoints").files()} <= before:
        time.sleep(0.05)
    time.sleep(seconds)


def _kill(child: subprocess.Popen[bytes], moments: random.Random) -> None:
    """Kills one of the processes, or the training as a whole."""
    own = subprocess.run(["pgrep", "-P", str(child.pid)], capture_output=True, text=True, check=False).stdout.split()
    victim = moments.choice([child.pid, *map(int, own)]) if own else child.pid
    os.kill(victim, signal.SIGKILL)
    child.wait()
    for process in map(int, own):
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            continue
    time.sleep(0.2)


def _child(arguments: Sequence[str], folder: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(_ROOT)}
    with (folder / "log.txt").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "nnspec", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
        )


def main(arguments: list[str]) -> int:
    """Prints what is asked for; 0 where all is within its bound."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks processes", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("losses", "rescale", "overhead", "reduction", "peers"))
    parser.add_argument("--net", choices=[*BOUNDS, "resnet20"], action="append", help="one of them alone")
    parser.add_argument("--epochs", type=int, default=3, help="how long each is trained")
    parser.add_argument("--times", type=int, default=30, help="how often a training is killed")
    parser.add_argument("--processes", type=int, action="append", help="numbers of processes")
    parser.add_argument("--seed", type=int, default=5, help="of the moments")
    parser.add_argument("--python", help="for `peers`: an interpreter that has torch, accelerate and lightning")
    given = parser.parse_args(arguments)
    if given.what == "peers":
        if not given.python:
            parser.error("`peers` needs --python")
        good = kills.compare(given.python, given.times, given.seed)
    elif given.what == "losses":
        good = losses(given.net or list(BOUNDS), given.epochs, given.processes or [2, 4])
    elif given.what == "rescale":
        good = all(rescale(net, given.times, given.epochs, given.seed) for net in given.net or ["lstm"])
    elif given.what == "overhead":
        good = overhead(given.net or ["lenet", "resnet20"], max(given.epochs, 2))
    else:
        good = reduction((given.processes or [2])[0])
    return 0 if good else 1


if __name__ == "__main__":
    if sys.argv[1:] == ["--reduce"]:
        _reduce()
    else:
        sys.exit(main(sys.argv[1:]))
