"""Frameworks loaded when a command first needs them, without what they print on the way."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from nnspec.extras import require

__all__ = ["load_frameworks"]


def load_frameworks(*extras: str, as_on: Mapping[str, Any] | None = None) -> None:
    """Sees to it that extras are installed, and loads Keras where ``train`` is among them.

    TensorFlow's libraries write what they found (processors, graphics cards) to the process's error stream as they load;
    that is not what a command was asked.

    Args:
        extras: The extras.
        as_on: The machine of a run (``run.json``), whose threads and oneDNN are set before the framework begins.

    Raises:
        NnspecError: That says which extra to install.
    """
    backend = str((as_on or {}).get("backend") or os.environ.get("KERAS_BACKEND") or "tensorflow")
    require(*("jax" if extra == "train" and backend == "jax" else extra for extra in extras))
    if "train" in extras:
        os.environ["KERAS_BACKEND"] = backend
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        with _error_stream_closed():
            if as_on is not None:
                from nnspec.training.run.machine import restore_environment

                restore_environment(as_on)
            from nnspec.training.backends.devices import grow_memory

            grow_memory(backend)
            import keras

            keras.ops.zeros(())  # the devices are looked for with the first operation


@contextmanager
def _error_stream_closed() -> Iterator[None]:
    if os.environ.get("NNSPEC_TRACEBACK"):
        yield
        return
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(nowhere)
        os.close(kept)
