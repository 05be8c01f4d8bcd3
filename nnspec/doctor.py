"""``doctor``: which extras are installed and work. Each is tried in a separate process, which may crash."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from typing import Literal

from nnspec.extras import MODULES, installed

_SECONDS = 180

_TINY = """
from nnspec.graph import compile
from nnspec.spec import load
import pathlib, tempfile
with tempfile.TemporaryDirectory() as folder:
    file = pathlib.Path(folder) / "net.nnspec.yaml"
    file.write_text("nnspec: 1\\nname: net\\ninputs: {x: [4]}\\nlayers:\\n  - Dense: {units: 3, activation: relu}\\n")
    graph = compile(load(file)).main
"""

_TRIALS: Mapping[str, tuple[str, str]] = {
    "check": ("compile a spec", _TINY),
    "train": (
        "Keras with TensorFlow",
        "import os\nos.environ['KERAS_BACKEND'] = 'tensorflow'\nimport keras, tensorflow as tf\n"
        "assert float(keras.ops.sum(keras.ops.ones((2, 3)))) == 6\n"
        "print(f'{len(tf.config.list_physical_devices(\"GPU\"))} GPUs')",
    ),
    "jax": (
        "Keras with JAX",
        "import os\nos.environ['KERAS_BACKEND'] = 'jax'\nimport keras, jax\n"
        "assert float(keras.ops.sum(keras.ops.ones((2, 3)))) == 6\n"
        "print(f'{sum(d.platform != \"cpu\" for d in jax.devices())} GPUs')",
    ),
    "export": (
        "export to ONNX with parity",
        _TINY + "import numpy as np\nfrom nnspec.keras_backend import to_keras, weight_arrays\n"
        "from nnspec.onnx_backend import to_onnx\nfrom nnspec.onnx_backend.proof import verify\n"
        "from nnspec.exporting.keras_reference import keras_reference\n"
        "model = to_keras(graph, seed=1)\nweights = weight_arrays(model, graph)\n"
        "parity = verify(graph, weights, to_onnx(graph, weights), keras_reference(graph, weights, model=model))\n"
        "assert parity.agrees, parity.text()",
    ),
    "predict": (
        "ONNX Runtime",
        "import onnxruntime\nfound = onnxruntime.get_available_providers()\n"
        "print(', '.join(provider.removesuffix('ExecutionProvider') for provider in found))",
    ),
    "serve": ("the server", "import nnspec.serving.server"),
    "fmt": ("format specs", "import nnspec.formatting"),
    "lsp": ("serve editors", "import nnspec.language_server.server"),
    "import": ("import Keras models", "import nnspec.keras_import"),
    "frames": ("read DataFrames", "import narwhals"),
    "parquet": ("read Parquet", "import pyarrow.parquet"),
    "remote": ("data at URLs", "import fsspec, s3fs, aiohttp"),
    "sweep": ("search hyperparameters", "import optuna"),
    "postgresql": ("share sweeps in PostgreSQL", "import psycopg"),
    "subword": ("subword tokenizers", "import tokenizers"),
    "text": ("BLEU and chrF", "import sacrebleu"),
    "mlflow": ("record in MLflow", "import mlflow"),
    "tensorboard": ("log to TensorBoard", "import tensorboard"),
    "wandb": ("record in Weights & Biases", "import wandb"),
}
_NEEDS = {"export": ("export", "train")}


@dataclass(frozen=True)
class Finding:
    """The state of one part of the installation.

    Attributes:
        part: The extra, such as ``train``; ``check`` for the core.
        state: ``works``, ``fails``, or ``absent`` if not installed.
        does: The purpose.
        versions: The versions of its packages, by distribution.
        detail: The output, or the reason of the failure.
        help: How to fix it.
    """

    part: str
    state: Literal["works", "fails", "absent"]
    does: str
    versions: Mapping[str, str]
    detail: str = ""
    help: str = ""


def findings() -> Iterator[Finding]:
    """Try each part of the installation, in order, two at a time."""
    with ThreadPoolExecutor(2) as pool:
        yield from pool.map(_finding, _TRIALS)


def _finding(part: str) -> Finding:
    does, code = _TRIALS[part]
    needed = _NEEDS.get(part, (part,))
    modules = ("pydantic", "yaml", "click") if part == "check" else MODULES[part]
    found = {name: known for module in modules for name, known in _versions(module)}
    missing = [extra for extra in needed if extra != "check" and not all(map(installed, MODULES[extra]))]
    if missing:
        return Finding(part, "absent", does, found, help=f"pip install 'nnspec[{','.join(missing)}]'")
    detail, works = _tried(code)
    help = "" if works else f"pip install --force-reinstall 'nnspec[{','.join(needed)}]'" if part != "check" else ""
    return Finding(part, "works" if works else "fails", does, found, detail, help)


def _versions(module: str) -> Iterator[tuple[str, str]]:
    for name in dict.fromkeys(_distributions().get(module.partition(".")[0], ())):
        try:
            yield name, version(name)
        except PackageNotFoundError:
            continue


@cache
def _distributions() -> Mapping[str, list[str]]:
    """The distributions of each module; cached because all metadata are read."""
    return packages_distributions()


def _tried(code: str) -> tuple[str, bool]:
    """Run code in a separate process; returns the last line of output, and whether it succeeded."""
    quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    try:
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=_SECONDS, env=quiet, check=False
        )
    except subprocess.TimeoutExpired:
        return f"did not finish within {_SECONDS} seconds", False
    except OSError as error:
        return f"cannot start: {error.strerror}", False
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        reason = "; the processor may lack instructions that the package requires" if name == "SIGILL" else ""
        return f"terminated by {name}{reason}", False
    lines = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()
    return lines[-1] if lines else "", done.returncode == 0
