"""The training of a GAN that is written as a program, against the objective ``gan`` with the same networks.

Each side trains one epoch at a time in turn, as in ``python -m benchmarks training``.

    python -m benchmarks programs
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.rows import Row
from benchmarks.training_throughput import half_quartiles, in_turns, started, train_in_turns

_SPEC = Path(__file__).parent.parent / "specs" / "dcgan.nnspec.yaml"
_EXAMPLES, _BATCH, _EPOCHS = 2560, 64, 9
_PROGRAM = """
    program:
      draw: {noise: {normal: [64]}}
      layers:
        - generator:
          from: noise
        - discriminator:
          from: image
          name: real
        - discriminator:
          from: generator
          name: fake
        - Compute: softplus(real) - real + softplus(fake)
          name: discriminator_loss
        - Compute: softplus(-fake)
          name: generator_loss
      minimize:
        - {loss: discriminator_loss, of: discriminator}
        - {loss: generator_loss, of: generator}
"""


def rows() -> Iterator[Row]:
    """The row of the table."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        images = np.random.default_rng(0).uniform(-1, 1, (_EXAMPLES, 28, 28, 1)).astype(np.float32)
        np.savez(folder / "a.npz", image=images)
        sides = {}
        for side in ("program", "gan"):
            file = folder / f"{side}.nnspec.yaml"
            file.write_text(_document(side), encoding="utf-8")
            sides[side] = started([sys.executable, "-m", "benchmarks.programs", str(file)])
        seconds = in_turns(sides, _EPOCHS)
    rates = {side: _EXAMPLES / statistics.median(taken) for side, taken in seconds.items()}
    noise = max(half_quartiles(taken) / statistics.median(taken) for taken in seconds.values())
    yield Row(f"a program, DCGAN, batch {_BATCH}", rates["program"], rates["gan"], "examples/s", "objective gan", "high", noise)


def _document(side: str) -> str:
    """The spec of a side: the networks of the gallery's DCGAN."""
    networks = _SPEC.read_text(encoding="utf-8").partition("\ndata:")[0]
    inputs = "inputs: {image: [28, 28, 1]}\n" if side == "program" else ""
    objective = _PROGRAM if side == "program" else " {gan: {loss: non_saturating}}\n"
    return (
        f"{networks}\n{inputs}data: {{train: {{npz: a.npz}}}}\ntrain:\n  epochs: {_EPOCHS + 1}\n  batch_size: {_BATCH}\n"
        f"  seed: 1\n  objective:{objective}export: {{network: generator}}\n"
    )


if __name__ == "__main__":
    train_in_turns(Path(sys.argv[1]))
