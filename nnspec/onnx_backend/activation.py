"""Activation functions in ONNX, by Keras's names, in their fastest exact form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.layout import declared
from nnspec.onnx_backend.value import Value
from nnspec.types.activation_names import OVER_LAST_AXIS


def activate(b: Builder, value: Value, activation: str | None) -> Value:
    """Apply an activation function to a value.

    Args:
        b: The graph.
        value: The input.
        activation: The name of the function; None for ``linear``.
    """
    if activation in (None, "linear"):
        return value
    if activation in OVER_LAST_AXIS and (value.axes[-1] != value.type.rank or value.order is not None):
        value = declared(b, value)
    return value.with_name(apply(b, value.name, activation))


def apply(b: Builder, x: str, activation: str | None) -> str:
    """Apply an activation function to an ONNX tensor whose last axis is the spec's last axis."""
    return x if activation is None else _FORMS[activation](b, x)


def _node(type: str, **attributes: float) -> Callable[[Builder, str], str]:
    return lambda b, x: b.op(type, x, bodies=None, **attributes)


def _scalar(b: Builder, value: float, hint: str) -> str:
    return b.constant(value, hint, np.float32)


def _clip(b: Builder, x: str, low: float, high: float) -> str:
    return b.op("Clip", x, _scalar(b, low, "min"), _scalar(b, high, "max"))


def _gelu(b: Builder, x: str) -> str:
    if b.opset >= 20:
        return b.op("Gelu", x)
    normal = b.op("Erf", b.op("Div", x, _scalar(b, float(np.sqrt(2)), "sqrt2")))
    return b.op("Mul", b.op("Mul", x, b.op("Add", normal, _scalar(b, 1, "one"))), _scalar(b, 0.5, "half"))


def _mish(b: Builder, x: str) -> str:
    return b.op("Mul", x, b.op("Tanh", b.op("Softplus", x)))


def _silu(b: Builder, x: str) -> str:
    return b.op("Mul", x, b.op("Sigmoid", x))


def _log_sigmoid(b: Builder, x: str) -> str:
    return b.op("Neg", b.op("Softplus", b.op("Neg", x)))


def _tanh_shrink(b: Builder, x: str) -> str:
    return b.op("Sub", x, b.op("Tanh", x))


def _squareplus(b: Builder, x: str) -> str:
    root = b.op("Sqrt", b.op("Add", b.op("Mul", x, x), _scalar(b, 4, "b")))
    return b.op("Mul", b.op("Add", x, root), _scalar(b, 0.5, "half"))


def _sparse_plus(b: Builder, x: str) -> str:
    """(clip(x, −1, 1) + 1)² / 4 + max(x − 1, 0): 0 below −1, x above 1."""
    half = b.op("HardSigmoid", x, alpha=0.5, beta=0.5)
    return b.op("Add", b.op("Mul", half, half), b.op("Relu", b.op("Sub", x, _scalar(b, 1, "one"))))


def _sparsemax(b: Builder, x: str) -> str:
    """Sparsemax as in Keras 3.15: the threshold uses the *sum* of the support's cumulative sums, not the last one."""
    one, last = _scalar(b, 1, "one"), b.ints([-1], "axis")
    size = b.op("Shape", x, start=-1)
    falling, _ = b.ops("TopK", [x, size], 2)
    sums = b.op("CumSum", falling, b.constant(-1, "along", np.int64))
    step = b.constant(1, "step", np.int64)
    rank = b.op("Cast", b.op("Range", step, b.op("Add", b.op("Squeeze", size), step), step), to=1)
    inside = b.op("Cast", b.op("Greater", falling, b.op("Div", b.op("Sub", sums, one), rank)), to=1)
    total = b.op("ReduceSum", b.op("Mul", inside, sums), last, keepdims=1)
    threshold = b.op("Div", b.op("Sub", total, one), b.op("ReduceSum", inside, last, keepdims=1))
    return b.op("Relu", b.op("Sub", x, threshold))


_FORMS: Mapping[str, Callable[[Builder, str], str]] = {
    "celu": _node("Elu"),
    "elu": _node("Elu"),
    "exponential": _node("Exp"),
    "gelu": _gelu,
    "hard_shrink": _node("Shrink", lambd=0.5, bias=0.0),
    "hard_sigmoid": _node("HardSigmoid", alpha=1 / 6, beta=0.5),
    "hard_silu": _node("HardSwish"),
    "hard_swish": _node("HardSwish"),
    "hard_tanh": partial(_clip, low=-1, high=1),
    "leaky_relu": _node("LeakyRelu", alpha=0.2),
    "linear": lambda b, x: x,
    "log_sigmoid": _log_sigmoid,
    "log_softmax": _node("LogSoftmax", axis=-1),
    "mish": _mish,
    "relu": _node("Relu"),
    "relu6": partial(_clip, low=0, high=6),
    "selu": _node("Selu"),
    "sigmoid": _node("Sigmoid"),
    "silu": _silu,
    "soft_shrink": _node("Shrink", lambd=0.5, bias=0.5),
    "softmax": _node("Softmax", axis=-1),
    "softplus": _node("Softplus"),
    "softsign": _node("Softsign"),
    "sparse_plus": _sparse_plus,
    "sparse_sigmoid": _node("HardSigmoid", alpha=0.5, beta=0.5),
    "sparsemax": _sparsemax,
    "squareplus": _squareplus,
    "swish": _silu,
    "tanh": _node("Tanh"),
    "tanh_shrink": _tanh_shrink,
}

CELL_ACTIVATIONS: Mapping[str, tuple[str, float | None, float | None]] = {
    "elu": ("Elu", 1.0, None),
    "hard_sigmoid": ("HardSigmoid", 1 / 6, 0.5),
    "leaky_relu": ("LeakyRelu", 0.2, None),
    "linear": ("Affine", 1.0, 0.0),
    "relu": ("Relu", None, None),
    "sigmoid": ("Sigmoid", None, None),
    "softsign": ("Softsign", None, None),
    "sparse_sigmoid": ("HardSigmoid", 0.5, 0.5),
    "tanh": ("Tanh", None, None),
}
"""The activations of ONNX Runtime's recurrent operators: name, alpha and beta; None for an unused parameter.

Without Softplus: theirs computes log(1 + exp(x)), which overflows where x exceeds 88.
"""
