"""Functions of TensorFlow in custom code, replaced by those of ``keras.ops`` while it is traced on symbolic tensors."""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

__all__ = ["replaced_calls"]

_SAME = (
    "abs", "add", "argmax", "argmin", "broadcast_to", "cos", "cumsum", "divide", "equal", "erf", "exp",
    "expm1", "floor", "greater", "greater_equal", "less", "less_equal", "log", "log1p", "logical_and", "logical_not",
    "logical_or", "maximum", "minimum", "multiply", "negative", "not_equal", "reshape", "rsqrt", "sigmoid", "sign",
    "sin", "sqrt", "square", "squeeze", "stop_gradient", "subtract", "tan", "tanh", "tile", "top_k", "where",
)  # fmt: skip
"""Functions of the same name and order of arguments."""

_OTHER_NAMES = {
    "acos": "arccos", "asin": "arcsin", "atan": "arctan", "atan2": "arctan2", "ceil": "ceil", "clip_by_value": "clip",
    "concat": "concatenate", "floormod": "mod", "mod": "mod", "pow": "power", "range": "arange", "reduce_all": "all",
    "reduce_any": "any", "reduce_logsumexp": "logsumexp", "reduce_max": "max", "reduce_mean": "mean", "reduce_min":
    "min", "reduce_prod": "prod", "reduce_std": "std", "reduce_sum": "sum", "reduce_variance": "var", "reverse": "flip",
    "stack": "stack", "truediv": "true_divide", "zeros_like": "zeros_like", "ones_like": "ones_like",
}  # fmt: skip

_ACTIVATIONS = (
    "elu",
    "leaky_relu",
    "log_softmax",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "softsign",
)

_ARGUMENTS = {
    "input": "x", "input_tensor": "x", "tensor": "x", "value": "x", "values": "x", "a": "x", "t": "x", "features": "x",
    "logits": "x", "condition": "condition", "dims": "axes", "perm": "axes", "shape": "shape", "repeats": "repeats",
    "multiples": "repeats", "clip_value_min": "x_min", "clip_value_max": "x_max", "limit": "stop", "delta": "step",
    "alpha": "negative_slope",
}  # fmt: skip
"""TensorFlow's names of arguments, and those of ``keras.ops``."""


def replaced_calls(is_traced: Callable[[Any], bool], within_a_layer: Callable[[], bool]) -> Iterator[tuple[Any, str, Any]]:
    """Yield the modules of TensorFlow, and their functions and what takes their place.

    A function is replaced where an argument is traced; creators of constants always are, as their sizes may be free.

    Args:
        is_traced: Whether an argument is a symbolic tensor or a variable.
        within_a_layer: Whether the call is within a layer that stays a layer.
    """
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is None:
        return
    for path, function in _functions().items():
        holder = tensorflow
        *modules, name = path.split(".")
        for module in modules:
            holder = getattr(holder, module)
        original = getattr(holder, name, None)
        if original is not None:
            always = name in _CREATORS or path.startswith("random.")
            yield holder, name, _either(original, function, always, is_traced, within_a_layer)


_CREATORS = ("eye", "fill", "ones", "range", "zeros")


def _either(original: Any, function: Any, always: bool, is_traced: Any, within_a_layer: Callable[[], bool]) -> Any:
    import keras

    def call(*args: Any, **kwargs: Any) -> Any:
        values = keras.tree.flatten([args, kwargs])
        caller = sys._getframe(1).f_globals.get("__name__", "")
        if within_a_layer() or caller.startswith("keras.") or not (always or any(map(is_traced, values))):
            return original(*args, **kwargs)  # also where Keras computes with TensorFlow
        kwargs.pop("name", None)
        return function(*args, **kwargs)

    return call


