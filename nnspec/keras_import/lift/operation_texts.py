"""An operation of ``keras.ops`` while it is written as an expression."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nnspec.functions.base import Parameter
from nnspec.functions.catalogue import FUNCTIONS
from nnspec.keras_import.arguments import NoEquivalent
from nnspec.keras_import.model import KerasCall, KerasLayer, Tensor
from nnspec.keras_import.parts import Part, Source, Variable, Within
from nnspec.layers import LAYERS, snake_name
from nnspec.types import TensorType, unknown

__all__ = ["Operation", "called", "family", "filled", "literal", "shape_of"]

_LARGEST_LIST = 16
"""The most numbers that an expression lists; more become a `Parameter`."""

_NEUTRAL: Mapping[str, tuple[Any, ...]] = {
    "dtype": (None,), "sparse": (False, None), "ragged": (False, None), "sorted": (True,), "initial": (None,),
    "epsilon": (None,), "data_format": (None, "channels_last"), "mode": ("constant",), "decimals": (0,),
    "flash_attention": (None, False),
    "is_causal": (False,), "attn_logits_soft_cap": (None,), "synchronized": (False,), "rms_scaling": (False,), "num": (None,),
    "posinf": (None,), "neginf": (None,), "name": (...,),
}  # fmt: skip
"""Arguments without a counterpart, each with the values that have no effect."""

_OF_FUNCTIONS = {"variable": "x", "inputs": "x", "arrays": "xs", "newshape": "newshape"}
"""Keras's names of arguments, and those of the functions."""

_WRAPPING = ("Absolute", "Add", "Cumsum", "Einsum", "Matmul", "Multiply", "Negative", "Power", "Prod", "Square", "Subtract")
"""Operations that overflow in integers of 8 or 16 bits, which are integers of 32 bits in a spec."""

_SMALL = ("int8", "int16", "uint8", "uint16")

_LETTERS = "xyzabcdefghjklmnopqrstuvw"


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
    casts: tuple[tuple[str, ...], str] = ((), "")
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
            return self.within.variables[value["__variable__"]].shape
        found = self.within.shape_of(value) if isinstance(value, Tensor) else shape_of(value)
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
            kind = family(type_.dtype) if type_ is not None else "float32"
            given, target = self.casts
            return f"cast({name}, '{target}')" if cast and kind in given else name
        if isinstance(value, dict) and "__variable__" in value:
            return self._variable(self.within.variables[value["__variable__"]], rank)
        if not isinstance(value, list):
            text = self.plain(value)
            return f"({text})" if text.startswith("-") or " " in text else text
        if rank is not None:
            value = _of_an_example(value, rank)
        if math.prod(shape_of(value)) <= _LARGEST_LIST:
            return literal(value)
        return self._parameter(value)

    def _name(self, tensor: Tensor) -> str:
        for name, source in self.sources.items():
            if source == tensor:
                return name
        name = _LETTERS[len(self.sources)] if len(self.sources) < len(_LETTERS) else f"x{len(self.sources)}"
        self.sources[name] = tensor
        if self.layer.kind in _WRAPPING and self.within.dtype_of(tensor) in _SMALL:
            raise NoEquivalent("it computes with integers of 8 or 16 bits", "cast them to float32 or int32 first", setting=True)
        shape, dtype = self.within.shape_of(tensor), self.within.dtype_of(tensor)
        known = shape is not None and dtype is not None
        sizes = tuple(unknown() if size is None else size for size in (shape or (None,))[1:])
        self.types[name] = TensorType(sizes, dtype) if known else None  # type: ignore[arg-type]
        return name

    def _parameter(self, value: list[Any]) -> str:
        """Add a frozen `Parameter` with the value of a large constant."""
        if not self.within.stores:
            reason = f"a constant of {math.prod(shape_of(value)):,} numbers needs a file of weights"
            raise NoEquivalent(reason, "import the `.keras` file of the model", setting=True)
        name = self._weight(shape_of(value), "_value" if not self.parts else f"_value_{len(self.parts)}", value=value)
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
        return self.plain(self.settings.get(name, default))

    def plain(self, value: Any) -> str:
        """Return a plain value as it is written, in which sizes may be free."""
        if isinstance(value, list):
            return f"[{', '.join(map(self.plain, value))}]"
        if not isinstance(value, dict) or "__size__" not in value:
            return literal(value)
        name, factor, term, divisor = self.size(value)
        tensor, axis = self.within.sizes[name]
        text = f"{self._name(tensor)}.shape[{axis}]"
        text = text if factor == 1 else f"{text} * {factor}"
        text = text if not term else f"{text} {'+' if term > 0 else '-'} {abs(term)}"
        if divisor == 1:
            return text
        return f"({text}) // {divisor}" if term or factor != 1 else f"{text} // {divisor}"

    def size(self, value: Mapping[str, Any]) -> tuple[str, int, int, int]:
        """Return the name of a size of an input, its factor, a term, and the divisor."""
        found = value.get("__size__")
        if not isinstance(found, list) or len(found) != 4 or str(found[0]) not in self.within.sizes:
            raise NoEquivalent("it computes with a size of no input", setting=True)
        name, factor, term, divisor = found
        return name, factor, term, divisor

    def check(self, used: Iterable[str]) -> None:
        """Refuse a setting that is not used and has an effect."""
        used = set(used)
        for name, value in self.settings.items():
            if name not in used and value not in _NEUTRAL.get(name, (None,)):
                raise NoEquivalent(f"`{name}: {str(value)[:40]}` has no equivalent", setting=True)


