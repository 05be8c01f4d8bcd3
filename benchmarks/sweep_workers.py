"""A sweep by several workers, one of which is killed with SIGKILL again and again: no trial may be lost or counted twice.

Two commands share a storage, as on two machines, with half of the workers each. At regular moments a worker that runs a trial is
killed. At the end both commands are interrupted, as by Ctrl-C, and the same command finishes the trials that were begun. Then the
storage itself is read. ``python -m benchmarks sweep_workers --storage journal --minutes 10``.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.postgresql_server import server
from nnspec.sweeping import owner
from nnspec.sweeping.storage import close, storage_of
from nnspec.training.run.folder import Run

SEED = 5
SPEC = """nnspec: 1
name: digits
params: {{width: 16}}
inputs: {{image: [8, 8, 1]}}
layers:
  - Flatten
  - Dense: {{units: $width, activation: relu}}
  - Dense: {{units: 10, activation: softmax}}
    name: digit
data: {{train: {{builtin: digits}}, validation: 0.2}}
train:
  epochs: {epochs}
  batch_size: 32
  optimizer: {{Adam: {{learning_rate: 0.01}}}}
  loss: SparseCategoricalCrossentropy
  metrics: [accuracy]
sweep:
  trials: {trials}
  over:
    params.width: {{int: [4, 64], log: true}}
    train.optimizer.Adam.learning_rate: {{float: [1e-4, 1e-1], log: true}}
"""


@dataclass
class Outcome:
    """What became of the trials.

    Attributes:
        kills: How many workers were killed.
        killed: The trials that the killed workers ran.
        interrupted: How many attempts Ctrl-C interrupted.
        trials: How many trials were begun.
        ended: The number of results by state.
        lost: The trials without a result.
        doubled: The trials with more than one result.
        wrong: The trials whose result is not that of their run folder.
        leaks: The files with the password of the storage.
    """

    kills: int = 0
    killed: list[int] = field(default_factory=list)
    interrupted: int = 0
    trials: int = 0
    ended: Counter[str] = field(default_factory=Counter)
    lost: list[int] = field(default_factory=list)
    doubled: list[int] = field(default_factory=list)
    wrong: list[int] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        return not (self.lost or self.doubled or self.wrong or self.leaks)


def survive(
    storage: str, folder: Path, *, workers: int, seconds: float, kill_every: float, epochs: int, password: str = ""
) -> Outcome:
    """Runs the sweep and kills workers.

    Args:
        storage: The storage.
        folder: Where to work; empty.
        workers: The number of workers, even.
        seconds: For how long.
        kill_every: The seconds between two kills.
        epochs: The length of a trial.
        password: What may be in no file.
    """
    spec = folder / "digits.nnspec.yaml"
    spec.write_text(SPEC.format(epochs=epochs, trials=100_000), encoding="utf-8")
    command = [str(spec), "--storage", storage, "--workers", str(workers // 2), "--out"]
    commands = [_start(folder, *command, str(folder / name)) for name in ("first", "second")]
    outcome = Outcome()
    moments = random.Random(SEED)
    try:
        _wait_for(lambda: len(_running(storage)) >= workers - 1, 240, commands)
        ends = time.monotonic() + seconds
        next_kill = time.monotonic() + min(kill_every / 2, 5)
        while time.monotonic() < ends:
            _check_run(commands, folder)
            if time.monotonic() >= next_kill and (running := _running(storage)):
                number, pid = moments.choice(sorted(running.items()))
                os.kill(pid, signal.SIGKILL)
                outcome.kills += 1
                outcome.killed.append(number)
                print(f"  {time.strftime('%H:%M:%S')} killed worker {pid}, which ran trial {number}", flush=True)
                next_kill += kill_every
            time.sleep(moments.uniform(0.05, 0.3))
        for each in commands:
            each.send_signal(signal.SIGINT)
        for each in commands:
            each.wait(timeout=180)
        begun = max(each.user_attrs["trial"] for each in _attempts(storage))
        last = _start(folder, *command, str(folder / "first"), "--trials", str(begun))
        commands.append(last)
        last.wait(timeout=600)
        if last.returncode != 0:
            raise SystemExit(f"the last command ended with status {last.returncode}: {_log(folder)}")
    finally:
        for each in commands:
            each.kill()
            each.wait()
    _judge(storage, begun, folder, outcome)
    if password:
        outcome.leaks = [str(path) for path in folder.rglob("*") if path.is_file() and password.encode() in path.read_bytes()]
    return outcome


def _start(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Starts a command, whose storage is given by the variable, as passwords should be."""
    place = arguments.index("--storage")
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parent.parent),
        "NNSPEC_STORAGE": arguments[place + 1],
    }
    given = [*arguments[:place], *arguments[place + 2 :]]
    with (folder / "log.txt").open("ab") as log:
        command = [sys.executable, "-P", "-m", "nnspec", "sweep", *given]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, cwd=folder)


