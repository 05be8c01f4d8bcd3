"""Translation of ``keras.ops`` operations to `Compute` steps.

An operation with the name and arguments of a function of tensor expressions needs no entry; `TEXTS` and `WRITERS` list those that
are written in another way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nnspec.functions.base import Parameter
from nnspec.functions.catalogue import FUNCTIONS
from nnspec.keras_import.arguments import NoEquivalent
from nnspec.keras_import.lift.expression_texts import TEXTS
from nnspec.keras_import.model import KerasCall, KerasLayer, Tensor
from nnspec.keras_import.parts import Part, Source, Translation, Variable, Within
from nnspec.layers import LAYERS, snake_name
from nnspec.layers.base import LayerError
from nnspec.types import TensorType, unknown

__all__ = ["computed", "has_expression"]

_LARGEST_LIST = 16
"""The most numbers that an expression lists; more become a `Parameter`."""

_Cast = tuple[tuple[str, ...], str]
_CASTS: tuple[_Cast, ...] = (((), ""), (("bool",), "int32"), (("bool", "int32"), "float32"))
"""The dtypes that are cast and their target, tried in order: Keras promotes implicitly, and the language has `cast`."""

_TO_BOOL: _Cast = (("float32", "int32"), "bool")

_NEUTRAL: Mapping[str, tuple[Any, ...]] = {
    "dtype": (None,), "sparse": (False, None), "ragged": (False, None), "sorted": (True,), "initial": (None,), "epsilon": (None,),
    "data_format": (None, "channels_last"), "mode": ("constant",), "decimals": (0,), "flash_attention": (None, False),
    "is_causal": (False,), "attn_logits_soft_cap": (None,), "synchronized": (False,), "rms_scaling": (False,), "num": (None,),
    "posinf": (None,), "neginf": (None,), "name": (...,),
}  # fmt: skip
"""Arguments without a counterpart, each with the values that have no effect."""

_OF_FUNCTIONS = {"x1": "a", "x2": "b", "variable": "x", "inputs": "x", "arrays": "xs", "newshape": "newshape"}
"""Keras's names of arguments, and those of the functions."""

_BOOL = ("All", "Any", "LogicalAnd", "LogicalNot", "LogicalOr", "LogicalXor")
"""Operations that cast their operands to bools."""


def has_expression(kind: str) -> bool:
    """Whether an operation can be written as an expression."""
    return kind in TEXTS or kind in WRITERS or snake_name(kind) in FUNCTIONS


