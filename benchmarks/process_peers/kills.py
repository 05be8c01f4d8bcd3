"""What survives of trainings by several processes in PyTorch Lightning and Hugging Face Accelerate that are killed.

    python -m benchmarks processes peers --python ENVIRONMENT/bin/python

Each trains 1,437 digits in 2 processes without a disturbance; and again, where one process is killed, and the training goes on
with 1, 4 and 2 processes, as `benchmarks processes rescale` does with nnspec. Compared are the order of examples and the losses.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np

_FOLDER = Path(__file__).parent
PEERS = {"Accelerate": "accelerate_training.py", "PyTorch Lightning": "lightning_training.py"}
EPOCHS = 30


def compare(python: str, kills: int, seed: int) -> bool:
    """Prints what each peer does."""
    from sklearn.datasets import load_digits

    with tempfile.TemporaryDirectory() as made:
        data = Path(made) / "digits.npz"
        digits = load_digits()
        np.savez(data, x=(digits.data[:1437] / 16).astype("float32"), y=digits.target[:1437])
        for name, script in PEERS.items():
            _one(name, [python, "-m", "torch.distributed.run"], script, data, Path(made) / script, kills, random.Random(seed))
    return True


def _one(name: str, run: list[str], script: str, data: Path, folder: Path, kills: int, moments: random.Random) -> None:
    folder.mkdir()
    for at in ("whole", "cut"):
        (folder / at).mkdir()
    if _start(run, script, data, folder / "whole", 2).wait():
        raise SystemExit((folder / "whole/log.txt").read_text()[-3000:])
    whole = _steps(folder / "whole")
    done, seconds, named = 0, [], 0
    for turn in range(kills):
        count = (2, 1, 4)[turn % 3]
        before = len(_steps(folder / "cut"))
        child = _start(run, script, data, folder / "cut", count)
        while child.poll() is None and len(_steps(folder / "cut")) <= before + 5:
            time.sleep(0.05)
        time.sleep(moments.uniform(0, 0.4))
        workers = [
            int(pid)
            for pid in subprocess.run(
                ["pgrep", "-P", str(child.pid)], capture_output=True, text=True, check=False
            ).stdout.split()
        ]
        if child.poll() is not None or not workers:
            break
        os.kill(moments.choice(workers), signal.SIGKILL)
        began = time.monotonic()
        child.wait()
        seconds.append(time.monotonic() - began)
        named += "SIGKILL" in (folder / "cut/log.txt").read_text()
        done += 1
    finished = _start(run, script, data, folder / "cut", 2).wait() == 0
    cut = _steps(folder / "cut")
    same = sum(cut.get(step, ([], 0))[0] == examples for step, (examples, _) in whole.items())
    losses = [abs(cut[step][1] - loss) / loss for step, (_, loss) in whole.items() if step in cut]
    print(
        f"{name}: {done} kills, others ended after {max(seconds, default=0):.1f} s at most, the signal named {named} times; "
        f"{'finished' if finished else 'COULD NOT GO ON'}, {len(cut)} of {len(whole)} steps; "
        f"the examples of {same} steps as undisturbed; largest difference of a loss {max(losses, default=0):.1e}",
        flush=True,
    )
    if not finished:
        print("  " + "\n  ".join((folder / "cut/log.txt").read_text().strip().splitlines()[-3:]))


def _start(run: list[str], script: str, data: Path, folder: Path, count: int) -> subprocess.Popen[bytes]:
    command = [*run, f"--nproc_per_node={count}", "--master_port=0", "--rdzv_backend=c10d", "--rdzv_endpoint=127.0.0.1:0"]
    with (folder / "log.txt").open("ab") as log:
        return subprocess.Popen(
            [*command, str(_FOLDER / script), str(data), str(folder), str(EPOCHS)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )


def _steps(folder: Path) -> dict[int, tuple[list[int], float]]:
    """The examples, sorted, and the loss of each step; of one that was computed several times, the last."""
    steps: dict[int, dict[str, tuple[list[int], float]]] = {}
    for file in sorted(folder.glob("order-*.jsonl")):
        for line in _lines(file):
            step, examples, loss = line
            steps.setdefault(step, {})[file.name] = (examples, loss)
    return {step: _together(parts.values()) for step, parts in sorted(steps.items())}


def _together(parts: Iterable[tuple[list[int], float]]) -> tuple[list[int], float]:
    found = list(parts)
    return sorted(index for examples, _ in found for index in examples), found[0][1]


def _lines(file: Path) -> Iterable[list]:
    for line in file.read_text().splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            continue
