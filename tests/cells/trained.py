"""The losses of short trainings of recurrences.

KERAS_BACKEND=jax python -m tests.cells.trained
"""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import nnspec

from ..backends import print_all
from .specs import BLOCKS, HEAD

__all__ = ["SPECS", "TRAINED", "losses"]

TRAINED = (
    HEAD
    + f"blocks:\n  minimal_gated:{BLOCKS['minimal_gated']}"
    + "inputs: {x: [8, 8, 1]}\nlayers:\n  - Reshape: {target_shape: [8, 8]}\n"
    + "  - RNN: {cell: {minimal_gated: {units: 6}}}\n  - Dense: {units: 10, activation: softmax}\n    name: digit\n"
    + "data: {train: {builtin: digits}, validation: 0.1, inputs: {x: {column: image}}, targets: {digit: {column: target}}}\n"
    + "train: {steps: 12, batch_size: 64, seed: 3, optimizer: {Adam: {learning_rate: 0.01}}, "
    + "loss: {digit: SparseCategoricalCrossentropy}}\n"
)
SPECS = {
    "a block": TRAINED,
    "backward": TRAINED.replace("{units: 6}}}", "{units: 6}}, go_backwards: true}"),
    "both directions": TRAINED.replace("RNN: {cell: {LSTMCell: {units: 6}}}", "").replace(
        "RNN: {cell: {minimal_gated: {units: 6}}}", "Bidirectional: {layer: {RNN: {cell: {LSTMCell: {units: 6}}}}}"
    ),
    "at masked steps": TRAINED.replace("  - RNN:", "  - Masking\n  - RNN:"),
    "random": TRAINED.replace("{units: 6}}}", "{units: 6}}, return_sequences: true}").replace(
        "  - Dense: {units: 10",
        "  - RNN: {cell: {GRUCell: {units: 6, dropout: 0.5, recurrent_dropout: 0.2}}}\n  - Dense: {units: 10",
    ),
}


def losses(name: str) -> list[float]:
    """The loss of each epoch, of training and of validation."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "net.nnspec.yaml"
        file.write_text(SPECS[name], encoding="utf-8")
        nnspec.train(file, out=Path(folder) / "run")
        rows = [json.loads(line) for line in (Path(folder) / "run/metrics.jsonl").read_text().splitlines()]
    return [row[key] for row in rows for key in ("loss", "val_loss") if key in row]


if __name__ == "__main__":
    print_all(SPECS, losses)