def computed(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    """Translate an operation to a `Compute` step.

    Raises:
        NoEquivalent: If it has no equal expression.
    """
    first: LayerError | None = None
    for casts in _CASTS:
        operation = Operation(layer, call, within, _TO_BOOL if layer.kind in _BOOL else casts)
        written = _written(operation)
        results = written if isinstance(written, dict) else {"output": written}
        if not operation.sources:
            raise NoEquivalent("it is called without a tensor", setting=True)
        made = LAYERS.get("Compute").model_validate({"results": results, "reads": list(operation.sources)})
        parts = (*operation.parts, Part(made, operation.sources))
        if None in operation.types.values():
            return parts
        try:
            made.output_types(operation.types)  # type: ignore[attr-defined]
        except LayerError as error:
            first = first or error
        else:
            return parts
    assert first is not None
    raise NoEquivalent(first.message, first.help, setting=True)


@dataclass
class Operation:
    """One operation while it is written as an expression.

    Attributes:
        layer: The operation.
        call: Its call.
        within: The context.
        casts: The dtypes of operands that are cast, and the dtype they are cast to.
        sources: The tensors by their names in the expression.
        types: Their types; None if unknown.
        parts: The steps before it: its large constants.
    """

    layer: KerasLayer
    call: KerasCall
    within: Within
    casts: _Cast = ((), "")
    sources: dict[str, Source] = field(default_factory=dict)
    types: dict[str, TensorType | None] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)

    def given(self, *names: str) -> dict[str, Any]:
        """Return the call's arguments by Keras's names, given in Keras's order."""
        found = dict(zip(names, self.call.args, strict=False))
        if len(self.call.args) > len(names):
            raise NoEquivalent(f"it is called with {len(self.call.args)} arguments", setting=True)
        return found | {name: value for name, value in self.call.kwargs.items() if value is not None}

    @property
    def settings(self) -> dict[str, Any]:
        """Its arguments that are not tensors."""
        return {name: value for name, value in self.layer.config.items() if name != "name"}

    def rank(self, value: Any) -> int:
        """Return the number of axes of an operand, with the batch axis."""
        return len(self.shape(value))

    def shape(self, value: Any) -> tuple[int | None, ...]:
        """Return the shape of an operand, with the batch axis."""
        if isinstance(value, dict) and "__variable__" in value:
            return self.within.variable(value["__variable__"]).shape
        found = self.within.shape_of(value) if isinstance(value, Tensor) else _shape(value)
        if found is None:
            raise NoEquivalent("the shape of its operand is unknown", setting=True)
        return found

    def text(self, value: Any, *, rank: int | None = None, cast: bool = True) -> str:
        """Return an operand as it is written: a name, a number, a list.

        Args:
            value: The operand.
            rank: The number of axes of the tensors that it is combined with; a constant gets the axes of one example.
            cast: Whether it may be cast.
        """
        if isinstance(value, Tensor):
            name = self._name(value)
            type_ = self.types[name]
            kind = _family(type_.dtype) if type_ is not None else "float32"
            given, target = self.casts
            return f"cast({name}, '{target}')" if cast and kind in given else name
        if isinstance(value, dict) and "__variable__" in value:
            return self._variable(self.within.variable(value["__variable__"]), rank)
        if not isinstance(value, list):
            text = literal(value)
            return f"({text})" if text.startswith("-") else text
        if rank is not None:
            value = _of_an_example(value, rank)
        if math.prod(_shape(value)) <= _LARGEST_LIST:
            return literal(value)
        return self._parameter(value)

    def _name(self, tensor: Tensor) -> str:
        for name, source in self.sources.items():
            if source == tensor:
                return name
        name = _LETTERS[len(self.sources)] if len(self.sources) < len(_LETTERS) else f"x{len(self.sources)}"
        self.sources[name] = tensor
        shape, dtype = self.within.shape_of(tensor), self.within.dtype_of(tensor)
        known = shape is not None and dtype is not None
        sizes = tuple(unknown() if size is None else size for size in (shape or (None,))[1:])
        self.types[name] = TensorType(sizes, dtype) if known else None  # type: ignore[arg-type]
        return name

    def _parameter(self, value: list[Any]) -> str:
        """Add a frozen `Parameter` with the value of a large constant."""
        if not self.within.stores:
            reason = f"a constant of {math.prod(_shape(value)):,} numbers needs a file of weights"
            raise NoEquivalent(reason, "import the `.keras` file of the model", setting=True)
        name = self._weight(_shape(value), "_value" if not self.parts else f"_value_{len(self.parts)}", value=value)
        return name if all(isinstance(one, float) for one in _flat(value)) else f"cast({name}, 'int32')"

    def _weight(self, shape: tuple[int, ...], suffix: str, **more: Any) -> str:
        made = LAYERS.get("Parameter").model_validate({"shape": list(shape), "initializer": "zeros"})
        name = _LETTERS[len(self.sources)]
        self.sources[name], self.types[name] = len(self.parts), TensorType(shape, "float32")
        self.parts.append(Part(made, {}, suffix, **more))
        return name

    def _variable(self, variable: Variable, rank: int | None) -> str:
        """Add a `Parameter` with the value of a variable, in the axes of one example."""
        shape = variable.shape
        if rank is not None and len(shape) >= rank:
            if len(shape) > rank or shape[0] != 1:
                raise NoEquivalent(f"the variable `{variable.name}` has values of its own for each example", setting=True)
            shape = shape[1:]
        elif rank is not None:
            shape = (*(1,) * (rank - 1 - len(shape)), *shape)
        for part in self.parts:
            if part.variable is variable:
                return next(name for name, source in self.sources.items() if source == self.parts.index(part))
        return self._weight(shape, "", value=variable.value, variable=variable)

    def setting(self, name: str, default: Any = None) -> str:
        """Return a setting as it is written."""
        return literal(self.settings.get(name, default))

    def check(self, used: Iterator[str] | tuple[str, ...] | set[str]) -> None:
        """Refuse a setting that is not used and has an effect."""
        used = set(used)
        for name, value in self.settings.items():
            if name not in used and value not in _NEUTRAL.get(name, (None,)):
                raise NoEquivalent(f"`{name}: {str(value)[:40]}` has no equivalent", setting=True)


