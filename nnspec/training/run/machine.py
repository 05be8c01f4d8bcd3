"""What the last bits of a result depend on beside the spec and the data: the versions, the processor, the threads."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

__all__ = ["BY_ITSELF", "ONEDNN", "restore_environment", "differences", "processors", "versions"]

ONEDNN = "TF_ENABLE_ONEDNN_OPTS"
"""The environment variable that switches oneDNN in TensorFlow."""

BY_ITSELF = "as TensorFlow chooses"
"""Where that is not set: on some processors it is on, on others off."""

_PACKAGES = ("nnspec", "keras", "numpy", "scikit-learn")
_OF_BACKEND = {"tensorflow": ("tensorflow",), "jax": ("jax", "jaxlib")}
_WORDS = {
    "backend": "the Keras backend",
    "cpu": "the processor",
    "deterministic": "deterministic operations",
    "devices": "the devices",
    "onednn": "oneDNN",
    "strategy": "the strategy",
    "threads": "the threads",
}


def versions(backend: str) -> dict[str, str | None]:
    """The versions of what computes, by package."""
    names = (*_PACKAGES, *_OF_BACKEND.get(backend, ()))
    return {"python": platform.python_version(), **{name: _version(name) for name in names}}


def processors() -> int:
    """How many processors this process may use, which is how many threads TensorFlow takes where nothing else is said."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def restore_environment(machine: Mapping[str, Any]) -> None:
    """Sets what can be set only before a framework begins as it was on the machine of a run. Does nothing if it has begun.

    Args:
        machine: What ``run.json`` says of it.
    """
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = str(machine.get("backend", "tensorflow"))
    if machine.get("backend") != "tensorflow" or "threads" not in machine:
        return
    if "tensorflow" not in sys.modules:
        os.environ.pop(ONEDNN, None)
        if machine.get("onednn", BY_ITSELF) != BY_ITSELF:
            os.environ[ONEDNN] = str(machine["onednn"])
    import tensorflow as tf

    threads = machine.get("threads") or {}
    try:
        tf.config.threading.set_intra_op_parallelism_threads(int(threads["intra"]))
        tf.config.threading.set_inter_op_parallelism_threads(int(threads["inter"]))
    except (RuntimeError, LookupError, TypeError, ValueError):
        return  # what then differs is said


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """What of the conditions is not as it was, each as a line.

    Args:
        then: With ``versions`` and ``machine``, as ``run.json`` has them.
        now: The same of this process.

    Example:
        >>> was = {"versions": {"keras": "3.15.1"}, "machine": {"deterministic": True}}
        >>> list(differences(was, {"versions": {"keras": "3.16.0"}, "machine": {"deterministic": True}}))
        ['keras: 3.15.1 then, 3.16.0 now']
    """
    # Python itself computes nothing of it.
    for package, had in then["versions"].items():
        has = now["versions"].get(package)
        if has != had and package != "python":
            yield f"{package}: {had} then, {has} now"
    for name, word in _WORDS.items():
        had, has = then["machine"].get(name), now["machine"].get(name)
        if had != has:
            yield f"{word}: {_shown(had)} then, {_shown(has)} now"


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, dict):
        return ", ".join(f"{number} {name}" for name, number in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
