"""Trains on the graphics card there is, times it, and checks that what was trained is exported with parity.

It takes the backend there is: TensorFlow or JAX, the one that finds a card, without the other installed. Each net is trained by
``nnspec.train`` in full and in mixed precision, and by Keras's own ``fit`` on arrays, in one process, the first epoch left out.

    python -m benchmarks gpu
    python -m benchmarks gpu --backend jax --nets lenet --epochs 5
    python -m benchmarks gpu --cpu            # where there is none: slow
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.training_cases import CASES, Case

NETS = ("lenet", "lstm", "resnet20")
PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")
BACKENDS = ("tensorflow", "jax")


def main(arguments: list[str]) -> int:
    """Prints a line for each net and precision; 0 where all were exported with parity, 1 where one was not, or there is no GPU."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks gpu", description=__doc__)
    parser.add_argument("--cpu", action="store_true", help="run on the processor where there is no GPU")
    parser.add_argument("--backend", choices=BACKENDS, help="by default the one that finds a GPU, TensorFlow first")
    parser.add_argument("--nets", type=lambda text: text.split(","), default=list(NETS), help=f"some of {', '.join(NETS)}")
    parser.add_argument("--precisions", type=lambda text: text.split(","), default=list(PRECISIONS))
    parser.add_argument("--epochs", type=int, default=4, help="epochs that are timed")
    given = parser.parse_args(arguments)
    if unknown := set(given.nets) - set(NETS):
        parser.error(f"there is no net {', '.join(sorted(unknown))}: {', '.join(NETS)}")
    installed = [name for name in BACKENDS if find_spec(name) and given.backend in (None, name)]
    if not installed:
        print(f"{given.backend or 'neither TensorFlow nor JAX'} is not installed")
        return 1
    cards = {name: found for name in installed if (found := _card(name))}
    if not cards and not given.cpu:
        print(f"no GPU: {' and '.join(installed)} found none; `--cpu` runs on the processor")
        return 1
    backend, card = next(iter(cards.items())) if cards else (installed[0], "no GPU, the processor")
    os.environ["KERAS_BACKEND"] = backend
    print(f"{backend} on {card}", flush=True)
    print(f"{'net':<34} {'precision':<15} {'examples/s':>10} {'Keras fit':>10} {'loss':>14}  parity", flush=True)
    equal = [_measured(CASES[name], given.precisions, given.epochs) for name in given.nets]
    return 0 if all(equal) else 1


def _card(backend: str) -> str | None:
    """The name of the GPU that a backend finds."""
    if backend == "tensorflow":
        import tensorflow as tf

        from nnspec.training.backends.devices import grow_memory

        grow_memory(backend)
        found = tf.config.list_physical_devices("GPU")
        return str(tf.config.experimental.get_device_details(found[0]).get("device_name", found[0].name)) if found else None
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    import jax

    found = [device for device in jax.devices() if device.platform != "cpu"]
    return str(found[0].device_kind) if found else None


def _measured(case: Case, precisions: list[str], epochs: int) -> bool:
    from nnspec.diagnostics import NnspecError
    from nnspec.exporting.runs import export_run
    from nnspec.spec import load
    from nnspec.training import train
    from nnspec.training.loop.progress import Quiet

    equal = True
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        case.write(folder)
        file = folder / "net.nnspec.yaml"
        file.write_text(case.document(epochs + 1), encoding="utf-8")
        for precision in precisions:
            spec = load(file, [f"train.precision={precision}"])
            run = train(spec, out=folder / precision, progress=Quiet())
            records = run.metrics()
            rate = statistics.median(record["examples_per_second"] for record in records[1:])
            try:
                parity = export_run(run.path, folder / f"{precision}.onnx")
                said = ", ".join(str(figures) for figures in parity.outputs.values())
            except NnspecError as error:
                equal, said = False, f"NOT EXPORTED: {error}"
            loss = f"{records[0]['loss']:.3f} → {records[-1]['loss']:.3f}"
            fit = _fit(case, folder, precision, epochs)
            what = f"{case.what}, batch {case.batch_size}"
            print(f"{what:<34} {precision:<15} {rate:>10,.0f} {fit:>10,.0f} {loss:>14}  {said}", flush=True)
    return equal


def _fit(case: Case, folder: Path, precision: str, epochs: int) -> float:
    """Examples a second of Keras's own `fit`."""
    import keras

    ends: list[float] = []

    class Noting(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            ends.append(time.perf_counter())

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        model, given = case.peer(folder)
        model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
        model.fit(**given, epochs=epochs + 1, verbose=0, callbacks=[Noting()])
    finally:
        keras.config.set_dtype_policy(before)
    return case.examples / statistics.median(b - a for a, b in itertools.pairwise(ends))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
