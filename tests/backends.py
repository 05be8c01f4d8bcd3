"""Values that the other Keras backend computes: a process has one backend, so another process computes them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import pytest

OTHER = {"tensorflow": "jax", "jax": "tensorflow"}
ROOT = Path(__file__).parents[1]


def by_other_backend(module: str) -> Any:
    """What a module prints as JSON on the other backend; skips the test if that backend is not installed.

    Args:
        module: A module whose last line of output is JSON, such as ``tests.cells.gradients``.
    """
    other = OTHER[keras.backend.backend()]
    pytest.importorskip(other)
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "KERAS_BACKEND": other, "PYTHONPATH": path}
    process = subprocess.run([sys.executable, "-m", module], env=environment, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr[-2000:]
    return json.loads(process.stdout.splitlines()[-1])


def print_all(names: Mapping[str, Any], compute: Callable[[str], Any]) -> None:
    """Print a value for each name, as `by_other_backend` reads it."""
    print(json.dumps({name: compute(name) for name in names}))
