"""The selection of a backend, and the record of the machine."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any, cast

import keras
import numpy as np

from nnspec.diagnostics import NnspecError
from nnspec.system import processors
from nnspec.training.backends.devices import Devices, grow_memory
from nnspec.training.backends.machine import BY_DEFAULT, ONEDNN
from nnspec.training.loop.backend import Steps
from nnspec.training.loop.learner import Learner
from nnspec.training.processes.group import current


def steps_for(backend: str, learner: Learner, devices: Devices = None) -> Steps:
    """Creates the steps of a Keras backend.

    Args:
        backend: The backend.
        learner: The learner.
        devices: The devices that each compute a part of every batch; None for one device.

    Raises:
        NnspecError: If the backend is not supported.
    """
    if backend == "tensorflow":
        from nnspec.training.backends.tensorflow import TensorFlowSteps

        return TensorFlowSteps(learner, devices=cast("tuple[str, ...]", devices or ()))
    if backend == "jax":
        from nnspec.training.backends.jax import JaxSteps

        return JaxSteps(learner, sharing=cast("Any", devices))
    raise NnspecError(
        f"training on the Keras backend {backend} is not supported\n  = help: use `--backend tensorflow` or `jax`"
    )


def machine(strategy: str | None = None, devices: Devices = None) -> dict[str, Any]:
    """Makes operations deterministic, and returns the properties of the machine on which results depend.

    Args:
        strategy: How several devices share the training; None for one device.
        devices: The devices that share it.
    """
    found: dict[str, Any] = {"backend": keras.backend.backend(), "cores": os.cpu_count(), "cpu": _cpu(), "strategy": strategy}
    grow_memory(found["backend"])
    if found["backend"] == "tensorflow":
        import tensorflow as tf

        # Without it, sums over threads differ between runs. It is free on a CPU; on a GPU some operations do not support it.
        on_cpu = not tf.config.list_physical_devices("GPU")
        if on_cpu:
            tf.config.experimental.enable_op_determinism()
        threading = tf.config.threading
        found |= {
            "deterministic": on_cpu,
            "onednn": os.environ.get(ONEDNN, BY_DEFAULT),
            # 0 means the number of processors.
            "threads": {
                "intra": threading.get_intra_op_parallelism_threads() or len(processors()),
                "inter": threading.get_inter_op_parallelism_threads() or len(processors()),
            },
            "devices": [device.device_type for device in tf.config.list_logical_devices()],
        }
    if found["backend"] == "jax":
        import jax

        # XLA on a CPU uses one thread for each processor; the order of sums depends on their number.
        found |= {
            "deterministic": jax.default_backend() == "cpu",
            "threads": {"intra": len(processors())},
            "devices": [device.platform.upper() for device in jax.devices()],
            "processes": current().count,
            "shares": getattr(devices, "count", 1),
        }
    return found


def _cpu() -> str:
    """The processor and its vector instructions, which determine the order of sums and whether oneDNN is on by default."""
    vectors = np.show_config(mode="dicts").get("SIMD Extensions", {}).get("found", [])
    return " ".join([_cpu_name(), *vectors])


def _cpu_name() -> str:
    listed = Path("/proc/cpuinfo")
    if listed.is_file():
        for line in listed.read_text("utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
