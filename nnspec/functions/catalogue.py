"""All functions, by name, and what to write instead of functions that do not exist."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType

from nnspec.functions import along_axis, constructors, elementwise, products, reductions, shapes, training
from nnspec.functions.base import Function

FAMILIES: Mapping[str, ModuleType] = {
    "element-wise": elementwise,
    "reductions": reductions,
    "along one axis": along_axis,
    "shapes": shapes,
    "products": products,
    "constructors": constructors,
    "training and masks": training,
}
"""The modules that define functions, by family."""

FUNCTIONS: Mapping[str, Function] = {
    name: function for family in FAMILIES.values() for name, function in family.FUNCTIONS.items()
}

INSTEAD: Mapping[str, str] = {
    "reduce_sum": "`sum(…)`",
    "reduce_mean": "`mean(…)`",
    "reduce_max": "`max(…)`",
    "reduce_min": "`min(…)`",
    "amax": "`max(…)`",
    "amin": "`min(…)`",
    "concat": "`concatenate(…)`",
    "cat": "`concatenate(…)`",
    "hstack": "`concatenate([a, b], axis=-1)`",
    "pow": "`a ** b`",
    "power": "`a ** b`",
    "add": "`a + b`",
    "subtract": "`a - b`",
    "multiply": "`a * b`",
    "mul": "`a * b`",
    "divide": "`a / b`",
    "true_divide": "`a / b`",
    "div": "`a / b`",
    "negative": "`-x`",
    "reciprocal": "`1 / x`",
    "logical_and": "`a & b`",
    "logical_or": "`a | b`",
    "logical_not": "`~a`",
    "greater": "`a > b`",
    "less": "`a < b`",
    "equal": "`a == b`",
    "not_equal": "`a != b`",
    "dot": "`a @ b`, or `einsum`",
    "bmm": "`a @ b`",
    "mm": "`a @ b`",
    "tensordot": "`einsum`",
    "permute": "`transpose(…)`",
    "unsqueeze": "`expand_dims(…)`",
    "view": "`reshape(x, shape)`, with the shape of one example",
    "flatten": "`reshape(x, [-1])`",
    "moveaxis": "`transpose(x, axes)`",
    "gather": "`take(x, indices, axis)` or `take_along_axis(x, indices, axis)`",
    "index_select": "`take(x, indices, axis)`",
    "split": "slices: `x[..., :4]`, `x[..., 4:]`",
    "chunk": "slices: `x[..., :4]`, `x[..., 4:]`",
    "clamp": "`clip(…)`",
    "masked_fill": "`where(condition, value, x)`",
    "topk": "`top_k(x, k)`",
    "float": "`cast(…, 'float32')`",
    "int": "`cast(…, 'int32')`",
    "bool": "`cast(…, 'bool')`",
    "astype": "`cast(…)`",
    "to": "`cast(x, 'float32')`",
    "len": "`x.shape[1]`",
    "size": "`x.shape[1]`",
    "shape": "`x.shape[1]`",
    "range": "`arange(…)`",
    "absolute": "`abs(…)`",
    "ln": "`log(…)`",
    "lrelu": "`leaky_relu(…)`",
    "arctan2": "`arctan(y / x)`, with `where` for the quadrants",
    "expand": "`broadcast_to(…)`",
    "full": "`broadcast_to(value, shape)`",
    "eye": "`cast(expand_dims(arange(n), 1) == expand_dims(arange(n), 0), 'float32')`",
    "select": "`where(…)`",
    "if": "`where(…)`",
    "cumprod": "`exp(cumsum(log(x), axis))`, for positive numbers",
    "detach": "`stop_gradient(…)`",
    "count_nonzero": "`sum(cast(x != 0, 'int32'), axis)`",
    "dropout": "the step `- Dropout: {rate: 0.5}`",
    "normal": "`random_normal(shape)`, in the first argument of `in_training`",
    "randn": "`random_normal(shape)`, in the first argument of `in_training`",
    "uniform": "`random_uniform(shape)`, in the first argument of `in_training`",
    "rand": "`random_uniform(shape)`, in the first argument of `in_training`",
}
"""What to write for functions of other libraries, and for those that operators replace; ``(…)`` are the same arguments."""

ARGUMENTS: Mapping[str, str] = {
    "dim": "axis",
    "dims": "axes",
    "axes": "axis",
    "keepdim": "keepdims",
    "keep_dims": "keepdims",
    "input": "x",
    "depth": "num_classes",
}
"""Arguments of other libraries, by theirs."""
