"""Trainings killed with SIGKILL at random moments and gone on with, against the same trainings never stopped.

A child process trains; it is killed, the run folder is read (every file must be whole), another child goes on from it. After
the last kill it is let run to its end. The weights must then be, byte for byte, those of the training that was let alone, and
the log the same line for line. ``python -m benchmarks resume --kills 30``.
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
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nnspec.spec import load
from nnspec.training.run.checkpoints import Checkpoints, read_checkpoint
from nnspec.training.run.folder import Run

SEED = 5
CHECKPOINT_MINUTES = 0.004
"""About four checkpoints a second: many of the kills then come while one is written."""

MOST_SECONDS = 2.0
"""The longest that a child trains on before it is killed."""

_TIMES = {"seconds", "examples_per_second"}
_TRAIN = """
train:
  epochs: {epochs}
  batch_size: 16
  seed: 3
  optimizer: {{Adam: {{learning_rate: {{CosineDecay: {{initial_learning_rate: 2e-3, decay_steps: 5000}}}}}}}}
  ema: 0.98
  clip: {{global_norm: 1.0}}
  {learned}
data: {{train: {{builtin: digits}}, validation: 0.2}}
"""
_CLASSES = "loss: SparseCategoricalCrossentropy\n  metrics: [SparseCategoricalAccuracy]"
_LEARNED = {
    "pair": "objective: {gan: {loss: hinge, gradient_penalty: 1, steps: {discriminator: 2}}}\n  input_noise: 0.1\n  label_noise: 0.05"
}
NETS = {
    "convolution": """nnspec: 1
name: convolution
inputs: {image: [8, 8, 1]}
layers:
  - GaussianNoise: {stddev: 0.05}
  - Conv2D: {filters: 12, kernel_size: 3, padding: same, use_bias: false}
  - BatchNormalization
  - ReLU
  - SpatialDropout2D: {rate: 0.1}
  - MaxPooling2D
  - Conv2D: {filters: 16, kernel_size: 3, activation: relu}
  - Flatten
  - Dropout: {rate: 0.3}
  - Dense: {units: 10, activation: softmax}
    name: digit
""",
    "lstm": """nnspec: 1
name: lstm
inputs: {image: [8, 8, 1]}
layers:
  - Reshape: {target_shape: [8, 8]}
  - Bidirectional: {layer: {LSTM: {units: 12, dropout: 0.1, recurrent_dropout: 0.1}}}
  - Dense: {units: 10, activation: softmax}
    name: digit
""",
    "pair": """nnspec: 1
name: pair
networks:
  generator:
    inputs: {noise: [16]}
    layers:
      - Dense: {units: 64, use_bias: false}
      - BatchNormalization
      - ReLU
      - Dense: {units: 64, activation: sigmoid}
      - Reshape: {target_shape: [8, 8, 1]}
        name: image
  discriminator:
    inputs: {image: [8, 8, 1]}
    layers:
      - Flatten
      - SpectralNormalization: {layer: {Dense: {units: 32}}}
      - LeakyReLU
      - Dropout: {rate: 0.3}
      - Dense: {units: 1}
        name: logit
