"""Names from other frameworks, NumPy and this language that are not layers, and what to write instead."""

from __future__ import annotations

from collections.abc import Mapping


def _activation(name: str) -> str:
    return f"write `Activation: {name}`, or `activation: {name}` in the layer before it"


_RESHAPE = "write `Reshape: {target_shape: […]}`, without the batch axis"
_TRANSFORMER = (
    "write it as a block of `MultiHeadAttention`, `Add`, `LayerNormalization` and `Dense`; `nnspec init --list` shows templates"
)
_IN_ORDER = "layers run in order: write them under `layers`, or as a block under `blocks`"
_LARGEST = (
    "for the maximum over positions, write `GlobalMaxPooling1D` (`2D`, `3D`); for the element-wise maximum of several "
    "inputs, `Maximum` with `from: [a, b]`; over an axis, `Compute: max(x, axis=1)`"
)
_SMALLEST = (
    "for the element-wise minimum of several inputs, write `Minimum` with `from: [a, b]`; over an axis, "
    "`Compute: min(x, axis=1)`"
)

_OPERATION = "the operation is the key: write `- Dense: {units: 10}`"

REPLACEMENTS: Mapping[str, str] = {
    "block": "a block is defined under `blocks: {NAME: {layers: […]}}` and used by its name: `- NAME`",
    "branch": "write `Parallel: {branches: [[…], […]], merge: Concatenate}`",
    "cat": "write `Concatenate` with `from: [a, b]`",
    "chunk": "write `Slice` for each part",
    "decoder": "it is defined under `networks` or `blocks`, and used by its name",
    "encoder": "it is defined under `networks` or `blocks`, and used by its name",
    "expanddims": _RESHAPE,
    "gelu": _activation("gelu"),
    "globalmax": _LARGEST,
    "hardsigmoid": _activation("hard_sigmoid"),
    "hardswish": _activation("hard_silu"),
    "input": "inputs are declared under `inputs`, as in `inputs: {image: [28, 28, 1]}`, and read with `from`",
    "linearlayer": "write `Dense: {units: …}`",
    "logsoftmax": _activation("log_softmax"),
    "loop": "write `repeat: 3` next to a step, or `{repeat: 3, layers: […]}`",
    "matmul": "write `Compute: a @ b`, or `Dot: {axes: …}` with `from: [a, b]`",
    "max": _LARGEST,
    "min": _SMALLEST,
    "mish": _activation("mish"),
    "model": "define another model under `networks`, or import it from a file with `use`",
    "modulelist": _IN_ORDER,
    "mul": "write `Multiply` with `from: [a, b]`",
    "network": "a network is defined under `networks: {NAME: {inputs: …, layers: […]}}` and used by its name: `- NAME`",
    "output": "declare outputs under `outputs`, as in `outputs: [digit]`; the default is the last step",
    "pad": "write `ZeroPadding1D` (`2D`, `3D`), or `padding` in the layer that follows",
    "positionalencoding": "write `SinusoidalPositionEncoding`, or `PositionEmbedding` for learned positions",
    "positionalembedding": "write `PositionEmbedding: {max_length: …}`",
    "reducemax": _LARGEST,
    "reducemean": "write `Mean: {axis: …}`",
    "reducemin": _SMALLEST,
    "reducesum": "write `Sum: {axis: …}`",
    "relu6": "write `ReLU: {max_value: 6}`",
    "repeat": "write `repeat: 3` next to a step, or `{repeat: 3, layers: […]}`; `RepeatVector` repeats a vector over time",
    "scale": "write `Rescaling: {scale: …}` for a fixed factor, or `Normalization`",
    "selu": _activation("selu"),
    "sequential": _IN_ORDER,
    "share": "write `- share: NAME` to use the layer of that name again, with the same weights",
    "sigmoid": _activation("sigmoid"),
    "silu": _activation("silu"),
    "skip": "write `Residual: {layers: […]}`, or name a step and write `Add` with `from: [a, b]`",
    "skipconnection": "write `Residual: {layers: […]}`, or name a step and write `Add` with `from: [a, b]`",
    "softplus": _activation("softplus"),
    "softsign": _activation("softsign"),
    "split": "write `Slice` for each part",
    "squeeze": _RESHAPE,
    "stack": "write `Compute: stack([a, b], axis=1)`, with the names of the steps",
    "swish": _activation("silu"),
    "tanh": _activation("tanh"),
    "transformer": _TRANSFORMER,
    "transformerblock": _TRANSFORMER,
    "transformerdecoder": _TRANSFORMER,
    "transformerdecoderlayer": _TRANSFORMER,
    "transformerencoder": _TRANSFORMER,
    "transformerencoderlayer": _TRANSFORMER,
    "transpose": "write `Permute: {dims: […]}`; axes are counted from 1, without the batch axis",
    **dict.fromkeys(("type", "layer", "op", "kind", "class", "module"), _OPERATION),
    "unflatten": _RESHAPE,
    "unsqueeze": _RESHAPE,
    "upsample": "write `UpSampling2D: {size: 2}` (`1D`, `3D`), or `Resizing` for a fixed size",
    "view": _RESHAPE,
}
"""What to write, by the name in lower case without underscores."""
