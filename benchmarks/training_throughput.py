"""Training throughput of LeNet-5 against Keras's own ``fit``, as a user writes it.

Each side runs in a process of its own and trains one epoch at a time in turn, the other waiting: what disturbs the machine
disturbs both. Ours is the public ``nnspec.train`` with all it does at the end of an epoch; the peer is one ``fit`` on arrays.

    python -m benchmarks.training_throughput --mnist data/mnist
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.rows import Row

BATCH_SIZE = 128
SPEC = """
nnspec: 1
name: lenet5
inputs: {{image: [28, 28, 1]}}
layers:
  - Conv2D: {{filters: 6, kernel_size: 5, padding: same, activation: tanh}}
  - AveragePooling2D: {{pool_size: 2}}
  - Conv2D: {{filters: 16, kernel_size: 5, activation: tanh}}
  - AveragePooling2D: {{pool_size: 2}}
  - Flatten
  - Dense: {{units: 120, activation: tanh}}
  - Dense: {{units: 84, activation: tanh}}
  - Dense: {{units: 10, activation: softmax}}
    name: digit
data:
  train: {{idx: {{images: images-idx3-ubyte, labels: labels-idx1-ubyte}}}}
  inputs: {{image: {{column: image, transform: [{{rescale: 0.00392156862745098}}]}}}}
train:
  epochs: {epochs}
  batch_size: 128
  optimizer: Adam
  loss: SparseCategoricalCrossentropy
  metrics: [SparseCategoricalAccuracy]
"""


def measure(folder: Path, epochs: int = 9) -> dict[str, Any]:
    """Examples a second of both sides, the first epoch, which compiles, left out.

    Args:
        folder: Where ``images-idx3-ubyte`` and ``labels-idx1-ubyte`` are.
        epochs: How many are timed.
    """
    sides = {name: _start(name, folder, epochs + 1) for name in ("nnspec", "fit")}
    examples = int.from_bytes((folder / "labels-idx1-ubyte").read_bytes()[4:8], "big")
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for epoch in range(epochs + 1):
        for name, process in sides.items():
            took = _epoch(process)
            if epoch:
                seconds[name].append(took)
    for process in sides.values():
        process.communicate("go\n")
    rates = {name: examples / statistics.median(all) for name, all in seconds.items()}
    # Half the distance between the quartiles: what a median of these may be off by, and more.
    spread = {name: _half_quartiles(all) / statistics.median(all) for name, all in seconds.items()}
    return {"examples": examples, "epochs": epochs, "examples_per_second": rates, "spread": spread}


def rows() -> list[Row]:
    """For ``python -m benchmarks``: noise of MNIST's shape, whose values make no difference to the time a step takes."""
    found = _with_data(None, measure)
    rates = found["examples_per_second"]
    what = f"training, LeNet-5, batch {BATCH_SIZE}"
    return [
        Row(what, rates["nnspec"], rates["fit"], "examples/s", "Keras fit on arrays", "high", max(found["spread"].values()))
    ]


def _half_quartiles(seconds: list[float]) -> float:
    low, _, high = statistics.quantiles(seconds, n=4)
    return (high - low) / 2


def _start(name: str, folder: Path, epochs: int) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-m",
        "benchmarks.training_throughput",
        "--side",
        name,
        "--mnist",
        str(folder),
        "--epochs",
        str(epochs),
    ]
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
        raise SystemExit("a side of the benchmark broke off: run it alone, with --side, to see why")
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


def _ours(folder: Path, epochs: int) -> None:
    import nnspec
    from nnspec.training import train
    from nnspec.training.progress import Quiet

    turns = _Turns()

    class InTurns(Quiet):
        def begin(self, epochs: int, steps: int, batch_size: int) -> None:
            turns.wait()

        def epoch_ended(self, record: dict[str, Any]) -> None:
            turns.done()

    file = folder / "net.nnspec.yaml"
    file.write_text(SPEC.format(epochs=epochs), encoding="utf-8")
    with tempfile.TemporaryDirectory() as out:
        train(nnspec.load(file), out=Path(out) / "run", progress=InTurns())


def _fit(folder: Path, epochs: int) -> None:
    import keras
    import numpy as np
    from keras import layers

    x = np.fromfile(folder / "images-idx3-ubyte", np.uint8)[16:].reshape(-1, 28, 28, 1).astype("float32") / 255
    y = np.fromfile(folder / "labels-idx1-ubyte", np.uint8)[8:].astype("int64")
    turns = _Turns()

    class InTurns(keras.callbacks.Callback):
        def on_train_begin(self, logs: Any = None) -> None:
            turns.wait()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            turns.done()

    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(6, 5, padding="same", activation="tanh"),
            layers.AveragePooling2D(2),
            layers.Conv2D(16, 5, activation="tanh"),
            layers.AveragePooling2D(2),
            layers.Flatten(),
            layers.Dense(120, activation="tanh"),
            layers.Dense(84, activation="tanh"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, batch_size=BATCH_SIZE, epochs=epochs, verbose=0, callbacks=[InTurns()])


def _made_up(folder: Path, examples: int) -> None:
    """Noise in MNIST's format."""
    import numpy as np

    random = np.random.default_rng(0)
    images, labels = random.integers(0, 256, (examples, 28, 28), np.uint8), random.integers(0, 10, examples, np.uint8)
    (folder / "images-idx3-ubyte").write_bytes(struct.pack(">4I", 0x803, *images.shape) + images.tobytes())
    (folder / "labels-idx1-ubyte").write_bytes(struct.pack(">2I", 0x801, examples) + labels.tobytes())


def _with_data(mnist: Path | None, use: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        if mnist is None:
            _made_up(folder, 60_000)
        else:
            for kind in ("images-idx3-ubyte", "labels-idx1-ubyte"):
                (folder / kind).write_bytes((mnist / f"train-{kind}").read_bytes())
        return use(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mnist", type=Path, help="the folder of MNIST's four files; noise of the same shape without")
    parser.add_argument("--epochs", type=int, default=9, help="epochs that are timed")
    parser.add_argument("--side", choices=("nnspec", "fit"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        {"nnspec": _ours, "fit": _fit}[given.side](given.mnist, given.epochs)
        return
    found = _with_data(given.mnist, lambda folder: measure(folder, given.epochs))
    ours, theirs = found["examples_per_second"]["nnspec"], found["examples_per_second"]["fit"]
    print(f"LeNet-5, {found['examples']:,} examples, batch size {BATCH_SIZE}, median of {found['epochs']} epochs")
    print(f"  nnspec.train  {ours:>9,.0f} examples/s  (spread {found['spread']['nnspec']:.0%})")
    print(f"  model.fit     {theirs:>9,.0f} examples/s  (spread {found['spread']['fit']:.0%})")
    print(f"  ratio         {ours / theirs:>9.2f}")


if __name__ == "__main__":
    main()
