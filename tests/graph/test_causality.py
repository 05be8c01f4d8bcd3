"""Whether a network reads tokens that it is to predict is decided on the graph, before anything is trained."""

from __future__ import annotations

import pytest

from nnspec.api import validate

TRAIN = "train: {objective: language_model, epochs: 1, loss: {SparseCategoricalCrossentropy: {from_logits: true}}}\n"


def ahead(write, *layers):
    """The advice of each layer that lets a position read later tokens."""
    text = "nnspec: 1\nname: net\ninputs: {tokens: {shape: [T], dtype: int32}}\nlayers:\n"
    text += "  - Embedding: {input_dim: 9, output_dim: 8, mask_zero: true}\n    name: embedded\n"
    text += "".join(f"  - {layer}\n" for layer in layers) + "  - Dense: {units: 9}\n    name: next\n"
    errors = [d for d in validate(write(text + TRAIN)) if d.is_error]
    assert {d.code for d in errors} <= {"NN532"}
    return [d.help for d in errors]


@pytest.mark.parametrize(
    ("layers", "help"),
    [
        (["MultiHeadAttention: {num_heads: 2, key_dim: 4}"], "write `use_causal_mask: true`"),
        (["Residual: {layers: [{MultiHeadAttention: {num_heads: 2, key_dim: 4}}]}"], "write `use_causal_mask: true`"),
        (["Attention:\n    from: {query: embedded, value: embedded}"], "write `use_causal_mask: true`"),
        (["Bidirectional: {layer: {GRU: {units: 4, return_sequences: true}}}"], "use a layer that runs forward only"),
        (["GRU: {units: 4, return_sequences: true, go_backwards: true}"], "use a layer that runs forward only"),
        (["Conv1D: {filters: 4, kernel_size: 3, padding: same}"], "write `padding: causal`"),
        (["Conv1D: {filters: 4, kernel_size: 2, padding: same, dilation_rate: 4}"], "write `padding: causal`"),
        (["MaxPooling1D: {pool_size: 3, strides: 1, padding: same}"], "use `Conv1D` with `padding: causal`"),
        (
            ["ZeroPadding1D: {padding: [1, 1]}", "Conv1D: {filters: 4, kernel_size: 3}"],
            "write `padding: causal`, and no padding or cropping before it",
        ),
        (
            ["Conv1D: {filters: 8, kernel_size: 3, padding: same}", "GRU: {units: 8, return_sequences: true}"],
            "write `padding: causal`",
        ),
    ],
)
def test_a_layer_that_looks_ahead_is_found(write, layers, help):
    assert ahead(write, *layers) == [help]


@pytest.mark.parametrize(
    "layers",
    [
        ["MultiHeadAttention: {num_heads: 2, key_dim: 4, use_causal_mask: true}"],
        ["GRU: {units: 4, return_sequences: true}", "LayerNormalization"],
        ["Conv1D: {filters: 4, kernel_size: 3, padding: causal, dilation_rate: 2}"],
        ["ZeroPadding1D: {padding: [2, 0]}", "Conv1D: {filters: 4, kernel_size: 3}"],
        # Shifted by one, a window of three sees no later token.
        [
            "ZeroPadding1D: {padding: [1, 0]}",
            "Cropping1D: {cropping: [0, 1]}",
            "Conv1D: {filters: 4, kernel_size: 3, padding: same}",
        ],
    ],
)
def test_a_causal_network_is_found_in_order(write, layers):
    assert ahead(write, *layers) == []