_LETTERS = "xyzabcdefghjklmnopqrstuvw"


def _written(operation: Operation) -> str | dict[str, str]:
    kind = operation.layer.kind
    if kind in WRITERS:
        return WRITERS[kind](operation)
    if kind in TEXTS:
        return _from_text(operation, TEXTS[kind])
    return _called(operation)


def _from_text(operation: Operation, text: str) -> str:
    """Fill in a text: its operands, in the order of Keras's names, and its settings."""
    names = [name for name in ("condition", "x", "x1", "x2", "images") if f"{{{name}}}" in text]
    given = operation.given(*names)
    given = {"x": value for value in given.values()} if names == ["x"] and len(given) == 1 else given
    if set(given) != set(names):
        raise NoEquivalent("it is called with other arguments", setting=True)
    rank = max((operation.rank(value) for value in given.values() if isinstance(value, Tensor)), default=None)
    found = {name: operation.text(given[name], rank=rank) for name in names}
    used = {name for name in operation.settings if f"{{{name}}}" in text}
    operation.check(used)
    if "{axis}" in text and operation.settings.get("axis") is None:
        raise NoEquivalent("it reduces all axes, including the batch axis", "give its `axis`", setting=True)
    return _in_dtype(operation, text.format(**found, **{name: operation.setting(name) for name in used}))


def _called(operation: Operation, name: str = "", **settings: Any) -> str:
    """Write a call of the function with the operation's name."""
    function = FUNCTIONS[name or snake_name(operation.layer.kind)]
    known = {each.name: each for each in function.parameters}
    config = {**operation.settings, **settings}
    given = {key: value for key, value in config.items() if key in known}
    operation.check({*given, "dtype"})
    left = [each for each in known if each not in given]
    if function.name in ("reshape", "where"):
        left = list(known)
    given |= {_OF_FUNCTIONS.get(key, key): value for key, value in operation.given(*left).items()}
    if unknown_names := set(given) - set(known):
        raise NoEquivalent(f"it is called with `{min(unknown_names)}`", setting=True)
    tensors = [value for key, value in given.items() if known[key].kind == "tensor" and isinstance(value, Tensor)]
    rank = max(map(operation.rank, tensors), default=None)
    texts = [
        text if parameter.is_required and parameter.name != "axis" else f"{parameter.name}={text}"
        for parameter in function.parameters
        if parameter.name in given and (text := _argument(operation, parameter, given[parameter.name], rank)) is not None
    ]
    return _in_dtype(operation, f"{function.name}({', '.join(texts)})")


def _argument(operation: Operation, parameter: Parameter, value: Any, rank: int | None) -> str | None:
    """Return an argument as it is written; None if it is the default."""
    if value == parameter.default and type(value) in (type(parameter.default), int, float) and not parameter.is_required:
        return None
    if parameter.kind == "tensors":
        if not isinstance(value, list) or not all(isinstance(each, Tensor) for each in value):
            raise NoEquivalent("it combines tensors with constants, which have no batch axis", setting=True)
        return f"[{', '.join(map(operation.text, value))}]"
    if parameter.kind == "tensor":
        return operation.text(value, rank=rank, cast=parameter.name not in ("condition", "indices"))
    text = literal(value)
    if parameter.kind in ("axis", "axes") and value is None:
        raise NoEquivalent("it covers all axes, including the batch axis", "give its `axis`", setting=True)
    return text


def _in_dtype(operation: Operation, text: str) -> str:
    """Cast a result to the operation's `dtype`, if it gives one."""
    dtype = operation.settings.get("dtype")
    is_own = operation.layer.kind == "OneHot" and _family(str(dtype)) == "float32"
    return text if dtype is None or is_own else f"cast({text}, '{_family(dtype)}')"


# --- operations that are written in their own way ----------------------------------------------------------------------------


def _indexed(operation: Operation) -> str:
    x, key = [*operation.call.args, *operation.call.kwargs.values()][:2]
    keys = key if isinstance(key, list) else [key]
    if isinstance(key, Tensor) or any(isinstance(one, Tensor | list) for one in keys):
        raise NoEquivalent("it uses other indices than slices and integers", "write `keras.ops.take_along_axis`", setting=True)
    return f"{operation.text(x, cast=False)}[{', '.join(map(_key, keys))}]"


