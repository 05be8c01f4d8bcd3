"""Arguments that layers do not support, and arguments of other frameworks, each with what to write instead."""

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


FOREIGN_NAMES: Mapping[str, str] = {
    "out_channels": "filters",
    "out_features": "units",
    "hidden_size": "units",
    "num_embeddings": "input_dim",
    "embedding_dim": "output_dim",
    "stride": "strides",
    "dilation": "dilation_rate",
    "kernel": "kernel_size",
    "p": "rate",
    "bias": "use_bias",
    "eps": "epsilon",
    "dim": "axis",
    "shape": "target_shape",
    "num_heads": "num_heads",
}
"""PyTorch's names of arguments, each with the name here."""

_OTHERWISE = {"axis": ", and the last axis has the channels", "target_shape": ", and has no batch axis"}
"""What else differs for arguments whose values may mean something else here."""

_INFERRED = ("in_channels", "in_features", "input_size", "input_dim", "num_features", "input_shape", "input_length")
_NEEDLESS = {
    "batch_first": "remove it: the batch axis is always first",
    "inplace": "remove it: no layer works in place",
}


def foreign_arguments(fields: frozenset[str]) -> dict[str, str]:
    """Return what to write instead of PyTorch's names, for a layer with these fields.

    Example:
        >>> foreign_arguments(frozenset({"filters", "strides"}))["out_channels"]
        'it is called `filters` here'
    """
    names = {theirs: ours for theirs, ours in FOREIGN_NAMES.items() if ours in fields and theirs not in fields}
    found = {theirs: f"it is called `{ours}` here{_OTHERWISE.get(ours, '')}" for theirs, ours in names.items()}
    found |= {name: "remove it: it is inferred from the input" for name in _INFERRED if name not in fields}
    return found | {name: text for name, text in _NEEDLESS.items() if name not in fields}
