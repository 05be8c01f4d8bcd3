"""Operations of ``keras.ops`` whose expressions depend on their arguments."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from nnspec.keras_import.arguments import NoEquivalent
from nnspec.keras_import.lift.operation_texts import Operation, called, family, filled, literal, shape_of
from nnspec.keras_import.model import Tensor
from nnspec.layers import snake_name

__all__ = ["WRITERS"]


def _indexed(operation: Operation) -> str:
    x, key = [*operation.call.args, *operation.call.kwargs.values()][:2]
    keys = key if isinstance(key, list) else [key]
    if isinstance(key, Tensor) or any(isinstance(one, Tensor | list) for one in keys):
        raise NoEquivalent("it uses other indices than slices and integers", "write `keras.ops.take_along_axis`", setting=True)
    return f"{operation.text(x, cast=False)}[{', '.join(_key(operation, one) for one in keys)}]"


def _sliced(operation: Operation) -> str:
    given = operation.given("inputs", "start_indices", "shape")
    x, starts = given["inputs"], given["start_indices"]
    sizes: list[Any] = operation.settings.get("shape") or given["shape"]
    if not all(type(start) is int for start in starts) or starts[0] != 0:
        raise NoEquivalent("it starts at a position that is a tensor, or in the batch", setting=True)
    keys, shape = [":"], operation.shape(x)
    for start, size, known in zip(starts[1:], sizes[1:], shape[1:], strict=True):
        if size == known and not start and size is not None:
            keys.append(":")
        elif isinstance(size, dict):
            name, factor, term, divisor = operation.size(size)
            end = {"__size__": [name, factor, term + start * divisor, divisor]}
            keys.append(f"{start or ''}:{operation.plain(end)}")
        elif type(size) is int:
            keys.append(f"{start or ''}:{start + size if size >= 0 else ''}")
        else:
            raise NoEquivalent("its shape is unknown", setting=True)
    return f"{operation.text(x, cast=False)}[{', '.join(keys)}]"


def _taken_of_each(operation: Operation) -> str:
    given = operation.given("x", "indices")
    x, indices = (operation.text(given[name], cast=False) for name in ("x", "indices"))
    return f"take({x}, {indices}, axis={operation.setting('axis')})"


def _key(operation: Operation, value: Any) -> str:
    if isinstance(value, slice):
        bounds = ["" if bound is None else operation.plain(bound) for bound in (value.start, value.stop)]
        return ":".join(bounds) + (f":{value.step}" if value.step not in (None, 1) else "")
    if isinstance(value, dict) and value.get("class_name") == "__ellipsis__":
        return "..."
    if value is None or type(value) is int:
        return literal(value)
    raise NoEquivalent("it uses other indices than slices and integers", setting=True)


def _one(operation: Operation) -> Tensor:
    values = [*operation.call.args, *(value for value in operation.call.kwargs.values() if value is not None)]
    if len(values) != 1 or not isinstance(values[0], Tensor):
        raise NoEquivalent("it takes one tensor", setting=True)
    return values[0]


def _cast(operation: Operation) -> str:
    dtype = str(operation.settings.get("dtype"))
    if dtype in ("float16", "bfloat16", "float64"):
        raise NoEquivalent(
            f"it casts to {dtype}, but a spec computes in float32", "remove it: `x` is already float32", setting=True
        )
    return f"cast({operation.text(_one(operation), cast=False)}, '{family(dtype)}')"


def _broadcast(operation: Operation) -> str:
    sizes = operation.settings["shape"]
    return f"broadcast_to({operation.text(_one(operation), cast=False)}, {operation.plain(sizes[1:])})"


def _tiled(operation: Operation) -> str:
    x, repeats = _one(operation), operation.settings["repeats"]
    repeats = repeats if isinstance(repeats, list) else [repeats]
    repeats = [1] * (operation.rank(x) - len(repeats)) + repeats
    if repeats[0] != 1 or len(repeats) > operation.rank(x):
        raise NoEquivalent("it repeats the batch axis", setting=True)
    return f"tile({operation.text(x)}, {literal(repeats[1:])})"


def _padded(operation: Operation) -> str:
    given = operation.given("x", "constant_values")
    x, widths, mode = given["x"], operation.settings["pad_width"], operation.settings.get("mode", "constant")
    pairs = widths if isinstance(widths, list) and all(isinstance(pair, list) for pair in widths) else []
    if len(pairs) == 1:
        pairs = pairs * operation.rank(x)
    if not pairs or any(pairs[0]):
        raise NoEquivalent("it pads the batch axis", "write `[0, 0]` for the batch axis", setting=True)
    more = "" if mode == "constant" else f", '{mode}'"
    value = given.get("constant_values")
    more += "" if value in (None, 0) else f", constant_values={literal(value)}"
    return f"pad({operation.text(x, cast=False)}, {literal(pairs[1:])}{more})"


def _transposed(operation: Operation) -> str:
    x, axes = _one(operation), operation.settings.get("axes")
    rank = operation.rank(x)
    if operation.layer.kind == "Moveaxis":
        source, target = (
            [axis % rank for axis in (value if isinstance(value, list) else [value])]
            for value in (operation.settings["source"], operation.settings["destination"])
        )
        axes = [axis for axis in range(rank) if axis not in source]
        for place, axis in sorted(zip(target, source, strict=True)):
            axes.insert(place, axis)
    if axes is None or axes[0] % rank != 0:
        raise NoEquivalent("it moves the batch axis", setting=True)
    return f"transpose({operation.text(x, cast=False)}, {literal([axis % rank for axis in axes])})"


def _squeezed(operation: Operation) -> str:
    x, axis = _one(operation), operation.settings.get("axis")
    if axis is None:
        axis = [place for place, size in enumerate(operation.shape(x)) if size == 1 and place]
    return f"squeeze({operation.text(x, cast=False)}, {literal(axis)})"


def _flipped(operation: Operation) -> str:
    if operation.settings.get("axis") is None:
        raise NoEquivalent("it covers all axes, including the batch axis", "give its `axis`", setting=True)
    return called(operation)


def _parts_of(operation: Operation) -> dict[str, str]:
    """``split`` and ``unstack``: slices of an axis."""
    x = _one(operation)
    name, shape = operation.text(x, cast=False), operation.shape(x)
    axis = operation.settings.get("axis", 0) % len(shape)
    size, lead = shape[axis], [":"] * axis
    if axis == 0:
        raise NoEquivalent("it splits the batch axis", setting=True)
    if size is None:
        raise NoEquivalent("it splits an axis of free size", setting=True)
    given = operation.settings.get("indices_or_sections", size)
    if (len(given) if isinstance(given, list) else given) > _MOST_PARTS:
        raise NoEquivalent(f"it returns more than {_MOST_PARTS} tensors", setting=True)
    if operation.layer.kind == "Unstack":
        return {f"part_{place}": f"{name}[{', '.join([*lead, str(place)])}]" for place in range(size)}
    places = given if isinstance(given, list) else [size // given * number for number in range(1, given)]
    ends = [0, *(min(place if place >= 0 else place + size, size) for place in places), size]
    keys = [f"{start or ''}:{stop if stop < size else ''}" for start, stop in pairwise(ends)]
    return {f"part_{number}": f"{name}[{', '.join([*lead, key])}]" for number, key in enumerate(keys)}


_MOST_PARTS = 100


def _top_k(operation: Operation) -> dict[str, str]:
    operation.check(("k",))
    text = f"top_k({operation.text(_one(operation), cast=False)}, {operation.setting('k')})"
    return {"values": f"{text}[0]", "indices": f"{text}[1]"}


def _moments(operation: Operation) -> dict[str, str]:
    operation.check(("axes", "keepdims"))
    more = f"{operation.text(_one(operation))}, axis={operation.setting('axes')}"
    more += ", keepdims=true" if operation.settings.get("keepdims") else ""
    return {"mean": f"mean({more})", "variance": f"var({more})"}


def _taken(operation: Operation) -> str:
    given, axis = operation.given("x", "indices"), operation.settings.get("axis")
    x, indices = given["x"], given["indices"]
    if axis is None:
        raise NoEquivalent("it covers all axes, including the batch axis", "give its `axis`", setting=True)
    if isinstance(x, Tensor) and isinstance(indices, Tensor):
        help = "write `keras.ops.take_along_axis`, which selects with indices of each example"
        raise NoEquivalent("it selects the same indices in all examples, and they are a tensor", help, setting=True)
    if isinstance(x, Tensor):
        return f"take({operation.text(x, cast=False)}, {literal(indices)}, axis={axis})"
    before = len(operation.parts)
    table, index = operation.text(x), operation.text(indices, cast=False)
    axis = axis % len(shape_of(x)) + (len(operation.parts) > before)
    return f"take({table}, {index}, axis={axis})"


def _einsum(operation: Operation) -> str:
    subscripts = str(operation.settings.get("subscripts")).replace(" ", "")
    before, arrow, after = subscripts.partition("->")
    letters = before.split(",")
    if "." in subscripts or not arrow or len(letters) != len(operation.call.args):
        raise NoEquivalent("its subscripts contain `...`, or no `->`", setting=True)
    texts = []
    for place, value in enumerate(operation.call.args):
        known = len(operation.parts)
        texts.append(operation.text(value))
        letters[place] = (after[:1] if len(operation.parts) > known else "") + letters[place]
    return f"einsum('{','.join(letters)}->{after}', {', '.join(texts)})"


def _product(operation: Operation) -> str:
    given = operation.given("x1", "x2")
    a, b = given["x1"], given["x2"]
    known = len(operation.parts)
    left, right = operation.text(a), operation.text(b)
    if len(operation.parts) > known and isinstance(a, Tensor) and operation.rank(a) == 2:
        return f"einsum('bi,bij->bj', {left}, {right})"
    if operation.layer.kind == "Dot" and (isinstance(b, Tensor) or operation.rank(b) > 2):
        raise NoEquivalent("it combines different examples", "write `keras.ops.matmul` or `einsum`", setting=True)
    return f"{left} @ {right}"


def _diagonal(operation: Operation) -> str:
    """``diagonal`` and ``trace``, by a repeated letter."""
    x = _one(operation)
    rank, letters = operation.rank(x), list("bcdefghi")
    first, second = (operation.settings.get(name, place) % rank for place, name in enumerate(("axis1", "axis2")))
    if operation.settings.get("offset", 0) != 0 or 0 in (first, second) or rank > len(letters):
        raise NoEquivalent("it takes another diagonal, or that of the batch axis", setting=True)
    letters[second] = letters[first]
    left = [letter for letter in letters[:rank] if letter != letters[first]]
    result = "".join([*left, letters[first]] if operation.layer.kind == "Diagonal" else left)
    return f"einsum('{''.join(letters[:rank])}->{result}', {operation.text(x)})"


def _halved(operation: Operation) -> str:
    x, axis = _one(operation), operation.settings.get("axis", -1)
    shape = operation.shape(x)
    axis = axis % len(shape)
    size = shape[axis]
    if size is None or axis == 0:
        raise NoEquivalent("its axis has a free size", setting=True)
    name, lead = operation.text(x), ":, " * axis
    return f"{name}[{lead}:{size // 2}] * sigmoid({name}[{lead}{size // 2}:])"


def _differences(operation: Operation) -> str:
    x, axis = _one(operation), operation.settings.get("axis", -1)
    lead, name = ":, " * (axis % operation.rank(x)), operation.text(x)
    if operation.settings.get("n", 1) != 1 or not lead:
        raise NoEquivalent("only the first difference of an axis has an equivalent", setting=True)
    return f"{name}[{lead}1:] - {name}[{lead}:-1]"


def _normalization(operation: Operation) -> str:
    given = operation.given("x", *(("scale",) if operation.layer.kind == "RMSNorm" else ("gamma", "beta")))
    operation.check(("axis", "epsilon"))
    x, axis, epsilon = operation.text(given["x"]), operation.setting("axis", -1), operation.settings.get("epsilon")
    small = literal(_EPSILON if epsilon is None else epsilon)
    if operation.layer.kind == "RMSNorm":
        text = f"{x} * rsqrt(mean(square({x}), axis={axis}, keepdims=true) + {small})"
    else:
        along = f"({x}, axis={axis}, keepdims=true)"
        text = f"({x} - mean{along}) * rsqrt(var{along} + {small})"
    rank = operation.rank(given["x"])
    for name, operator in (("scale", "*"), ("gamma", "*"), ("beta", "+")):
        text += f" {operator} {operation.text(given[name], rank=rank)}" if given.get(name) is not None else ""
    return text


_EPSILON = 1e-7
"""Keras's default."""


