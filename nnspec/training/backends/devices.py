"""On which devices a training runs: memory that grows as it is needed, and several graphics cards of one machine together."""

from __future__ import annotations

import os
from typing import Literal

from nnspec.diagnostics import NnspecError

__all__ = ["Strategy", "devices_for", "grow_memory"]

Strategy = Literal["mirrored"]
"""How several devices can share a training. `mirrored`: each has a part of every batch, and the gradients are summed."""


def grow_memory(backend: str) -> None:
    """Lets a graphics card's memory be taken as it is needed, not all at once, so that others can use the card.

    Does nothing if the framework has begun: what it took, it keeps.

    Args:
        backend: The Keras backend.
    """
    if backend == "jax":
        os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    if backend == "tensorflow":
        import tensorflow as tf

        for card in tf.config.list_physical_devices("GPU"):
            try:
                tf.config.experimental.set_memory_growth(card, True)
            except (RuntimeError, ValueError):
                return


def devices_for(strategy: str | None) -> tuple[str, ...]:
    """The devices that share a training; none if one alone runs it.

    Args:
        strategy: How they share it; None if they do not.

    Raises:
        NnspecError: If there are not several, or the backend cannot.
    """
    if strategy is None:
        return ()
    import keras

    if (backend := keras.backend.backend()) != "tensorflow":
        raise NnspecError(
            f"`--strategy {strategy}` is not there on the Keras backend {backend}\n  = help: take `--backend tensorflow`"
        )
    import tensorflow as tf

    found = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    if len(found) < 2:
        kind = "graphics card" if found[0].device_type == "GPU" else "processor, and no graphics card"
        raise NnspecError(
            f"`--strategy {strategy}` is for several graphics cards, and here is one {kind}\n  = help: train without it"
        )
    return tuple(device.name for device in found)
