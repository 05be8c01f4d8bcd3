"""A training in a process of its own that reads all its data while it trains: how fast, how long it waits, how much memory.

``python -m benchmarks.streaming train SPEC RUN [--cold FOLDER]`` and ``… keras FOLDER``. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import threading
import time
from pathlib import Path
from typing import Any


def drop(folder: Path) -> None:
    """Removes files from the page cache of the system."""
    for path in folder.rglob("*"):
        if path.is_file():
            file = os.open(path, os.O_RDONLY)
            os.fsync(file)
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(file)


class Memory:
    """The largest memory of this process from now on, in bytes: not that before, when libraries were loaded."""

    def __init__(self) -> None:
        self.peak = self.begin = _resident()
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while True:
            self.peak = max(self.peak, _resident())
            time.sleep(0.05)


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def streamed() -> dict[str, float]:
    """Makes every training read its data while it trains; returns the seconds that steps wait for them."""
    from nnspec.data import lazy
    from nnspec.data.readers import parquet
    from nnspec.training.backends import tensorflow as steps
    from nnspec.training.loop.prefetch import Prefetcher

    lazy.IN_MEMORY = 0
    parquet._READ_WHOLE = 0
    steps.TensorFlowSteps.__init__.__kwdefaults__["resident_bytes"] = 0
    waited = {"seconds": 0.0}
    take = Prefetcher.take

    def timed(self: Prefetcher, examples: Any, rows: Any) -> Any:
        began = time.perf_counter()
        try:
            return take(self, examples, rows)
        finally:
            waited["seconds"] += time.perf_counter() - began

    Prefetcher.take = timed  # type: ignore[method-assign]
    return waited


def train(spec: Path, run: Path, cold: Path | None, ahead: int | None, every: float) -> dict[str, Any]:
    waited = streamed()
    from nnspec.spec import load
    from nnspec.training import resume, train
    from nnspec.training.loop import loop
    from nnspec.training.loop.progress import Quiet

    if ahead is not None:
        loop.AHEAD = ahead  # type: ignore[attr-defined]
    memory = Memory()
    found: list[dict[str, Any]] = []

    class Watching(Quiet):
        def begin(self, *args: Any) -> None:
            if cold is not None:
                drop(cold)
            waited["seconds"] = 0.0

        def epoch_ended(self, record: dict[str, Any]) -> None:
            found.append({"rate": record["examples_per_second"], "waited": waited["seconds"], "seconds": record["seconds"]})
            waited["seconds"] = 0.0

    if (run / "run.json").is_file():
        resume(run, progress=Watching(), checkpoint_every=every)
    else:
        train(load(spec), out=run, overwrite=True, progress=Watching(), checkpoint_every=every)
    return {"epochs": found, "peak": memory.peak, "begin": memory.begin}


def keras(folder: Path, batch: int, side: int, epochs: int, *, cold: bool) -> dict[str, Any]:
    """Keras's `fit` on a pipeline of `tf.data` that decodes the same files."""
    import tensorflow as tf

    from benchmarks.shards import keras_model

    paths = sorted(map(str, folder.rglob("*.jpg")))
    classes = sorted({Path(path).parent.name for path in paths})
    labels = [classes.index(Path(path).parent.name) for path in paths]

    def decode(path: Any, label: Any) -> Any:
        return tf.cast(tf.io.decode_jpeg(tf.io.read_file(path), channels=3), tf.float32) / 255.0, label

    data = tf.data.Dataset.from_tensor_slices((paths, labels)).shuffle(len(paths), seed=1)
    data = data.map(decode, num_parallel_calls=tf.data.AUTOTUNE).batch(batch).prefetch(tf.data.AUTOTUNE)
    model = keras_model(side, len(classes))
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(data.take(2), verbose=0)
    if cold:
        drop(folder)
    memory = Memory()
    found = []
    for _ in range(epochs):
        began = time.perf_counter()
        model.fit(data, verbose=0)
        found.append({"rate": len(paths) / (time.perf_counter() - began), "waited": float("nan")})
    return {"epochs": found, "peak": memory.peak, "begin": memory.begin}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("train", "keras"))
    parser.add_argument("data", type=Path)
    parser.add_argument("run", type=Path, nargs="?")
    parser.add_argument("--cold", type=Path)
    parser.add_argument("--ahead", type=int)
    parser.add_argument("--every", type=float, default=10.0)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--side", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=1)
    given = parser.parse_args()
    if given.what == "train":
        found = train(given.data, given.run, given.cold, given.ahead, given.every)
    else:
        found = keras(given.data, given.batch, given.side, given.epochs, cold=given.cold is not None)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
