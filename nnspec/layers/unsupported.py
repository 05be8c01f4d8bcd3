"""Arguments that Keras's layers have and ours have not: why, and what to write instead."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["DATA_FORMAT", "EVERYWHERE", "LATER"]

EVERYWHERE: Mapping[str, str] = {
    "name": "write `name: …` beside the operation, not among its arguments",
    "trainable": "write `freeze: true` beside the operation",
    "dtype": "the precision is the training's: write `precision: …` under `train`",
    "input_shape": "sizes are inferred; the shape of what comes in stands under `inputs`",
    "batch_input_shape": "sizes are inferred; the shape of what comes in stands under `inputs`",
    "input_dim": "sizes are inferred; the shape of what comes in stands under `inputs`",
}
"""Those of every layer."""

LATER: Mapping[str, str] = {
    "lora_rank": "low-rank adaptation is not in this version",
    "lora_alpha": "low-rank adaptation is not in this version",
    "quantization_config": "quantization is not in this version",
}
"""Those of layers with a kernel that Keras can adapt or quantize."""

DATA_FORMAT = "channels come last everywhere; leave it out"