def _attention(operation: Operation) -> dict[str, str] | str:
    given = operation.given("query", "key", "value", "bias", "mask", "scale")
    operation.check(())
    if operation.rank(given["query"]) != 4:
        raise NoEquivalent("its query has other axes than time, heads and features", setting=True)
    q, k, v = (operation.text(given[name]) for name in ("query", "key", "value"))
    size, scale = operation.shape(given["query"])[-1], given.get("scale")
    factor = literal(scale) if scale is not None else repr(1 / math.sqrt(size or 1))
    bias = f" + {operation.text(given['bias'])}" if given.get("bias") is not None else ""
    scores = f"einsum('btnh,bsnh->bnts', {q}, {k}) * {factor}{bias}"
    if given.get("mask") is not None:
        scores = f"where({operation.text(given['mask'], cast=False)}, {scores}, {_MASKED})"
    return f"einsum('bnts,bsnh->btnh', softmax({scores}), {v})"


_MASKED = repr(-0.7 * 3.4028234663852886e38)
"""The score that Keras gives to masked positions."""


def _average(operation: Operation) -> str:
    given, axis = operation.given("x", "weights"), operation.settings.get("axis")
    if axis is None:
        raise NoEquivalent("it reduces all axes, including the batch axis", "give its `axis`", setting=True)
    x = operation.text(given["x"])
    if given.get("weights") is None:
        return f"mean({x}, axis={axis})"
    rank = operation.rank(given["x"])
    if operation.rank(given["weights"]) != rank:
        raise NoEquivalent("its weights have another number of axes", setting=True)
    weights = operation.text(given["weights"])
    return f"sum({x} * {weights}, axis={axis}) / sum({weights}, axis={axis})"


