"""Cold ``nnspec validate``: wall time of whole processes, bytecode compiled as an installed package has it.

LeNet and a hundred specs stand against ``import tensorflow``; a layer of a document that expands to 10,000 against one of 1,000.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.rows import Row, interleaved

ROOT = Path(__file__).parent.parent
LENET = ROOT / "tests" / "corpus" / "lenet5.nnspec.yaml"
ROUNDS = 7
DEEP = """nnspec: 1
name: deep
inputs: {{x: [8]}}
layers:
  - repeat: {count}
    layers:
      - Dense: {{units: 8}}
        name: dense${{i}}
      - ReLU
        name: relu${{i}}
    as: i
""".replace("- ReLU\n", "- ReLU:\n")


def rows() -> Iterator[Row]:
    """The rows of the table."""
    with tempfile.TemporaryDirectory() as folder:
        copies = Path(folder) / "copies"
        copies.mkdir()
        gallery = sorted((ROOT / "tests" / "corpus").glob("*.nnspec.yaml"))
        for number in range(100):
            source = gallery[number % len(gallery)]
            (copies / f"{number}-{source.name}").write_bytes(source.read_bytes())
        deep = {layers: Path(folder) / f"{layers}.nnspec.yaml" for layers in (2, 1000, 10_000)}
        for layers, file in deep.items():
            file.write_text(DEEP.format(count=layers // 2), encoding="utf-8")
        runs = {
            "LeNet": lambda: _process("-m", "nnspec", "validate", str(LENET)),
            "again": lambda: _process("-m", "nnspec", "validate", str(LENET)),
            "100 specs": lambda: _process("-m", "nnspec", "validate", str(copies)),
            **{f"{n}": partial(_process, "-m", "nnspec", "validate", str(file)) for n, file in deep.items()},
            "tensorflow": lambda: _process("-c", "import tensorflow"),
        }
        for run in runs.values():
            run()  # what is read from disk for the first time is not measured
        taken = interleaved(runs, ROUNDS)
    noise = abs(taken["LeNet"] - taken["again"]) / taken["LeNet"]
    for name, what in (("LeNet", "LeNet"), ("100 specs", "100 specs"), ("10000", "10,000 layers")):
        yield Row(f"validate {what}, cold process", taken[name], taken["tensorflow"], "s", "import tensorflow", noise=noise)
    # The start of a process is no part of what a layer takes.
    many, few = ((taken[f"{n}"] - taken["2"]) / n * 1e6 for n in (10_000, 1000))
    yield Row("validate, a layer of 10,000", many, few, "µs", "a layer of 1,000", noise=noise)


def _process(*arguments: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True, env=environment)
