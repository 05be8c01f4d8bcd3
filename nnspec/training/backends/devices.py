"""Devices of a training: GPU memory growth, and several GPUs of one machine."""

from __future__ import annotations

import os
from typing import Literal

from nnspec.diagnostics import NnspecError

Strategy = Literal["mirrored"]
"""How several devices share a training. `mirrored`: each computes a part of every batch, and gradients are summed."""


def grow_memory(backend: str) -> None:
    """Allocates GPU memory as needed instead of all at once, so that other processes can use the GPU.

    Does nothing if the framework has already started.

    Args:
        backend: The Keras backend.
    """
    if backend == "jax":
        os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    if backend == "tensorflow":
        import tensorflow as tf

        for gpu in tf.config.list_physical_devices("GPU"):
            try:
                tf.config.experimental.set_memory_growth(gpu, True)
            except (RuntimeError, ValueError):
                return


def devices_for(strategy: str | None) -> tuple[str, ...]:
    """The devices that share a training; empty for one device.

    Args:
        strategy: How they share it; None for one device.

    Raises:
        NnspecError: If there is only one device, or the backend is not supported.
    """
    if strategy is None:
        return ()
    import keras

    if (backend := keras.backend.backend()) != "tensorflow":
        raise NnspecError(
            f"`--strategy {strategy}` is not supported on the Keras backend {backend}\n  = help: use `--backend tensorflow`"
        )
    import tensorflow as tf

    found = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    if len(found) < 2:
        found_text = "one GPU" if found[0].device_type == "GPU" else "no GPU"
        raise NnspecError(
            f"`--strategy {strategy}` needs several GPUs, and this machine has {found_text}\n  = help: train without it"
        )
    return tuple(device.name for device in found)
