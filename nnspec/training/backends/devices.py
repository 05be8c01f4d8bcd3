"""Devices of a training: GPU memory growth, and several GPUs of one machine."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal, TypeAlias

from nnspec.diagnostics import NnspecError
from nnspec.training.processes.group import current

if TYPE_CHECKING:
    from nnspec.training.backends.sharing import Sharing

Strategy = Literal["mirrored"]
"""How several devices share a training. `mirrored`: each computes a part of every batch, and gradients are summed."""

Devices: TypeAlias = "tuple[str, ...] | Sharing | None"
"""What computes each batch together: names of TensorFlow's devices, or JAX's; None for one device."""


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


def set_count(backend: str, count: int | None) -> None:
    """Sets the number of devices of this process, before the framework starts.

    Args:
        backend: The Keras backend.
        count: The number; None for as many as the framework finds.

    Raises:
        NnspecError: If the backend does not share batches between devices by number.
    """
    if count is None:
        return
    if backend != "jax":
        raise NnspecError(f"`--devices` is not supported on the Keras backend {backend}\n  = help: use `--backend jax`")
    import jax

    # A number of devices on the processor; GPUs are what they are.
    jax.config.update("jax_num_cpu_devices", count)


def devices_for(strategy: str | None, count: int | None = None) -> Devices:
    """The devices that share a training; None for one device.

    Args:
        strategy: How they share it on TensorFlow; None for one device.
        count: The number of devices of this process, on JAX; by default one, and all of each if there are several processes.

    Raises:
        NnspecError: If there are fewer devices, or the backend is not supported.
    """
    import keras

    backend = keras.backend.backend()
    if strategy is not None:
        return _mirrored(strategy, backend)
    if backend != "jax" or (current().count == 1 and count in (None, 1)):
        return None
    import jax

    from nnspec.training.backends.sharing import Sharing

    found = len(jax.local_devices())
    if count is not None and count > found:
        raise NnspecError(f"`--devices {count}` needs {count} devices, and this machine has {found}")
    if current().count == 1:
        return Sharing(jax.local_devices()[:count])
    return Sharing(jax.devices())


def _mirrored(strategy: str, backend: str) -> Devices:
    if backend == "jax":
        raise NnspecError(f"`--strategy {strategy}` is for TensorFlow\n  = help: use `--devices N` or `--processes N`")
    if backend != "tensorflow":
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
