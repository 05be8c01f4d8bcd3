"""Problems of objectives that predict the next token: NN532."""

from __future__ import annotations

from nnspec.diagnostics import Problem

_HEAD = "nnspec: 1\nname: net\n"


class ReadsAhead(Problem):
    """A network that predicts the next token must not read it: it would learn to copy its targets.

    `validate` reports attention without a causal mask, bidirectional layers and convolutions that are not causal. `train`
    reports all other cases before the first step, by changing a token and comparing the outputs at earlier positions.
    """

    code = "NN532"
    message = "the output `{name}` reads the tokens that it predicts: {where}"
    fails = (
        _HEAD + "inputs: {tokens: {shape: [T], dtype: int32}}\nlayers:\n  - Embedding: {input_dim: 9, output_dim: 8}\n"
        "  - Conv1D: {filters: 8, kernel_size: 3, padding: same}\n  - Dense: {units: 9}\n    name: next\n"
        "train: {objective: language_model, epochs: 1, loss: {SparseCategoricalCrossentropy: {from_logits: true}}}\n"
    )
    passes = fails.replace("padding: same", "padding: causal")