""",
}
"""A convolution with dropout of two kinds, noise, batch normalization; an LSTM with dropout of both its kinds; two networks against
each other, with noise of four kinds."""


@dataclass
class Outcome:
    """What became of one training.

    Attributes:
        kills: How often it was killed.
        while_writing: How many of the kills left a half-written file beside its place.
        steps: The step that each child went on from.
        damaged: The files that could not be read after a kill, each with the reason.
        differences: What differs from the training that was let alone.
    """

    kills: int = 0
    while_writing: int = 0
    steps: list[int] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)


def spec_of(net: str, epochs: int) -> str:
    """The spec of a net, to be trained so long."""
    return NETS[net] + _TRAIN.format(epochs=epochs, learned=_LEARNED.get(net, _CLASSES))


def survive(
    text: str,
    folder: Path,
    kills: int,
    *,
    seed: int = SEED,
    most_seconds: float = MOST_SECONDS,
    backend: str = "tensorflow",
) -> Outcome:
    """Trains a spec twice: let alone, and killed again and again.

    Args:
        text: The spec.
        folder: Where to work; empty.
        kills: How often to kill.
        seed: At which moments.
        most_seconds: The longest that a child trains on before it is killed.
        backend: What trains.
    """
    spec = folder / "net.nnspec.yaml"
    spec.write_text(text, encoding="utf-8")
    whole, cut = folder / "whole", folder / "cut"
    _let_run(_child(folder, str(spec), "--out", str(whole), "--backend", backend))
    outcome = kill(spec, cut, kills, seed=seed, most_seconds=most_seconds, backend=backend)
    outcome.differences = differences(whole, cut)
    return outcome


def kill(
    spec: Path,
    cut: Path,
    kills: int,
    *,
    seed: int = SEED,
    most_seconds: float = MOST_SECONDS,
    backend: str = "tensorflow",
    options: Sequence[str] = (),
) -> Outcome:
    """Trains a spec that is killed again and again, and then to its end.

    Args:
        spec: The spec.
        cut: The folder of the run.
        kills: How often to kill.
        seed: At which moments.
        most_seconds: The longest that a child trains on before it is killed.
        backend: What trains.
        options: Further options of the training.
    """
    folder, outcome = spec.parent, Outcome()
    moments = random.Random(seed)
    command = [str(spec), "--out", str(cut), "--checkpoint-every", str(CHECKPOINT_MINUTES), "--backend", backend, *options]
    while outcome.kills < kills:
        child = _child(folder, *command)
        # One in four is killed while it builds, compiles or restores; the others once they have saved something.
        if not _begun(child, cut, outcome.kills, until_saved=moments.random() > 0.25):
            break
        time.sleep(moments.uniform(0, most_seconds))
        if child.poll() is not None:
            break
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        outcome.kills += 1
        outcome.while_writing += any(cut.rglob(".*.part*"))
        outcome.damaged += damaged_files(cut)
        newest, _ = Checkpoints(cut / "checkpoints").newest()
        outcome.steps.append(newest.position.step if newest else 0)
        command = ["--resume", str(cut)]
    else:
        _let_run(_child(folder, *command))
    outcome.damaged += damaged_files(cut)
    return outcome


def damaged_files(run: Path) -> list[str]:
    """The files of a run folder that are not whole, each with the reason."""
    found = []
    for path in sorted(path for path in run.rglob("*") if path.is_file() and ".part" not in path.name):
        try:
            _read(path)
        except Exception as error:
            found.append(f"{path.name}: {error}")
    return found


def _read(path: Path) -> None:
    if path.suffix == ".json":
        json.loads(path.read_text("utf-8"))
    elif path.suffix == ".jsonl":
        epochs = [json.loads(line)["epoch"] for line in path.read_text("utf-8").splitlines()]
        if epochs != list(range(1, len(epochs) + 1)):
            raise ValueError(f"the epochs are {epochs}")
    elif path.suffix == ".yaml":
        load(path)
    elif path.suffix == ".png":
        content = path.read_bytes()
        if not content.startswith(b"\x89PNG") or not content.endswith(b"IEND\xaeB`\x82"):
            raise ValueError("no whole PNG")
    elif path.parent.name == "checkpoints":
        read_checkpoint(path)
    elif path.name == "weights.safetensors":
        Run(path.parent, {"status": ""}).weights()
    else:
        raise ValueError("what is this?")


def differences(whole: Path, cut: Path) -> list[str]:
    """What differs between two finished runs, times apart."""
    found = []
    a, b = Run.open(whole), Run.open(cut)
    if (a.status, b.status) != ("finished", "finished"):
        found.append(f"they are {a.status} and {b.status}")
    if (whole / "weights.safetensors").read_bytes() != (cut / "weights.safetensors").read_bytes():
        found.append("the best weights differ")
    last = [Checkpoints(path / "checkpoints").newest()[0] for path in (whole, cut)]
    if last[0] is None or last[1] is None:
        return [*found, "a run has no checkpoint"]
    names = sorted({*last[0].arrays, *last[1].arrays})
    found += [f"{name} differs" for name in names if last[0].arrays[name].tobytes() != last[1].arrays[name].tobytes()]
    if [_without_times(r) for r in a.metrics()] != [_without_times(r) for r in b.metrics()]:
        found.append("the logs differ")
    return found


def _without_times(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in _TIMES}


def _child(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(Path(__file__).parent.parent)}
    with (folder / "log.txt").open("ab") as log:
        command = [sys.executable, "-m", "nnspec", "train", *arguments]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)


def _let_run(child: subprocess.Popen[bytes]) -> None:
    if child.wait() != 0:
        raise SystemExit(f"a training ended with status {child.returncode}: see log.txt")


def _begun(child: subprocess.Popen[bytes], run: Path, resumed: int, *, until_saved: bool) -> bool:
    """Waits until a child has begun to train, or to go on, and where asked until it has saved a checkpoint of its own."""
    before: list[Path] | None = None
    while child.poll() is None:
        files = Checkpoints(run / "checkpoints").files()
        if before is None and _resumed(run) >= resumed:
            before = files
        if before is not None and (files != before or not until_saved):
            return True
        time.sleep(0.02)
    return False


def _resumed(run: Path) -> int:
    try:
        return int(json.loads((run / "run.json").read_bytes()).get("resumed", 0))
    except OSError:
        return -1  # not there yet


def main(arguments: list[str]) -> int:
    """Prints what became of each net; 0 where every one came to the same weights and nothing was ever damaged."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks resume", description=__doc__)
    parser.add_argument("--kills", type=int, default=30, help="how often each training is killed")
    parser.add_argument("--epochs", type=int, default=150, help="how long each training is")
    parser.add_argument("--net", choices=NETS, action="append", help="one of them alone")
    parser.add_argument("--backend", choices=("tensorflow", "jax"), default="tensorflow", help="what trains")
    given = parser.parse_args(arguments)
    good = True
    for name in given.net or NETS:
        with tempfile.TemporaryDirectory() as made:
            outcome = survive(spec_of(name, given.epochs), Path(made), given.kills, backend=given.backend)
        ok = outcome.kills == given.kills and not outcome.damaged and not outcome.differences
        good &= ok
        print(
            f"{name}: {outcome.kills} kills ({outcome.while_writing} while a file was written), gone on from the steps "
            f"{outcome.steps}; damaged files: {outcome.damaged or 'none'}; against the run let alone: "
            f"{outcome.differences or 'weights, optimizer and log the same bit for bit'}",
            flush=True,
        )
        if outcome.kills < given.kills:
            print(f"{name}: it ended before it was killed {given.kills} times: give it more --epochs", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