def _key(value: Any) -> str:
    if isinstance(value, slice):
        bounds = ["" if bound is None else str(bound) for bound in (value.start, value.stop)]
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
        raise NoEquivalent(f"it casts to {dtype}, but a spec computes in float32", "remove it: `x` is already float32", setting=True)
    return f"cast({operation.text(_one(operation), cast=False)}, '{_family(dtype)}')"


def _broadcast(operation: Operation) -> str:
    sizes = operation.settings["shape"]
    return f"broadcast_to({operation.text(_one(operation))}, {literal(sizes[1:])})"


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
    return _called(operation)


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
    if operation.layer.kind == "Unstack":
        return {f"part_{place}": f"{name}[{', '.join([*lead, str(place)])}]" for place in range(size)}
    given = operation.settings["indices_or_sections"]
    places = given if isinstance(given, list) else [size // given * number for number in range(1, given)]
    ends = [0, *(min(place if place >= 0 else place + size, size) for place in places), size]
    keys = [f"{start or ''}:{stop if stop < size else ''}" for start, stop in zip(ends, ends[1:], strict=False)]
    return {f"part_{number}": f"{name}[{', '.join([*lead, key])}]" for number, key in enumerate(keys)}


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
    axis = axis % len(_shape(x)) + (len(operation.parts) > before)
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
    if given.get("mask") is not None or operation.rank(given["query"]) != 4:
        raise NoEquivalent("it is called with `mask`", "write it with `keras.ops.softmax` and `where`", setting=True)
    q, k, v = (operation.text(given[name]) for name in ("query", "key", "value"))
    size, scale = operation.shape(given["query"])[-1], given.get("scale")
    factor = literal(scale) if scale is not None else repr(1 / math.sqrt(size or 1))
    bias = f" + {operation.text(given['bias'])}" if given.get("bias") is not None else ""
    return f"einsum('bnts,bsnh->btnh', softmax(einsum('btnh,bsnh->bnts', {q}, {k}) * {factor}{bias}), {v})"


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
        return _from_text(operation, text)

    return write


def _gelu(operation: Operation) -> str:
    x = operation.text(_one(operation))
    if operation.settings.get("approximate") is False:
        return f"gelu({x})"
    return f"0.5 * {x} * (1 + tanh(0.7978845608028654 * ({x} + 0.044715 * {x} ** 3)))"


def _joined(axis: int) -> Callable[[Operation], str]:
    return lambda operation: _called(operation, "concatenate", axis=axis)


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
    "SoftShrink": _activated({"threshold": 0.5}, "sign({x}) * relu(abs({x}) - {threshold})"),
    "Split": _parts_of,
    "Squareplus": _activated({"b": 4}, "({x} + sqrt(square({x}) + {b})) / 2"),
    "Squeeze": _squeezed,
    "Take": _taken,
    "Tile": _tiled,
    "TopK": _top_k,
    "Trace": _diagonal,
    "Transpose": _transposed,
    "Unstack": _parts_of,
}
"""By Keras's name."""


# --- values --------------------------------------------------------------------------------------------------------------------


def literal(value: Any) -> str:
    """Return a plain value as expressions write it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        if math.isnan(value):
            raise NoEquivalent("it has an operand that is not a number", setting=True)
        return repr(value)
    if isinstance(value, str) and value.replace("_", "").isalnum():
        return f"'{value}'"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(literal, value))}]"
    raise NoEquivalent(f"its argument `{str(value)[:40]}` is no plain value", setting=True)


def _family(dtype: str) -> str:
    return "bool" if dtype == "bool" else "int32" if "int" in dtype else "float32"


def _shape(value: Any) -> tuple[int, ...]:
    """Return the shape of nested lists."""
    if not isinstance(value, list):
        return ()
    if not value:
        raise NoEquivalent("it has an empty constant", setting=True)
    inner = {_shape(item) for item in value}
    if len(inner) > 1:
        raise NoEquivalent("its argument is neither a tensor nor an array", setting=True)
    return (len(value), *inner.pop())


def _flat(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _flat(item)
    else:
        yield value


def _of_an_example(value: list[Any], rank: int) -> Any:
    """Give a constant the axes of one example, for broadcasting as NumPy does."""
    shape = _shape(value)
    if len(shape) >= rank:
        if len(shape) > rank or shape[0] != 1:
            raise NoEquivalent("a constant has values of its own for each example", setting=True)
        return value[0]
    for _ in range(rank - 1 - len(shape)):
        value = [value]
    return value
