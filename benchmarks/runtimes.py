"""Which versions of ONNX Runtime load and run files of each opset: the gallery's networks with random weights.

python -m benchmarks runtimes                         # every version whose newest opset is known
python -m benchmarks runtimes --version 1.17.3

Each version is installed into a folder of its own. Networks of more than `--most` parameters are left out.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

_ROOT = Path(__file__).parent.parent
VERSIONS = ("1.15.1", "1.16.3", "1.17.3", "1.18.1", "1.20.1", "1.21.1", "1.22.1", "1.23.2", "1.24.1", "1.27.0")
_NUMPY_1 = ("1.15", "1.16", "1.17", "1.18")
_PROBE = """
import json, sys
import numpy as np
import onnxruntime
onnxruntime.set_default_logger_severity(4)
for line in sys.stdin:
    name, file, inputs = json.loads(line)
    try:
        session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        session.run(None, {key: array for key, array in np.load(inputs).items()})
    except Exception as error:
        print(json.dumps([name, str(error).splitlines()[0][:200]]))
    else:
        print(json.dumps([name, ""]))
"""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks runtimes", description=__doc__)
    parser.add_argument("--version", action="append", help="a version of ONNX Runtime")
    parser.add_argument("--most", type=int, default=3_000_000, help="the most parameters of a network")
    parser.add_argument("--environments", type=Path, help="where the versions are installed; by default a temporary folder")
    given = parser.parse_args(arguments)
    good = True
    with tempfile.TemporaryDirectory() as temporary:
        place = given.environments or Path(temporary)
        for version in given.version or VERSIONS:
            good &= _check(version, place / version, given.most, Path(temporary))
    return not good


def _check(version: str, environment: Path, most: int, folder: Path) -> bool:
    """Loads and runs the networks in one version; prints what fails."""
    from nnspec.graph.exported import DEFAULT_OPSET
    from nnspec.runtime.versions import newest_opset_of

    if not environment.exists():
        numpy = "numpy<2" if version.startswith(_NUMPY_1) else "numpy"
        command = [sys.executable, "-m", "pip", "install", "-q", "--target", str(environment), f"onnxruntime=={version}", numpy]
        subprocess.run(command, check=True, capture_output=True)
    # An opset above the default one is never chosen for a version.
    opset = min(newest_opset_of(f"onnxruntime=={version}"), DEFAULT_OPSET)
    cases = list(networks(opset, most, folder))
    child = subprocess.run(
        [sys.executable, "-c", _PROBE],
        input="".join(json.dumps(case) + "\n" for case in cases),
        env={**os.environ, "PYTHONPATH": str(environment)},
        capture_output=True,
        text=True,
        check=False,
    )
    found = dict(json.loads(line) for line in child.stdout.splitlines())
    failed = {name: found.get(name, "the process ended") for name, *_ in cases if found.get(name, "-")}
    print(f"onnxruntime {version}, opset {opset}: {len(cases) - len(failed)} of {len(cases)} networks run", flush=True)
    for name, reason in failed.items():
        print(f"  {name}: {reason}")
    return not failed


def networks(opset: int, most: int, folder: Path) -> Iterator[tuple[str, str, str]]:
    """The gallery's networks as files of an opset, with inputs: name, file, file of inputs."""
    import nnspec
    from nnspec.diagnostics import NnspecError, SpecError
    from nnspec.onnx_backend.emit import to_onnx
    from nnspec.onnx_backend.proto import serialized
    from nnspec.onnx_backend.samples import draw

    random = np.random.default_rng(0)
    for spec in sorted((_ROOT / "specs").glob("*.nnspec.yaml")):
        try:
            model = nnspec.compile(nnspec.load(spec))
        except SpecError:
            continue  # it wants data, or a run, that is not there
        for name, graph in model.networks.items():
            weights = {key: _weight(key, weight, random) for key, weight, *_ in graph.weights()}
            if sum(array.size for array in weights.values()) > most:
                continue
            try:
                content = serialized(to_onnx(graph, weights, opset=opset))
            except NnspecError as error:
                print(f"  {spec.stem} {name}: {str(error).splitlines()[0]}")
                continue
            *_, inputs = draw(graph, seed=0, empty_rows=False)
            file = folder / f"{spec.stem}-{name}.onnx"
            file.write_bytes(content)
            np.savez(file.with_suffix(".npz"), **inputs)
            yield f"{spec.stem} {name}", str(file), str(file.with_suffix(".npz"))


def _weight(name: str, weight: Any, random: np.random.Generator) -> np.ndarray:
    array = random.normal(0, 0.1, weight.shape).astype(np.float32)
    return np.abs(array) if name.endswith("variance") else array
