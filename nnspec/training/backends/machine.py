"""The versions, the processor and the threads, on which a bit-identical result depends."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

ONEDNN = "TF_ENABLE_ONEDNN_OPTS"
"""The environment variable that enables oneDNN in TensorFlow."""

BY_DEFAULT = "as TensorFlow chooses"
"""The value if the variable is not set; the default depends on the processor."""

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
    """The versions of the packages that affect results."""
    names = (*_PACKAGES, *_OF_BACKEND.get(backend, ()))
    return {"python": platform.python_version(), **{name: installed_version(name) for name in names}}


def restore_environment(machine: Mapping[str, Any]) -> None:
    """Restores the settings of a run that must be set before a framework starts. Does nothing if it has started.

    Args:
        machine: The entry `machine` of ``run.json``.
    """
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = str(machine.get("backend", "tensorflow"))
    if machine.get("backend") != "tensorflow" or "threads" not in machine:
        return
    if "tensorflow" not in sys.modules:
        os.environ.pop(ONEDNN, None)
        if machine.get("onednn", BY_DEFAULT) != BY_DEFAULT:
            os.environ[ONEDNN] = str(machine["onednn"])
    import tensorflow as tf

    threads = machine.get("threads") or {}
    try:
        tf.config.threading.set_intra_op_parallelism_threads(int(threads["intra"]))
        tf.config.threading.set_inter_op_parallelism_threads(int(threads["inter"]))
    except (RuntimeError, LookupError, TypeError, ValueError):
        return  # differences are reported later


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """The differences between the conditions of a run and the current ones, one line each.

    Args:
        then: The conditions of the run, with ``versions`` and ``machine``.
        now: The conditions of this process.

    Example:
        >>> was = {"versions": {"keras": "3.15.1"}, "machine": {"deterministic": True}}
        >>> list(differences(was, {"versions": {"keras": "3.16.0"}, "machine": {"deterministic": True}}))
        ['keras: 3.15.1 then, 3.16.0 now']
    """
    # The Python version does not affect results.
    for package, had in then["versions"].items():
        has = now["versions"].get(package)
        if has != had and package != "python":
            yield f"{package}: {had} then, {has} now"
    several = {count for count in (then["machine"].get("shares", 1), now["machine"].get("shares", 1)) if count != 1}
    for name, word in _WORDS.items():
        # Each of several processes has some of the processors.
        if several and name in ("threads", "devices"):
            continue
        had, has = then["machine"].get(name), now["machine"].get(name)
        if had != has:
            yield f"{word}: {_shown(had)} then, {_shown(has)} now"


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, dict):
        return ", ".join(f"{number} {name}" for name, number in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def installed_version(package: str) -> str | None:
    """The version of an installed package; None if it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
