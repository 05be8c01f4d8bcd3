"""What runs the steps, and what of it may change the last bits of a result."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from nnspec.diagnostics import NnspecError
from nnspec.training.backends.base import Steps
from nnspec.training.backends.devices import grow_memory
from nnspec.training.loop.learner import Learner
from nnspec.training.run.machine import BY_ITSELF, ONEDNN, processors

__all__ = ["machine", "steps_for"]


def steps_for(backend: str, learner: Learner, devices: Sequence[str] = ()) -> Steps:
    """The steps of a Keras backend.

    Args:
        backend: The backend.
        learner: What learns.
        devices: What computes a part of every batch each; none if there is one.

    Raises:
        NnspecError: If there are none for it.
    """
    if backend == "tensorflow":
        from nnspec.training.backends.tensorflow import TensorFlowSteps

        return TensorFlowSteps(learner, devices=devices)
    if backend == "jax":
        from nnspec.training.backends.jax import JaxSteps

        return JaxSteps(learner)
    raise NnspecError(f"there is no training on the Keras backend {backend}\n  = help: take `--backend tensorflow` or `jax`")


def machine(strategy: str | None = None) -> dict[str, Any]:
    """What a result depends on beside the spec, the data and the versions; operations are made deterministic.

    Args:
        strategy: How several devices share the training; None if one alone runs it.
    """
    found: dict[str, Any] = {"backend": keras.backend.backend(), "cores": os.cpu_count(), "cpu": _cpu(), "strategy": strategy}
    grow_memory(found["backend"])
    if found["backend"] == "tensorflow":
        import tensorflow as tf

        # Costs nothing on a CPU; without it, sums over threads differ from run to run. On a GPU some operations refuse it.
        on_cpu = not tf.config.list_physical_devices("GPU")
        if on_cpu:
            tf.config.experimental.enable_op_determinism()
        threading = tf.config.threading
        found |= {
            "deterministic": on_cpu,
            "onednn": os.environ.get(ONEDNN, BY_ITSELF),
            # 0 stands for as many as there are processors.
            "threads": {
                "intra": threading.get_intra_op_parallelism_threads() or processors(),
                "inter": threading.get_inter_op_parallelism_threads() or processors(),
            },
            "devices": [device.device_type for device in tf.config.list_logical_devices()],
        }
    if found["backend"] == "jax":
        import jax

        # XLA on a CPU takes one thread for each processor, and the same order of sums for the same number of them.
        found |= {
            "deterministic": jax.default_backend() == "cpu",
            "threads": {"intra": processors()},
            "devices": [device.platform.upper() for device in jax.devices()],
        }
    return found


def _cpu() -> str:
    """The processor's name and vector instructions: these decide how sums are taken, and whether oneDNN is on by itself."""
    vectors = np.show_config(mode="dicts").get("SIMD Extensions", {}).get("found", [])
    return " ".join([_cpu_name(), *vectors])


def _cpu_name() -> str:
    listed = Path("/proc/cpuinfo")
    if listed.is_file():
        for line in listed.read_text("utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