def filled(operation: Operation, text: str) -> str:
    """Fill in a text: its operands, in the order of Keras's names, and its settings."""
    names = [name for name in ("condition", "x", "x1", "x2", "images") if f"{{{name}}}" in text]
    given = operation.given(*names)
    if names == ["x"] and len(given) == 1:
        given = {"x": next(iter(given.values()))}
    if set(given) != set(names):
        raise NoEquivalent("it is called with other arguments", setting=True)
    rank = max((operation.rank(value) for value in given.values() if isinstance(value, Tensor)), default=None)
    found = {name: operation.text(given[name], rank=rank) for name in names}
    used = {name for name in operation.settings if f"{{{name}}}" in text}
    operation.check(used)
    if "{axis}" in text and operation.settings.get("axis") is None:
        raise NoEquivalent("it reduces all axes, including the batch axis", "give its `axis`", setting=True)
    return _in_dtype(operation, text.format(**found, **{name: operation.setting(name) for name in used}))


def called(operation: Operation, name: str = "", **settings: Any) -> str:
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
    text = operation.plain(value)
    if parameter.kind in ("axis", "axes") and value is None:
        raise NoEquivalent("it covers all axes, including the batch axis", "give its `axis`", setting=True)
    return text


def _in_dtype(operation: Operation, text: str) -> str:
    """Cast a result to the operation's `dtype`, if it gives one."""
    dtype = operation.settings.get("dtype")
    is_own = operation.layer.kind == "OneHot" and family(str(dtype)) == "float32"
    return text if dtype is None or is_own else f"cast({text}, '{family(dtype)}')"


# --- values -----------------------------------------------------------------------------------------------------------------


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


def family(dtype: str) -> str:
    return "bool" if dtype == "bool" else "int32" if "int" in dtype else "float32"


def shape_of(value: Any) -> tuple[int, ...]:
    """Return the shape of nested lists."""
    if not isinstance(value, list):
        return ()
    if not value:
        raise NoEquivalent("it has an empty constant", setting=True)
    inner = {shape_of(item) for item in value}
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
    shape = shape_of(value)
    if len(shape) >= rank:
        if len(shape) > rank or shape[0] != 1:
            raise NoEquivalent("a constant has values of its own for each example", setting=True)
        return value[0]
    for _ in range(rank - 1 - len(shape)):
        value = [value]
    return value
