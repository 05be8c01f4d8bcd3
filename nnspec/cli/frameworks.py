"""Lazy loading of frameworks, without their startup messages."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

from nnspec.cli.text import echo
from nnspec.extras import require
from nnspec.training.processes.environment import Place

_TITLES = {"tensorflow": "TensorFlow", "jax": "JAX"}


def load_frameworks(
    *extras: str,
    as_on: Mapping[str, Any] | None = None,
    announce: bool = False,
    place: Place | None = None,
    devices: int | None = None,
) -> None:
    """Check that extras are installed, and load Keras if ``train`` is among them.

    TensorFlow's libraries write messages about CPUs and GPUs to stderr as they load. These messages are suppressed.

    Args:
        extras: The extras.
        as_on: The ``machine`` record of a run (``run.json``). Its thread and oneDNN settings are applied before the framework
            starts.
        announce: Whether to state what is loaded even if stderr is not a terminal, as in the log of a training.
        place: The place of this process among those of a training, which it joins; None for one that trains alone.
        devices: The number of devices of this process, on JAX; None for as many as there are.

    Raises:
        NnspecError: If an extra is not installed. The message states how to install it.
    """
    backend = require_frameworks(*extras, as_on=as_on)
    if "train" in extras:
        os.environ["KERAS_BACKEND"] = backend
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        if "keras" not in sys.modules and sys.stderr is not None and (announce or sys.stderr.isatty()):
            echo(f"loading {_TITLES.get(backend, backend)} …", style="dim", err=True)
        with suppressed(2), suppressed(1) if place is not None else nullcontext():  # Gloo writes to stdout as it connects
            if as_on is not None:
                from nnspec.training.backends.machine import restore_environment

                restore_environment(as_on)
            from nnspec.training.backends.devices import grow_memory, set_count

            grow_memory(backend)
            set_count(backend, devices)
            if place is not None:
                from nnspec.training.processes.group import join

                join(place)
            import keras

            keras.ops.zeros(())  # devices are initialized by the first operation


def require_frameworks(*extras: str, as_on: Mapping[str, Any] | None = None) -> str:
    """Check that extras are installed, without loading anything; return the Keras backend.

    Args:
        extras: The extras.
        as_on: The ``machine`` record of a run, whose backend is used.

    Raises:
        NnspecError: If an extra is not installed. The message states how to install it.
    """
    backend = str((as_on or {}).get("backend") or os.environ.get("KERAS_BACKEND") or "tensorflow")
    require(*("jax" if extra == "train" and backend == "jax" else extra for extra in extras))
    return backend


@contextmanager
def suppressed(descriptor: int) -> Iterator[None]:
    """Discard what libraries write to stdout (1) or stderr (2)."""
    stream = sys.stdout if descriptor == 1 else sys.stderr
    if os.environ.get("NNSPEC_TRACEBACK") or stream is None:  # it is closed
        yield
        return
    stream.flush()
    saved = os.dup(descriptor)
    devnull = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(devnull, descriptor)
        yield
    finally:
        os.dup2(saved, descriptor)
        os.close(devnull)
        os.close(saved)
