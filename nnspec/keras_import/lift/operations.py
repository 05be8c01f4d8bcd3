"""Translators of ``keras.ops`` operations between layers (``a + b``, ``x[:, 0]``, ``ops.relu(x)``)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from nnspec.keras_import.arguments import NoEquivalent
from nnspec.keras_import.lift.slicing import slices
from nnspec.keras_import.model import KerasCall, KerasLayer, Tensor, tensors_in
from nnspec.keras_import.parts import Part, Translation, Translator, Within, part


def _settings(layer: KerasLayer, call: KerasCall, *names: str) -> list[Any]:
    """Return settings of an operation, from the call or the config."""
    given = {**layer.config, **call.kwargs}
    return [given.get(name) for name in names]


def _x(call: KerasCall) -> Tensor:
    found = list(tensors_in([call.args, call.kwargs]))
    if len(found) != 1:
        raise NoEquivalent(f"it takes one tensor, but is called with {len(found)}", setting=True)
    return found[0]


def _merge(op: str, scaled: Callable[[float, bool], Mapping[str, Any] | None]) -> Translator:
    """Translate a binary operation: a merge of two tensors, or a rescaling of a tensor with numbers."""

    def translate(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
        del layer
        operands = [*call.args, *(value for name, value in call.kwargs.items() if name in ("x1", "x2"))]
        if len(operands) != 2:
            raise NoEquivalent(f"it has {len(operands)} operands", setting=True)
        tensors = [value for value in operands if isinstance(value, Tensor)]
        if len(tensors) == 2:
            _same_rank(tensors, within)
            return (part(op, {}, tensors),)
        first = isinstance(operands[0], Tensor)
        numbers = _numbers(operands[1 if first else 0])
        arguments = [scaled(number, first) for number in numbers]
        if not tensors or any(one is None for one in arguments):
            raise NoEquivalent("it has no equivalent with a number as operand", setting=True)
        joined = {name: [one[name] for one in arguments if one] for name in arguments[0] or ()}
        return (part("Rescaling", {name: v[0] if len(v) == 1 else v for name, v in joined.items()}, tensors),)

    return translate


def _same_rank(tensors: list[Tensor], within: Within) -> None:
    ranks = {within.rank(tensor) for tensor in tensors}
    if len(ranks - {None}) > 1:
        help = "give both the same number of axes with `Reshape`: operations match axes from the last, including the batch axis"
        raise NoEquivalent("its operands have different numbers of axes", help, setting=True)


def _numbers(value: Any) -> list[float]:
    """Return a number, or one per channel, as a list."""
    while isinstance(value, list) and len(value) == 1 and isinstance(value[0], list):
        value = value[0]
    items = value if isinstance(value, list) else [value]
    if not items or not all(isinstance(item, int | float) and not isinstance(item, bool) for item in items):
        raise NoEquivalent("an operand is neither a tensor nor a list of numbers for the last axis", setting=True)
    return [float(item) for item in items]


def _divided(number: float, first: bool) -> Mapping[str, Any] | None:
    return {"scale": 1 / number} if first and number and math.isfinite(1 / number) else None


def _subtracted(number: float, first: bool) -> Mapping[str, Any]:
    return {"scale": 1.0, "offset": -number} if first else {"scale": -1.0, "offset": number}


def _maximum(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    numbers = [value for value in call.args if not isinstance(value, Tensor)]
    if len(call.args) == 2 and numbers == [0]:
        return (part("ReLU", {}, [_x(call)]),)
    return _merge("Maximum", lambda number, first: None)(layer, call, within)


def _activation(name: str, **expected: Any) -> Translator:
    """Translate an activation with default parameters."""

    def translate(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
        x = _x(call)
        for setting, value in expected.items():
            [given] = _settings(layer, call, setting)
            last = setting == "axis" and given is not None and given + 1 == within.rank(x)
            if given not in (None, value) and not last:
                raise NoEquivalent(f"it has no equivalent with `{setting}: {given}`", setting=True)
            if given is None and setting == "approximate":
                raise NoEquivalent("the config does not contain `approximate`", setting=True)
        return (part("Activation", {"activation": name}, [x]),)

    return translate


def _softmax(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    x, [axis] = _x(call), _settings(layer, call, "axis")
    if axis in (-1, None) or (isinstance(axis, int) and axis + 1 == within.rank(x)):
        return (part("Activation", {"activation": "softmax"}, [x]),)
    return (part("Softmax", {"axis": axis}, [x]),)


def _with(op: str, **names: str) -> Translator:
    """Translate an operation to a layer, renaming its settings."""

    def translate(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
        del within
        given = {ours: _settings(layer, call, theirs)[0] for ours, theirs in names.items()}
        return (part(op, {name: value for name, value in given.items() if value is not None}, [_x(call)]),)

    return translate


def _clip(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    del within
    low, high = _settings(layer, call, "x_min", "x_max")
    if low != 0 or not isinstance(high, int | float) or high < 0:
        raise NoEquivalent("only clipping from 0 has an equivalent, `ReLU` with `max_value`", setting=True)
    return (part("ReLU", {"max_value": float(high)}, [_x(call)]),)


def _absolute(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    """``|x|`` as the maximum of x and −x."""
    del layer, within
    x = _x(call)
    return (part("Rescaling", {"scale": -1.0}, [x], "_negated"), part("Maximum", {}, [x, 0]))


def _squared(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    del within
    if layer.kind == "Power" and [value for value in call.args if not isinstance(value, Tensor)] != [2]:
        raise NoEquivalent("only the second power has an equivalent, `Multiply` of a tensor with itself", setting=True)
    x = _x(call)
    return (part("Multiply", {}, [x, x]),)


def _reduced(op: str) -> Translator:
    def translate(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
        x = _x(call)
        axis, keepdims = _settings(layer, call, "axis", "keepdims")
        axes = axis if isinstance(axis, list) else [axis]
        rank = within.rank(x)
        if not axes or any(not isinstance(one, int) or one == 0 or (rank and one == -rank) for one in axes):
            raise NoEquivalent("it reduces the batch axis", setting=True)
        arguments: dict[str, Any] = {"axis": axes[0] if len(axes) == 1 else axes}
        return (part(op, arguments | ({"keepdims": True} if keepdims else {}), [x]),)

    return translate


def _concatenate(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    tensors, [axis] = list(tensors_in([call.args, call.kwargs])), _settings(layer, call, "axis")
    rank = within.rank(tensors[0]) if tensors else None
    if axis is None or rank is None or not tensors or axis % rank == 0:
        raise NoEquivalent("it concatenates along the batch axis", setting=True)
    if len(tensors) == 1:
        return tensors[0]
    _same_rank(tensors, within)
    return (part("Concatenate", {} if axis % rank == rank - 1 else {"axis": axis % rank}, tensors),)


def _transpose(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    x, [axes] = _x(call), _settings(layer, call, "axes")
    rank = within.rank(x)
    order = [axis % rank for axis in axes] if axes and rank else []
    if not order or order[0] != 0:
        raise NoEquivalent("it moves the batch axis", setting=True)
    return (part("Permute", {"dims": order[1:]}, [x]),)


def _reshape(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    x = _x(call)
    [wanted] = _settings(layer, call, "newshape")
    wanted = wanted if wanted is not None else next((value for value in call.args if isinstance(value, list)), None)
    if not isinstance(wanted, list) or not wanted:
        raise NoEquivalent("the config does not contain the target shape", setting=True)
    return (_reshaped(x, [-1 if size is None else size for size in wanted], within),)


def _reshaped(x: Tensor, wanted: list[Any], within: Within) -> Part:
    """Return a ``Reshape`` that keeps the batch axis."""
    shape = within.shape_of(x)
    sizes = wanted[1:]
    if shape is None or not all(isinstance(size, int) for size in sizes):
        raise NoEquivalent("its sizes are not fixed", setting=True)
    before = None if None in shape[1:] else math.prod(size for size in shape[1:] if size is not None)
    if wanted[0] != -1 and wanted[0] != shape[0]:
        raise NoEquivalent("it changes the batch axis", setting=True)
    if wanted[0] == -1 and (-1 in sizes or before is None or math.prod(sizes) != before):
        raise NoEquivalent("it may change the batch axis", "write `-1` only for the batch axis", setting=True)
    return part("Reshape", {"target_shape": sizes}, [x])


def _axes_changed(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    """``expand_dims`` and ``squeeze``."""
    x, [axis] = _x(call), _settings(layer, call, "axis")
    shape = within.shape_of(x)
    if shape is None or axis is None:
        raise NoEquivalent("the config does not contain the axis", setting=True)
    sizes: list[Any] = list(shape)
    if layer.kind == "ExpandDims":
        sizes.insert(axis if axis >= 0 else axis + len(sizes) + 1, 1)
    else:
        for place in sorted((one % len(sizes) for one in (axis if isinstance(axis, list) else [axis])), reverse=True):
            sizes.pop(place)
    if shape[0] != sizes[0] or sizes[1:].count(None) > 1 or len(sizes) < 2:
        raise NoEquivalent("it changes the batch axis, or has two unknown sizes", setting=True)
    return (part("Reshape", {"target_shape": [-1 if size is None else size for size in sizes[1:]]}, [x]),)


def _pad(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    x = _x(call)
    widths, mode, value = _settings(layer, call, "pad_width", "mode", "constant_values")
    rank = within.rank(x)
    flat = isinstance(widths, list) and all(isinstance(pair, list) and len(pair) == 2 for pair in widths)
    if mode not in (None, "constant") or value not in (None, 0) or rank not in (3, 4, 5) or not flat or len(widths) != rank:
        raise NoEquivalent("only zero padding of spatial axes has an equivalent, `ZeroPadding`", setting=True)
    if widths[0] != [0, 0] or widths[-1] != [0, 0]:
        raise NoEquivalent("it pads the batch axis or the channels", setting=True)
    margins = widths[1:-1]
    return (part(f"ZeroPadding{rank - 2}D", {"padding": margins if rank > 3 else margins[0]}, [x]),)


def _cast(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    """Convert integers to floats with a factor of 1; casts within integers or floats are dropped."""
    x, [dtype] = _x(call), _settings(layer, call, "dtype")
    given = within.dtype_of(x)
    if dtype == "float32" and (given is None or "float" in given):
        return x
    if dtype == "float32":
        return (part("Rescaling", {"scale": 1.0}, [x]),)
    if dtype in ("int32", "int64") and given is not None and "int" in given:
        return x
    if "float" in str(dtype):
        raise NoEquivalent(
            f"it casts to {dtype}, but a spec computes in float32", "remove it: `x` is already float32", setting=True
        )
    help = "declare the model's input as integers, `keras.Input(shape, dtype='int32')`, or move the cast before the model"
    if dtype == "bool":
        help = "use implicit masks from `Embedding(mask_zero=True)`; compute other conditions before the model"
    raise NoEquivalent(f"it casts {given or 'a tensor'} to {dtype}, which no layer does", help, setting=True)


def _converted(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    """Drop ``convert_to_tensor``, or translate it as a cast."""
    return _x(call) if _settings(layer, call, "dtype") == [None] else _cast(layer, call, within)


def _take(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    """Select one position of an axis; a list of one index keeps the axis, and an integer removes it."""
    x, [axis, indices] = _x(call), _settings(layer, call, "axis", "indices")
    others = [value for value in call.args if not isinstance(value, Tensor)]
    indices = others[0] if others else indices
    rank = within.rank(x)
    one = indices[0] if isinstance(indices, list) and len(indices) == 1 else indices
    if rank is None or type(axis) is not int or axis % rank == 0 or type(one) is not int:
        raise NoEquivalent("only one position of a non-batch axis has an equivalent, `Slice`", setting=True)
    keys = [_ALL] * (axis % rank) + [one if indices is one else slice(one, None if one == -1 else one + 1)]
    return slices(KerasCall([x, keys], {}), within)


_ALL = slice(None, None, None)


OPERATIONS: Mapping[str, Translator] = {
    "Absolute": _absolute,
    "Add": _merge("Add", lambda number, first: {"scale": 1.0, "offset": number}),
    "Cast": _cast,
    "Celu": _activation("celu", alpha=1.0),
    "Clip": _clip,
    "ConvertToTensor": _converted,
    "Copy": lambda layer, call, within: _x(call),
    "Concatenate": _concatenate,
    "Divide": _merge("Divide", _divided),
    "Elu": _with("ELU", alpha="alpha"),
    "Exp": _activation("exponential"),
    "ExpandDims": _axes_changed,
    "Gelu": _activation("gelu", approximate=False),
    "GetItem": lambda layer, call, within: slices(call, within),
    "HardSigmoid": _activation("hard_sigmoid"),
    "HardSilu": _activation("hard_silu"),
    "LeakyRelu": _with("LeakyReLU", negative_slope="negative_slope"),
    "LogSigmoid": _activation("log_sigmoid"),
    "LogSoftmax": _activation("log_softmax", axis=-1),
    "Maximum": _maximum,
    "Mean": _reduced("Mean"),
    "Minimum": _merge("Minimum", lambda number, first: None),
    "Multiply": _merge("Multiply", lambda number, first: {"scale": number}),
    "Negative": lambda layer, call, within: (part("Rescaling", {"scale": -1.0}, [_x(call)]),),
    "Pad": _pad,
    "Power": _squared,
    "Relu": _activation("relu"),
    "Relu6": _activation("relu6"),
    "Reshape": _reshape,
    "Selu": _activation("selu"),
    "Sigmoid": _activation("sigmoid"),
    "Silu": _activation("silu"),
    "Softmax": _softmax,
    "Softplus": _activation("softplus"),
    "Softsign": _activation("softsign"),
    "Square": _squared,
    "Squeeze": _axes_changed,
    "Subtract": _merge("Subtract", _subtracted),
    "Sum": _reduced("Sum"),
    "Take": _take,
    "Tanh": _activation("tanh"),
    "Transpose": _transpose,
    "TrueDivide": _merge("Divide", _divided),
}
"""By Keras's name."""
