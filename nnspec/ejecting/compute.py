"""``Compute`` layers as classes with ``keras.ops`` code, which is recorded while a layer computes."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
from keras import ops
from keras.src.backend.common.masking import get_keras_mask

from nnspec.ejecting.layout import Code, Group, call, statement
from nnspec.ejecting.names import Names, identifier
from nnspec.ejecting.recording import Namespace, Text, Value, statements
from nnspec.functions.terms import FLOAT, Application
from nnspec.keras_backend.layers import Compute
from nnspec.keras_backend.layers.compute import KerasRun, joined_masks
from nnspec.printable import on_one_line

__all__ = ["compute_class"]

_OPS = Namespace(ops, "ops")
_SIZES: Mapping[str, Callable[..., Any]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "floor_divide": operator.floordiv,
    "mod": operator.mod,
}
"""Functions of sizes, which are ints on some backends and tensors on others."""


class _Recording(KerasRun):
    """Records what the expressions compute."""

    ops = _OPS
    random = Namespace(keras.random, "keras.random")

    def dtype(self, dtype: str) -> str:
        return Text(super().dtype(dtype), "self.compute_dtype") if dtype == FLOAT else dtype

    def activation(self, name: str, x: Any) -> Any:
        return getattr(Namespace(keras.activations, "keras.activations"), name)(x)

    @property
    def seed(self) -> Any:
        return Value(self._layer.generator, ("name", "self.generator"))

    def _apply(self, application: Application, operands: list[Any]) -> Any:
        on_sizes = _SIZES.get(application.function.name)
        are_sizes = not application.shape and all(isinstance(each, Value | int) for each in operands)
        if on_sizes and are_sizes and any(isinstance(each, Value) for each in operands):
            return on_sizes(*operands)
        return super()._apply(application, operands)


def compute_class(layer: Compute, given: Sequence[Any], outputs: Sequence[Any]) -> tuple[str, Callable[[str], str]]:
    """Write the class of a layer.

    Args:
        layer: The layer.
        given: The symbolic tensors that it is called with.
        outputs: The symbolic tensors that it returns.

    Returns:
        The class without its name, to find equal ones, and a function that returns it with a name.
    """
    masks = [get_keras_mask(tensor) for tensor in given]
    found = layer._typed(list(given), masks)
    functions = {application.function.name for application in found.applications}
    needs_mask, draws = bool(found.masks_read), any(name.startswith("random_") for name in functions)
    names = Names({"self", "inputs", "mask", "training", "ops", "keras", "previous_mask"})
    tensors = [names.new(identifier(name)) for name in layer.reads]
    of_masks = [names.new(f"{name}_mask") for name in tensors]

    lines = [*_docstring(layer), ""]
    lines += ["    def __init__(self, **arguments):", "        super().__init__(**arguments)"]
    lines += ["        self.supports_masking = True"]
    lines += ["        self.generator = keras.random.SeedGenerator()"] if draws else []
    parameters = ["self", "inputs" if len(tensors) > 1 else tensors[0]]
    parameters += ["mask=None"] if needs_mask else []
    parameters += ["training=False"] if "in_training" in functions else []
    lines += ["", f"    def call({', '.join(parameters)}):"]
    lines += [f"        {', '.join(tensors)} = inputs"] if len(tensors) > 1 else []
    if needs_mask:
        lines.append(_unpacked(of_masks, "mask"))
    runs = [True, False] if "in_training" in functions else [False]
    bodies = [_body(layer, given, masks, tensors, of_masks, training, names, 12 if training else 8) for training in runs]
    if len(bodies) > 1:
        lines.append("        if training:")
    lines += [line for body in bodies for line in body]
    if any(mask is not None for mask in masks):
        lines += ["", "    def compute_mask(self, inputs, previous_mask):", *_mask_lines(layer, found, masks, of_masks)]
    batch = f"{'inputs' if len(tensors) == 1 else 'inputs[0]'}.shape[0]"
    specs: list[Code] = []
    for tensor in outputs:
        dtype = keras.backend.standardize_dtype(tensor.dtype)
        shape = ", ".join(map(repr, tensor.shape[1:]))
        specs.append(call("keras.KerasTensor", [f"({batch}, {shape})" if shape else f"({batch},)", *_dtype_code(dtype)]))
    lines += ["", "    def compute_output_spec(self, inputs, *args, **kwargs):", _returned(specs)]
    body = "\n".join(lines)

    def named(name: str) -> str:
        return f'@keras.saving.register_keras_serializable("model")\nclass {name}(keras.layers.Layer):\n{body}'

    return body, named


def _dtype_code(dtype: str) -> list[str]:
    return ["self.compute_dtype"] if dtype.startswith(("float", "bfloat")) else [f'"{dtype}"']


def _docstring(layer: Compute) -> list[str]:
    """The expressions as a docstring, on one line each."""
    several = len(layer.results) > 1
    shown = [_shown(f"{name} = {text}" if several else text) for name, text in layer.results.items()]
    if not several:
        return [f'    """{shown[0]}"""']
    return ['    """Compute:', "", *(f"    {line}" for line in shown), '    """']


def _shown(expression: str) -> str:
    text = on_one_line(" ".join(expression.split())).replace("\\", "/").replace('"', "'")
    return text if len(text) <= 100 else f"{text[:97]}..."


def _unpacked(names: Sequence[str], source: str) -> str:
    if len(names) == 1:
        return f"        {names[0]} = {source}"
    return f"        {', '.join(names)} = {source} or [None] * {len(names)}"


def _returned(results: Sequence[Code], indent: int = 8) -> str:
    return statement("return ", results[0] if len(results) == 1 else Group("[", tuple(results), "]"), indent)


def _body(
    layer: Compute,
    given: Sequence[Any],
    masks: Sequence[Any],
    tensors: Sequence[str],
    of_masks: Sequence[str],
    training: bool,
    names: Names,
    indent: int,
) -> list[str]:
    """The statements that compute the results."""
    found: list[Value] = []

    def run(*arguments: Any) -> Any:
        real, real_masks = arguments[: len(given)], list(arguments[len(given) :])
        own = {name: Value(tensor, ("name", shown)) for name, tensor, shown in zip(layer.reads, real, tensors, strict=True)}
        beside = {
            name: None if mask is None else Value(real_masks.pop(0), ("name", shown))
            for name, mask, shown in zip(layer.reads, masks, of_masks, strict=True)
        }
        typed = layer._typed(list(real), [None if each is None else each.real for each in beside.values()])
        results = _Recording(layer, own, beside, training)(*typed.results.values())
        for name, value in zip(layer.results, results, strict=True):
            if value.parts[0] != "name":
                value.wanted, value.is_named = identifier(name), True
            found.append(value)
        return [value.real for value in results]

    _traced(run, [*given, *(mask for mask in masks if mask is not None)], layer.compute_dtype)
    lines, results = statements(found, names, indent)
    return [*lines, _returned(results, indent)]


def _traced(run: Callable[..., Any], tensors: Sequence[Any], dtype: str) -> None:
    """Run a function on tensors whose free sizes are not known, as in a compiled model."""
    import tensorflow as tf

    def spec(tensor: Any) -> Any:
        own = keras.backend.standardize_dtype(tensor.dtype)
        return tf.TensorSpec(tensor.shape, dtype if "float" in own else own)

    tf.function(run, autograph=False).get_concrete_function(*map(spec, tensors))


def _mask_lines(layer: Compute, found: Any, masks: Sequence[Any], of_masks: Sequence[str]) -> list[str]:
    results = []
    for term in found.results.values():
        own = []
        for name in term.masks:
            place = layer.reads.index(name)
            own.append(_Mask(len(masks[place].shape), of_masks[place]))
        joined = joined_masks(own, _MaskOps)
        results.append("None" if joined is None else joined.code)
    if results == ["None"] * len(results):
        return [f"        return {'None' if len(results) == 1 else f'[None] * {len(results)}'}"]
    if len(masks) == 1 and results == of_masks:
        return ["        return previous_mask"]
    return [_unpacked(of_masks, "previous_mask"), _returned(results)]


class _Mask:
    def __init__(self, rank: int, code: str) -> None:
        self.shape, self.code = (None,) * rank, code


class _MaskOps:
    @staticmethod
    def expand_dims(mask: _Mask, axis: int) -> _Mask:
        return _Mask(len(mask.shape) + 1, f"ops.expand_dims({mask.code}, {axis})")

    @staticmethod
    def logical_and(one: _Mask, other: _Mask) -> _Mask:
        return _Mask(len(one.shape), f"ops.logical_and({one.code}, {other.code})")
