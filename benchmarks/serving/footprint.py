"""How large an environment that serves is, and how soon it first answers, against one that does so with TensorFlow.

Ours is ``pip install nnspec[serve]``: from the start of ``nnspec serve`` to the end of the first inference over HTTP. The other is
``pip install tensorflow``: from the start of Python to the end of the first ``predict`` of the same model as ``.keras``, with no
server at all. Medians of several cold processes, by turns.

    python -m benchmarks serving footprint --serve envs/serve/bin/python --tensorflow envs/tf/bin/python --build DIR
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import urllib.request
from pathlib import Path
from time import perf_counter

from benchmarks.serving.servers import free_port

_KERAS = """
import sys, keras, numpy as np
model = keras.saving.load_model(sys.argv[1])
given = model.input if not isinstance(model.input, dict) else next(iter(model.input.values()))
model.predict(np.zeros((1, *given.shape[1:]), "float32"), verbose=0)
"""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks serving footprint", description=__doc__)
    parser.add_argument("--serve", required=True, metavar="PYTHON")
    parser.add_argument("--tensorflow", required=True, metavar="PYTHON")
    parser.add_argument("--build", type=Path, required=True, help="What `nnspec build` wrote: model.onnx and model.keras.")
    parser.add_argument("--times", type=int, default=5)
    options = parser.parse_args(arguments)
    ours, theirs = [], []
    for _ in range(options.times):
        ours.append(_first_answer(options.serve, options.build / "model.onnx"))
        begun = perf_counter()
        subprocess.run(
            [options.tensorflow, "-c", _KERAS, str(options.build / "model.keras")],
            check=True,
            env=_plain(),
            capture_output=True,
        )
        theirs.append(perf_counter() - begun)
    for name, python, took in (("nnspec[serve]", options.serve, ours), ("tensorflow", options.tensorflow, theirs)):
        size, packages = _size(Path(python))
        print(
            f"{name:<14} {size / 2**20:>7,.0f} MiB  {packages:>3} packages  first answer after {statistics.median(took):.2f} s"
        )
    return 0


def _first_answer(python: str, model: Path) -> float:
    port = free_port()
    begun = perf_counter()
    process = subprocess.Popen(
        [python, "-m", "nnspec", "serve", f"net={model}", "--port", str(port)], stdout=subprocess.PIPE, env=_plain()
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()  # it listens
        url = f"http://127.0.0.1:{port}/v2/models/net"
        with urllib.request.urlopen(url) as answer:
            [given] = json.load(answer)["inputs"]
        shape = [1, *given["shape"][1:]]
        count = 1
        for size in shape:
            count *= size
        body = {"inputs": [{"name": given["name"], "datatype": given["datatype"], "shape": shape, "data": [0] * count}]}
        with urllib.request.urlopen(f"{url}/infer", json.dumps(body).encode()) as answer:
            answer.read()
        return perf_counter() - begun
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()  # type: ignore[union-attr]


def _plain() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def _size(python: Path) -> tuple[int, int]:
    """What the packages of an environment take, pip and setuptools left out, and how many there are."""
    place = next((python.parent.parent / "lib").glob("python3*")) / "site-packages"
    own = [
        path
        for path in place.iterdir()
        if not path.name.lower().startswith(("pip", "setuptools", "_distutils", "distutils", "pkg_res"))
    ]
    files = {file for path in own for file in ([path] if path.is_file() else path.rglob("*")) if file.is_file()}
    return sum(file.stat().st_size for file in files), sum(path.name.endswith(".dist-info") for path in own)