def _functions() -> Mapping[str, Callable[..., Any]]:
    from keras import ops

    def renamed(name: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            function = getattr(ops, name)  # read here: creators of constants are replaced while code is traced
            return function(*args, **_named(function, kwargs))

        return call

    found: dict[str, Callable[..., Any]] = {}
    for name, ours in [*((one, one) for one in _SAME), *_OTHER_NAMES.items()]:
        found[name] = found[f"math.{name}"] = renamed(ours)
    numpy = sys.modules["tensorflow"].experimental.numpy
    for name in dir(numpy):
        if inspect.isfunction(getattr(numpy, name)) and hasattr(ops, name):
            found[f"experimental.numpy.{name}"] = renamed(name)
    for name in _ACTIVATIONS:
        found[f"nn.{name}"] = renamed(name)
    return {**found, **_OWN}


def _named(function: Any, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    known = inspect.signature(function).parameters
    first = next(iter(known), "x")
    result = {}
    for name, value in kwargs.items():
        ours = name if name in known else _ARGUMENTS.get(name, name)
        result[first if ours == "x" and "x" not in known else ours] = value
    return result


def _cast(x: Any, dtype: Any) -> Any:
    from keras import ops

    return ops.cast(x, dtype)


def _convert(value: Any, dtype: Any = None, **more: Any) -> Any:
    from keras import ops

    return value if dtype is None else ops.cast(value, dtype)


def _shape(input: Any, out_type: Any = None) -> Any:
    from keras import ops

    return ops.shape(input)


def _expand_dims(input: Any, axis: Any) -> Any:
    from keras import ops

    return ops.expand_dims(input, axis)


def _einsum(equation: str, *inputs: Any, **more: Any) -> Any:
    """Write capital letters, which Keras does not trace, as others."""
    from keras import ops

    free = (letter for letter in "zyxwvutsrqponmlkjihgfedcba" if letter not in equation)
    equation = equation.replace(" ", "")
    for letter in sorted({letter for letter in equation if letter.isupper()}):
        equation = equation.replace(letter, next(free))
    return ops.einsum(equation, *inputs)


def _fill(dims: Any, value: Any) -> Any:
    from keras import ops

    return ops.full(dims, value)


def _matmul(a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False, **more: Any) -> Any:
    from keras import ops

    a, b = (ops.swapaxes(x, -1, -2) if turned else x for x, turned in ((a, transpose_a), (b, transpose_b)))
    return ops.matmul(a, b)


def _transpose(a: Any, perm: Any = None) -> Any:
    from keras import ops

    return ops.transpose(a, perm)


def _l2_normalize(x: Any, axis: Any = None, epsilon: float = 1e-12, **more: Any) -> Any:
    from keras import ops

    return x * ops.rsqrt(ops.maximum(ops.sum(ops.square(x), axis=axis, keepdims=True), epsilon))


def _moments(x: Any, axes: Any, shift: Any = None, keepdims: bool = False) -> Any:
    from keras import ops

    return ops.moments(x, axes, keepdims=keepdims)


def _gather(params: Any, indices: Any, validate_indices: Any = None, axis: Any = None, batch_dims: int = 0) -> Any:
    from keras import ops

    if not batch_dims:
        return ops.take(params, indices, axis=axis or 0)
    if len(indices.shape) == len(params.shape) and batch_dims == len(params.shape) - 1:
        return ops.take_along_axis(params, indices, axis=batch_dims)
    raise ValueError("`tf.gather` with `batch_dims` has no equivalent for these shapes; use `keras.ops.take_along_axis`")


def _split(value: Any, num_or_size_splits: Any, axis: int = 0, num: Any = None) -> Any:
    from itertools import accumulate

    from keras import ops

    parts = num_or_size_splits
    return ops.split(value, parts if isinstance(parts, int) else list(accumulate(parts))[:-1], axis=axis)


def _slice(input_: Any, begin: Any, size: Any) -> Any:
    from keras import ops

    whole = [known - start if one == -1 else one for known, start, one in zip(ops.shape(input_), begin, size, strict=True)]
    return ops.slice(input_, begin, whole)


def _pad(tensor: Any, paddings: Any, mode: str = "CONSTANT", constant_values: Any = 0) -> Any:
    from keras import ops

    mode = mode.lower()
    return ops.pad(tensor, paddings, mode, **({"constant_values": constant_values} if mode == "constant" else {}))


def _patches(images: Any, sizes: Any, strides: Any, rates: Any, padding: str) -> Any:
    from keras import ops

    return ops.image.extract_patches(images, sizes[1:3], strides[1:3], rates[1:3], padding.lower())


def _one_hot(indices: Any, depth: int, on_value: Any = None, off_value: Any = None, axis: int = -1, dtype: Any = None) -> Any:
    from keras import ops

    if not (on_value in (None, 1) and off_value in (None, 0)):
        raise ValueError("`tf.one_hot` with other values than 0 and 1 has no equivalent")
    return ops.one_hot(indices, depth, axis=axis, dtype=dtype or "float32")


def _unstack(value: Any, num: Any = None, axis: int = 0) -> Any:
    from keras import ops

    return ops.unstack(value, num, axis)


def _reshape(tensor: Any, shape: Any) -> Any:
    from keras import ops

    return ops.reshape(tensor, shape)


def _repeat(input: Any, repeats: Any, axis: Any = None) -> Any:
    from keras import ops

    return ops.repeat(input, repeats, axis)


def _roll(input: Any, shift: Any, axis: Any) -> Any:
    from keras import ops

    return ops.roll(input, shift, axis)


def _gelu(features: Any, approximate: bool = False) -> Any:
    from keras import ops

    return ops.gelu(features, approximate)


def _convolved(input: Any, filters: Any, strides: Any, padding: str, data_format: str = "NHWC", dilations: Any = None) -> Any:
    from keras import ops

    if data_format != "NHWC":
        raise ValueError("`tf.nn.conv2d` with the channels first has no equivalent")

    def inner(values: Any) -> Any:
        return values[1:3] if isinstance(values, list | tuple) and len(values) == 4 else values

    return ops.conv(input, filters, inner(strides), padding.lower(), dilation_rate=inner(dilations) or 1)


def _pooled(name: str) -> Callable[..., Any]:
    def call(input: Any, ksize: Any, strides: Any, padding: str, **more: Any) -> Any:
        from keras import ops

        sizes = [one[1:3] if isinstance(one, list | tuple) and len(one) == 4 else one for one in (ksize, strides)]
        return getattr(ops, name)(input, *sizes, padding=padding.lower())

    return call


def _norm(tensor: Any, ord: Any = "euclidean", axis: Any = None, keepdims: bool = False) -> Any:
    from keras import ops

    return ops.norm(tensor, None if ord == "euclidean" else ord, axis, keepdims)


def _band(input: Any, num_lower: Any, num_upper: Any) -> Any:
    from keras import ops

    rows, columns = (ops.arange(size) for size in ops.shape(input)[-2:])
    below = ops.expand_dims(rows, 1) - ops.expand_dims(columns, 0)
    kept = (below <= num_lower) & (below >= -num_upper)
    if not all(isinstance(one, int) and one >= 0 for one in (num_lower, num_upper)):
        raise ValueError("`tf.linalg.band_part` has an equivalent for widths that are known and not negative")
    return ops.where(kept, input, ops.zeros_like(input))


def _cropped(image: Any, offset_height: int, offset_width: int, target_height: int, target_width: int) -> Any:
    down, right = slice(offset_height, offset_height + target_height), slice(offset_width, offset_width + target_width)
    return image[:, down, right]


def _framed(image: Any, offset_height: int, offset_width: int, target_height: int, target_width: int) -> Any:
    from keras import ops

    _, height, width, _ = ops.shape(image)
    rows = [offset_height, target_height - offset_height - height]
    return ops.pad(image, [[0, 0], rows, [offset_width, target_width - offset_width - width], [0, 0]])


def _drawn(*args: Any, **kwargs: Any) -> Any:
    raise RuntimeError("it draws random numbers, which a spec does not do at inference")


def _size(input: Any, **more: Any) -> Any:
    return math.prod(_shape(input))


_OWN: Mapping[str, Callable[..., Any]] = {
    "cast": _cast,
    "constant": _convert,
    "convert_to_tensor": _convert,
    "einsum": _einsum,
    "expand_dims": _expand_dims,
    "fill": _fill,
    "gather": _gather,
    "identity": _convert,
    "image.crop_to_bounding_box": _cropped,
    "image.extract_patches": _patches,
    "image.pad_to_bounding_box": _framed,
    "linalg.band_part": _band,
    "linalg.l2_normalize": _l2_normalize,
    "linalg.matmul": _matmul,
    "linalg.norm": _norm,
    "math.l2_normalize": _l2_normalize,
    "matmul": _matmul,
    "nn.avg_pool2d": _pooled("average_pool"),
    "nn.conv2d": _convolved,
    "nn.gelu": _gelu,
    "nn.l2_normalize": _l2_normalize,
    "nn.max_pool2d": _pooled("max_pool"),
    "nn.moments": _moments,
    "norm": _norm,
    "one_hot": _one_hot,
    "ones": lambda shape, dtype="float32": _created("ones", shape, dtype),
    "pad": _pad,
    "random.normal": _drawn,
    "random.uniform": _drawn,
    "repeat": _repeat,
    "reshape": _reshape,
    "roll": _roll,
    "shape": _shape,
    "size": _size,
    "slice": _slice,
    "split": _split,
    "transpose": _transpose,
    "unstack": _unstack,
    "zeros": lambda shape, dtype="float32": _created("zeros", shape, dtype),
}
"""Functions whose arguments differ."""


def _created(name: str, shape: Any, dtype: Any) -> Any:
    from keras import ops

    return getattr(ops, name)(shape, dtype)