def _log(folder: Path) -> str:
    return (folder / "log.txt").read_text("utf-8", "replace")[-1500:]


def _check_run(commands: list[subprocess.Popen[bytes]], folder: Path) -> None:
    ended = [each for each in commands if each.poll() is not None]
    if ended:
        raise SystemExit(f"a command ended with status {ended[0].returncode}: {_log(folder)}")


def _wait_for(condition: Any, seconds: float, commands: list[subprocess.Popen[bytes]]) -> None:
    last = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > last or any(each.poll() is not None for each in commands):
            raise SystemExit("the workers did not start")
        time.sleep(0.5)


_open: dict[str, Any] = {}


def _attempts(storage: str) -> list[Any]:
    """The trials of Optuna, read without the code that is judged."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if storage not in _open:
        _open[storage] = storage_of(storage).open()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            study = optuna.load_study(study_name="digits", storage=_open[storage])
        except KeyError:
            return []
        return list(study.get_trials(deepcopy=False))


def _running(storage: str) -> dict[int, int]:
    """The trials that run, with the process of each, without those whose process was killed and that nobody has noticed yet."""
    return {
        each.user_attrs["trial"]: each.user_attrs["owner"]["pid"]
        for each in _attempts(storage)
        if each.state.name == "RUNNING" and "owner" in each.user_attrs and owner.runs(each.user_attrs["owner"])
    }


def _judge(storage: str, begun: int, folder: Path, outcome: Outcome) -> None:
    results: dict[int, list[Any]] = {}
    for each in _attempts(storage):
        failed = each.state.name == "FAIL"
        outcome.interrupted += failed and bool(each.user_attrs.get("interrupted"))
        if each.state.name in ("COMPLETE", "PRUNED") or (failed and each.user_attrs.get("reason")):
            results.setdefault(each.user_attrs["trial"], []).append(each)
            outcome.ended[each.state.name.lower()] += 1
    outcome.trials = begun
    outcome.lost = [number for number in range(1, begun + 1) if number not in results]
    outcome.doubled = [number for number, found in results.items() if len(found) > 1]
    record = json.loads((folder / "first/sweep.json").read_text("utf-8"))
    counted = {trial["number"]: trial for trial in record["trials"]}
    for number, found in results.items():
        log = [epoch["val_loss"] for epoch in Run.open(found[0].user_attrs["folder"]).metrics()]
        metrics = [value for _, value in sorted(found[0].intermediate_values.items())]
        if log != metrics or counted[number]["value"] != min(log):
            outcome.wrong.append(number)
            print(f"  trial {number}: {metrics} in the storage, {log} in its run, {counted[number]} in sweep.json", flush=True)
    if sorted(counted) != list(range(1, begun + 1)):
        outcome.wrong.append(0)


@contextmanager
def _storage(kind: str, folder: Path) -> Iterator[tuple[str, str]]:
    """A new storage, and its password."""
    if kind == "postgresql":
        with server() as made:
            yield made.url, made.password
    else:
        yield (f"journal:{folder / 'journal.log'}" if kind == "journal" else f"sqlite:///{folder / 'search.db'}"), ""
    for opened in _open.values():
        close(opened)
    _open.clear()


def main(arguments: list[str]) -> int:
    """Prints what became of the trials; 0 if none was lost or counted twice."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks sweep_workers", description=__doc__)
    kinds = ("journal", "sqlite", "postgresql")
    parser.add_argument("--storage", choices=kinds, action="append", help="one of them alone  [default: journal, postgresql]")
    parser.add_argument("--workers", type=int, default=4, help="the number of workers, even")
    parser.add_argument("--minutes", type=float, default=10, help="for how long")
    parser.add_argument("--kill-every", type=float, default=60, help="the seconds between two kills")
    parser.add_argument("--epochs", type=int, default=12, help="the length of a trial")
    given = parser.parse_args(arguments)
    good = True
    for kind in given.storage or ("journal", "postgresql"):
        with tempfile.TemporaryDirectory() as made, _storage(kind, Path(made)) as (storage, password):
            outcome = survive(
                storage,
                Path(made),
                workers=given.workers,
                seconds=60 * given.minutes,
                kill_every=given.kill_every,
                epochs=given.epochs,
                password=password,
            )
        good &= outcome.is_good and outcome.kills > 0
        ended = ", ".join(f"{count} {state}" for state, count in sorted(outcome.ended.items()))
        print(
            f"{kind}: {given.workers} workers, {given.minutes:g} minutes, {outcome.kills} killed (trials {outcome.killed}), "
            f"{outcome.interrupted} interrupted: {outcome.trials} trials begun, {ended}; lost {len(outcome.lost)}, doubled "
            f"{len(outcome.doubled)}, other than their run {len(outcome.wrong)}"
            + (f", files with the password {len(outcome.leaks)}" if password else ""),
            flush=True,
        )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
