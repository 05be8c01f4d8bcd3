"""Arguments of Keras layers that are not supported: the reason, and what to write instead."""

from __future__ import annotations

from collections.abc import Mapping

EVERYWHERE: Mapping[str, str] = {
    "name": "write `name: …` next to the operation, not in its arguments",
    "trainable": "write `freeze: true` next to the operation",
    "dtype": "write `precision: …` under `train`",
    "input_shape": "sizes are inferred; declare the input's shape under `inputs`",
    "batch_input_shape": "sizes are inferred; declare the input's shape under `inputs`",
    "input_dim": "sizes are inferred; declare the input's shape under `inputs`",
}
"""Arguments of every layer."""

LATER: Mapping[str, str] = {
    "lora_rank": "low-rank adaptation is not supported",
    "lora_alpha": "low-rank adaptation is not supported",
    "quantization_config": "quantization is not supported",
}
"""Arguments of layers with a kernel that Keras can adapt or quantize."""

DATA_FORMAT = "channels are always the last axis; remove it"
