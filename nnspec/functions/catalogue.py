"""All functions, by name, and what to write instead of functions that do not exist."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.functions import along_axis, constructors, elementwise, products, reductions, shapes, training
from nnspec.functions.base import Function

__all__ = ["FUNCTIONS", "INSTEAD"]

FAMILIES = {
    "element-wise": elementwise,
    "reductions": reductions,
    "along one axis": along_axis,
    "shapes": shapes,
    "products": products,
    "constructors": constructors,
    "training and masks": training,
}

FUNCTIONS: Mapping[str, Function] = {
    name: function for family in FAMILIES.values() for name, function in family.FUNCTIONS.items()
}

INSTEAD: Mapping[str, str] = {
    "reduce_sum": "write `sum`",
    "reduce_mean": "write `mean`",
    "reduce_max": "write `max`",
    "concat": "write `concatenate`",
    "cat": "write `concatenate`",
    "pow": "write `a ** b`",
    "power": "write `a ** b`",
    "add": "write `a + b`",
    "subtract": "write `a - b`",
    "multiply": "write `a * b`",
    "divide": "write `a / b`",
    "negative": "write `-x`",
    "logical_and": "write `a & b`",
    "logical_or": "write `a | b`",
    "logical_not": "write `~a`",
    "greater": "write `a > b`",
    "less": "write `a < b`",
    "equal": "write `a == b`",
    "not_equal": "write `a != b`",
    "dot": "write `a @ b`, or `einsum`",
    "tensordot": "write `einsum`",
    "permute": "write `transpose`",
    "unsqueeze": "write `expand_dims`",
    "gather": "write `take` or `take_along_axis`",
    "float": "write `cast(x, 'float32')`",
    "int": "write `cast(x, 'int32')`",
    "absolute": "write `abs`",
    "arctan2": "write `arctan(y / x)` with `where` for the quadrants",
    "expand": "write `broadcast_to`",
    "full": "write `broadcast_to(value, shape)`",
    "eye": "write `cast(expand_dims(arange(n), 1) == expand_dims(arange(n), 0), 'float32')`",
    "select": "write `where`",
    "cumprod": "write `exp(cumsum(log(x), axis))` for positive numbers",
    "detach": "write `stop_gradient`",
    "lambda": "write the expression itself",
}
"""Help for names of other libraries, and of functions that operators replace."""
