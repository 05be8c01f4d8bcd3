"""Activation functions, by Keras's names."""

from __future__ import annotations

from typing import Literal

# `glu` is excluded: it halves the last axis, and Keras's shape inference ignores that.
ActivationName = Literal[
    "celu",
    "elu",
    "exponential",
    "gelu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "swish",
    "tanh",
    "tanh_shrink",
]
"""An activation function, with Keras's default parameters; ``swish`` is ``silu``, ``hard_swish`` is ``hard_silu``."""

OVER_LAST_AXIS = frozenset({"log_softmax", "softmax", "sparsemax"})
"""The functions that are computed over the last axis; the others are element-wise."""

DISCONTINUOUS = frozenset({"hard_shrink"})
"""The functions that jump."""
