"""Cold ``nnspec validate`` of LeNet against ``import tensorflow``: wall time of whole processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.rows import Row, interleaved

LENET = Path(__file__).parent.parent / "specs" / "lenet5.nnspec.yaml"
ROUNDS = 7


def rows() -> Iterator[Row]:
    """The row of the table."""

    def process(*arguments: str) -> None:
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)

    runs = {
        "ours": lambda: process("-m", "nnspec", "validate", str(LENET)),
        "again": lambda: process("-m", "nnspec", "validate", str(LENET)),
        "peer": lambda: process("-c", "import tensorflow"),
    }
    for run in runs.values():
        run()  # what is read from disk for the first time is not measured
    taken = interleaved(runs, ROUNDS)
    noise = abs(taken["ours"] - taken["again"]) / taken["ours"]
    yield Row("validate LeNet, cold process", taken["ours"], taken["peer"], "s", "import tensorflow", noise=noise)
