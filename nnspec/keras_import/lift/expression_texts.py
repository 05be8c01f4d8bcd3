"""The expressions of ``keras.ops`` operations that operators or several functions compute.

Names in braces are Keras's arguments: operands (``x``, ``x1``, ``x2``) and settings.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["TEXTS"]

TEXTS: Mapping[str, str] = {
    "Absolute": "abs({x})",
    "Add": "{x1} + {x2}",
    "Amax": "max({x}, axis={axis}, keepdims={keepdims})",
    "Amin": "min({x}, axis={axis}, keepdims={keepdims})",
    "Arccosh": "log({x} + sqrt(square({x}) - 1))",
    "Arcsinh": "sign({x}) * log(abs({x}) + sqrt(square({x}) + 1))",
    "Arctan2": "where(({x1} == 0) & ({x2} == 0), 0.0, arctan({x1} / {x2}) + where({x2} < 0, where({x1} < 0, -pi, pi), 0.0))",
    "Arctanh": "0.5 * log((1 + {x}) / (1 - {x}))",
    "Cbrt": "sign({x}) * abs({x}) ** 0.3333333333333333",
    "CountNonzero": "sum(cast({x} != 0, 'int32'), axis={axis})",
    "Deg2rad": "{x} * 0.017453292519943295",
    "Divide": "{x1} / {x2}",
    "Equal": "{x1} == {x2}",
    "Erfc": "1 - erf({x})",
    "Exp2": "2.0 ** {x}",
    "Fabs": "abs({x})",
    "FloorDivide": "{x1} // {x2}",
    "Greater": "{x1} > {x2}",
    "GreaterEqual": "{x1} >= {x2}",
    "Heaviside": "where({x1} == 0, {x2}, cast({x1} > 0, 'float32'))",
    "Hypot": "sqrt(square({x1}) + square({x2}))",
    "Isfinite": "abs({x}) < inf",
    "Isinf": "abs({x}) == inf",
    "Isneginf": "{x} == -inf",
    "Isposinf": "{x} == inf",
    "Less": "{x1} < {x2}",
    "LessEqual": "{x1} <= {x2}",
    "Log10": "log({x}) * 0.4342944819032518",
    "Log2": "log({x}) * 1.4426950408889634",
    "Logaddexp": "maximum({x1}, {x2}) + log1p(exp(-abs({x1} - {x2})))",
    "LogicalAnd": "{x1} & {x2}",
    "LogicalNot": "~{x}",
    "LogicalOr": "{x1} | {x2}",
    "LogicalXor": "{x1} != {x2}",
    "Mod": "{x1} % {x2}",
    "Multiply": "{x1} * {x2}",
    "NanToNum": "where(isnan({x}), {nan}, clip({x}, -3.4028234663852886e+38, 3.4028234663852886e+38))",
    "Nanmax": "max(where(isnan({x}), -inf, {x}), axis={axis}, keepdims={keepdims})",
    "Nanmin": "min(where(isnan({x}), inf, {x}), axis={axis}, keepdims={keepdims})",
    "Nansum": "sum(where(isnan({x}), 0, {x}), axis={axis}, keepdims={keepdims})",
    "Negative": "-{x}",
    "NotEqual": "{x1} != {x2}",
    "Power": "{x1} ** {x2}",
    "Ptp": "max({x}, axis={axis}, keepdims={keepdims}) - min({x}, axis={axis}, keepdims={keepdims})",
    "RGBToGrayscale": "sum({images} * [[[0.2989, 0.587, 0.114]]], axis=-1, keepdims=true)",
    "Rad2deg": "{x} * 57.29577951308232",
    "Reciprocal": "1 / {x}",
    "Sinc": "where({x} == 0, 1.0, sin(pi * {x}) / (pi * {x}))",
    "Subtract": "{x1} - {x2}",
    "Threshold": "where({x} > {threshold}, {x}, {default_value})",
    "TrueDivide": "{x1} / {x2}",
    "Trunc": "sign({x}) * floor(abs({x}))",
}
"""By Keras's name."""