def _activated(default: Mapping[str, Any], text: str) -> Callable[[Operation], str]:
    """Write an activation by its name with its default settings, else as a text."""

    def write(operation: Operation) -> str:
        if all(operation.settings.get(name, value) == value for name, value in default.items()):
            return f"{snake_name(operation.layer.kind)}({operation.text(_one(operation))})"
        return filled(operation, text)

    return write


def _gelu(operation: Operation) -> str:
    x = operation.text(_one(operation))
    if operation.settings.get("approximate") is False:
        return f"gelu({x})"
    return f"0.5 * {x} * (1 + tanh(0.7978845608028654 * ({x} + 0.044715 * {x} ** 3)))"


def _joined(axis: int) -> Callable[[Operation], str]:
    return lambda operation: called(operation, "concatenate", axis=axis)


WRITERS: Mapping[str, Callable[[Operation], str | dict[str, str]]] = {
    "Average": _average,
    "BroadcastTo": _broadcast,
    "Cast": _cast,
    "Celu": _activated({"alpha": 1.0}, "maximum({x}, 0) + {alpha} * expm1(minimum({x}, 0) / {alpha})"),
    "ConvertToTensor": _cast,
    "Diagonal": _diagonal,
    "Diff": _differences,
    "Dot": _product,
    "DotProductAttention": _attention,
    "Dstack": _joined(2),
    "Einsum": _einsum,
    "Elu": _activated({"alpha": 1.0}, "maximum({x}, 0) + {alpha} * expm1(minimum({x}, 0))"),
    "Flip": _flipped,
    "Gelu": _gelu,
    "GetItem": _indexed,
    "Glu": _halved,
    "HardShrink": _activated({"threshold": 0.5}, "where(abs({x}) > {threshold}, {x}, 0)"),
    "Hstack": _joined(1),
    "LayerNorm": _normalization,
    "LeakyRelu": _activated({"negative_slope": 0.2}, "maximum({x}, 0) + {negative_slope} * minimum({x}, 0)"),
    "Matmul": _product,
    "Moments": _moments,
    "Moveaxis": _transposed,
    "Pad": _padded,
    "RMSNorm": _normalization,
    "Slice": _sliced,
    "SoftShrink": _activated({"threshold": 0.5}, "sign({x}) * relu(abs({x}) - {threshold})"),
    "Split": _parts_of,
    "Squareplus": _activated({"b": 4}, "({x} + sqrt(square({x}) + {b})) / 2"),
    "Squeeze": _squeezed,
    "Take": _taken,
    "TakeOfEach": _taken_of_each,
    "Tile": _tiled,
    "TopK": _top_k,
    "Trace": _diagonal,
    "Transpose": _transposed,
    "Unstack": _parts_of,
}
"""By Keras's name."""
