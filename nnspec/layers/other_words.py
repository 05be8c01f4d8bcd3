"""Words of other frameworks, of NumPy and of this language that are no layers: what to write instead."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["OTHER_WORDS"]


def _activation(name: str) -> str:
    return f"write `Activation: {name}`, or `activation: {name}` in the layer before it"


_RESHAPE = "write `Reshape: {target_shape: […]}`, the batch axis left out"
_TRANSFORMER = (
    "write it as a block of `MultiHeadAttention`, `Add`, `LayerNormalization` and `Dense`; `nnspec init --list` shows templates"
)
_IN_ORDER = "steps run one after the other: write them under `layers`, or as a block under `blocks`"
_LARGEST = (
    "for the largest value over positions write `GlobalMaxPooling1D` (`2D`, `3D`); for the larger of several inputs, element "
    "by element, `Maximum` with `from: [a, b]`"
)
_SMALLEST = (
    "for the smaller of several inputs, element by element, write `Minimum` with `from: [a, b]`; over an axis there is none"
)

_OPERATION = "the operation is the key itself: write `- Dense: {units: 10}`"

OTHER_WORDS: Mapping[str, str] = {
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
    "loop": "write `repeat: 3` beside a step, or `{repeat: 3, layers: […]}`",
    "matmul": "write `Dot: {axes: …}` with `from: [a, b]`",
    "max": _LARGEST,
    "min": _SMALLEST,
    "mish": _activation("mish"),
    "model": "another model is a network: define it under `networks`, or take it from a file with `use`",
    "modulelist": _IN_ORDER,
    "mul": "write `Multiply` with `from: [a, b]`",
    "network": "a network is defined under `networks: {NAME: {inputs: …, layers: […]}}` and used by its name: `- NAME`",
    "output": "outputs are named under `outputs`, as in `outputs: [digit]`; the last step is the default",
    "pad": "write `ZeroPadding1D` (`2D`, `3D`), or `padding` in the layer that follows",
    "positionalencoding": "write `SinusoidalPositionEncoding`, or `PositionEmbedding` for one that is learned",
    "positionalembedding": "write `PositionEmbedding: {sequence_length: …}`",
    "reducemax": _LARGEST,
    "reducemean": "write `Mean: {axis: …}`",
    "reducemin": _SMALLEST,
    "reducesum": "write `Sum: {axis: …}`",
    "relu6": "write `ReLU: {max_value: 6}`",
    "repeat": "write `repeat: 3` beside a step, or `{repeat: 3, layers: […]}`; `RepeatVector` repeats a vector in time",
    "scale": "write `Rescaling: {scale: …}` for a number that is given, or `Normalization`",
    "selu": _activation("selu"),
    "sequential": _IN_ORDER,
    "share": "write `- share: NAME`: the layer of that name again, with the same weights",
    "sigmoid": _activation("sigmoid"),
    "silu": _activation("silu"),
    "skip": "write `Residual: {layers: […]}`, or name a step and merge it: `Add` with `from: [a, b]`",
    "skipconnection": "write `Residual: {layers: […]}`, or name a step and merge it: `Add` with `from: [a, b]`",
    "softplus": _activation("softplus"),
    "softsign": _activation("softsign"),
    "split": "write `Slice` for each part",
    "squeeze": _RESHAPE,
    "stack": "write `Reshape` of each to one more axis, then `Concatenate`",
    "swish": _activation("silu"),
    "tanh": _activation("tanh"),
    "transformer": _TRANSFORMER,
    "transformerblock": _TRANSFORMER,
    "transformerdecoder": _TRANSFORMER,
    "transformerdecoderlayer": _TRANSFORMER,
    "transformerencoder": _TRANSFORMER,
    "transformerencoderlayer": _TRANSFORMER,
    "transpose": "write `Permute: {dims: […]}`, the axes counted from 1, the batch left out",
    **dict.fromkeys(("type", "layer", "op", "kind", "class", "module"), _OPERATION),
    "unflatten": _RESHAPE,
    "unsqueeze": _RESHAPE,
    "upsample": "write `UpSampling2D: {size: 2}` (`1D`, `3D`), or `Resizing` for a size that is given",
    "view": _RESHAPE,
}
"""By the word in small letters, without underscores."""
