"""Single calls of ``keras.ops``, one model each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import keras
import numpy as np
from keras import layers as L  # noqa: N812
from keras import ops

from benchmarks.import_probes.probe import Probe

__all__ = ["single_call_probes"]

Compute = Callable[..., Any]

OF_FLOATS: dict[str, Compute] = {
    **{name: getattr(ops, name) for name in (
        "abs", "sign", "exp", "expm1", "square", "floor", "ceil", "round", "sin", "cos", "arctan", "sinh", "cosh", "tanh", "erf",
        "isnan", "isinf", "isfinite", "stop_gradient", "negative", "exp2", "trunc", "deg2rad", "rad2deg", "arcsinh", "nan_to_num",
        "relu", "relu6", "sigmoid", "silu", "softplus", "softsign", "soft_shrink", "sparse_plus", "squareplus", "log_sigmoid",
        "leaky_relu", "hard_sigmoid", "hard_silu", "elu", "selu", "gelu", "celu", "glu", "tanh_shrink", "hard_tanh", "hard_shrink",
        "softmax", "log_softmax", "normalize", "sort", "argsort", "zeros_like", "ones_like", "copy", "tril", "triu")},
    **{f"{name} along an axis": partial(getattr(ops, name), axis=1) for name in (
        "sum", "mean", "prod", "max", "min", "var", "std", "logsumexp", "argmax", "argmin", "cumsum", "flip", "softmax", "sort",
        "amax", "amin", "ptp", "count_nonzero", "median", "cumprod", "diff")},
    "gelu, exact": lambda x: ops.gelu(x, approximate=False), "threshold": lambda x: ops.threshold(x, 0.1, -1.0),
    "norm": lambda x: ops.norm(x, axis=-1), "sum keepdims": lambda x: ops.sum(x, axis=(1, 2), keepdims=True),
    "mean negative axis": lambda x: ops.mean(x, axis=-1), "clip": lambda x: ops.clip(x, -0.5, 0.5), "elu alpha": lambda x: ops.elu(x, 0.3),
    "quantile": lambda x: ops.quantile(x, 0.3, axis=1), "sparsemax": ops.sparsemax, "average": lambda x: ops.average(x, axis=1),
    "reshape": lambda x: ops.reshape(x, (-1, 2, 10)), "transpose": lambda x: ops.transpose(x, (0, 2, 1)),
    "swapaxes": lambda x: ops.swapaxes(x, 1, 2), "moveaxis": lambda x: ops.moveaxis(x, 2, 1), "expand_dims": lambda x: ops.expand_dims(x, 1),
    "squeeze": lambda x: ops.squeeze(x[:, :, :1], -1), "broadcast_to": lambda x: ops.broadcast_to(x[:, :1], (3, 5, 4)),
    "tile": lambda x: ops.tile(x, (1, 2, 1)), "repeat": lambda x: ops.repeat(x, 2, axis=1), "roll": lambda x: ops.roll(x, 1, axis=1),
    "pad": lambda x: ops.pad(x, [[0, 0], [1, 2], [0, 1]]), "pad reflect": lambda x: ops.pad(x, [[0, 0], [1, 1], [0, 0]], mode="reflect"),
    "pad a value": lambda x: ops.pad(x, [[0, 0], [1, 1], [0, 0]], constant_values=2.0), "flatten": lambda x: ops.reshape(x, (-1, 20)),
    "cast to int": lambda x: ops.cast(x * 3, "int32"), "cast to bool": lambda x: ops.cast(x, "bool"), "diagonal": lambda x: ops.diagonal(x[:, :4], axis1=1, axis2=2),
    "trace": lambda x: ops.trace(x[:, :4], axis1=1, axis2=2), "top_k": lambda x: ops.top_k(x, 2), "top_k values": lambda x: ops.top_k(x, 2)[0],
    "split": lambda x: ops.split(x, 2, axis=2), "split at": lambda x: ops.split(x, [1, 3], axis=1), "unstack": lambda x: ops.unstack(x, axis=1),
    "moments": lambda x: ops.moments(x, axes=[1]), "layer_normalization": ops.layer_normalization, "rms_normalization": ops.rms_normalization,
    "take one": lambda x: ops.take(x, 1, axis=1), "take several": lambda x: ops.take(x, [2, 0, -1], axis=1),
    "x[:, 0]": lambda x: x[:, 0], "x[:, ::-1]": lambda x: x[:, ::-1], "x[..., 1:]": lambda x: x[..., 1:], "x[:, None]": lambda x: x[:, None],
    "x ** 3": lambda x: x**3, "2 / x": lambda x: 2 / (x + 9), "1 - x": lambda x: 1 - x, "x % 2": lambda x: x % 2, "x // 2": lambda x: x // 2,
    "x + array": lambda x: x + np.arange(4, dtype="float32"), "x * array of time": lambda x: x * np.arange(5, dtype="float32")[:, None],
    "x + large array": lambda x: x + np.random.default_rng(0).normal(size=(5, 4)).astype("float32"),
    "x @ array": lambda x: x @ np.random.default_rng(0).normal(size=(4, 6)).astype("float32"),
    "full_like": lambda x: ops.full_like(x, 2.5), "cbrt": ops.cbrt, "one_hot of argmax": lambda x: ops.one_hot(ops.argmax(x, axis=-1), 4),
    "max_pool": lambda x: ops.max_pool(x, 2), "average_pool": lambda x: ops.average_pool(x, 2),
}  # fmt: skip

OF_POSITIVE: dict[str, Compute] = {
    name: getattr(ops, name) for name in ("log", "log1p", "log2", "log10", "sqrt", "rsqrt", "reciprocal", "arccosh", "tan")
}
OF_UNIT: dict[str, Compute] = {name: getattr(ops, name) for name in ("arcsin", "arccos", "arctanh", "erfinv")}

OF_TWO: dict[str, Compute] = {
    **{name: getattr(ops, name) for name in (
        "add", "subtract", "multiply", "divide", "true_divide", "maximum", "minimum", "greater", "less", "greater_equal", "less_equal",
        "equal", "not_equal", "logaddexp", "hypot", "arctan2", "floor_divide", "mod", "heaviside")},
    "where": lambda x, y: ops.where(x > y, x, y), "matmul": lambda x, y: ops.matmul(x, ops.transpose(y, (0, 2, 1))),
    "einsum": lambda x, y: ops.einsum("btf,bsf->bts", x, y), "concatenate": lambda x, y: ops.concatenate([x, y], axis=1),
    "stack": lambda x, y: ops.stack([x, y], axis=-1), "take_along_axis": lambda x, y: ops.take_along_axis(x, ops.argsort(y, axis=1), axis=1),
    "logical_and": lambda x, y: ops.logical_and(x > 0, y > 0), "logical_or": lambda x, y: ops.logical_or(x > 0, y > 0),
    "logical_not": lambda x, y: ops.logical_not(x > y), "logical_xor": lambda x, y: ops.logical_xor(x > 0, y > 0),
    "any": lambda x, y: ops.any(x > y, axis=1), "all": lambda x, y: ops.all(x > y, axis=-1), "hstack": lambda x, y: ops.hstack([x, y]),
    "dot_product_attention": lambda x, y: ops.dot_product_attention(x[:, :, None], y[:, :, None], y[:, :, None]),
    "mean of the batch": lambda x, y: ops.mean(x + y, axis=0), "concatenate the batch": lambda x, y: ops.concatenate([x, y], axis=0),
    "power": lambda x, y: ops.power(ops.exp(x), y), "cross": lambda x, y: ops.cross(x[..., :3], y[..., :3]),
}  # fmt: skip

WITHOUT = (
    "erfinv",
    "quantile",
    "median along an axis",
    "cumprod along an axis",
    "sparsemax",
    "mean of the batch",
    "concatenate the batch",
    "cross",
    "broadcast_to",
)
"""Calls that the language cannot express, because it has no such function or they touch the batch axis."""


def single_call_probes() -> Iterator[Probe]:
    """A model with a layer before each call."""
    prepared: dict[str, Callable[[Any], Any]] = {
        "": lambda x: x,
        "softplus": lambda x: ops.softplus(x) + 1.1,
        "tanh": lambda x: ops.tanh(x) * 0.9,
    }
    for table, before in ((OF_FLOATS, ""), (OF_POSITIVE, "softplus"), (OF_UNIT, "tanh"), (OF_TWO, "two")):
        for name, compute in table.items():
            refused = "" if name in WITHOUT else None
            if before == "two":
                yield Probe(f"call {name}", lambda compute=compute: _of_two(compute), refused)
            else:
                yield Probe(f"call {name}", lambda compute=compute, before=prepared[before]: _of_one(compute, before), refused)


def _of_one(compute: Compute, before: Compute) -> Any:
    x = keras.Input((5, 4))
    return keras.Model(x, compute(before(L.Dense(4, kernel_initializer="orthogonal")(x))))


def _of_two(compute: Compute) -> Any:
    x, y = keras.Input((5, 4)), keras.Input((5, 4))
    return keras.Model([x, y], compute(L.Dense(4)(x), L.Dense(4)(y)))
