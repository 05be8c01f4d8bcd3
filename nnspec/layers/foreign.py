"""PyTorch's names of arguments, each with Keras's name."""

from __future__ import annotations

_SAME = {
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
    found = {theirs: f"it is called `{ours}` here" for theirs, ours in _SAME.items() if ours in fields and theirs not in fields}
    found |= {name: "remove it: it is inferred from the input" for name in _INFERRED if name not in fields}
    return found | {name: text for name, text in _NEEDLESS.items() if name not in fields}
