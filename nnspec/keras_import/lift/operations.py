"""Translators of ``keras.ops`` operations that are exactly a layer; all others become `Compute` steps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from nnspec.keras_import.arguments import NoEquivalent
from nnspec.keras_import.lift.expressions import computed, has_expression
from nnspec.keras_import.lift.operation_texts import Operation
from nnspec.keras_import.model import KerasCall, KerasLayer, Tensor, tensors_in
from nnspec.keras_import.parts import Part, Translation, Translator, Within, part
from nnspec.layers import LAYERS

__all__ = ["operation"]


def operation(kind: str) -> Translator | None:
    """Return the translator of an operation; None if neither a layer nor an expression computes it."""
    return OPERATIONS.get(kind) or (computed if has_expression(kind) else None)


def _x(call: KerasCall) -> Tensor:
    found = list(tensors_in([call.args, call.kwargs]))
    if len(found) != 1:
        raise NoEquivalent(f"it takes one tensor, but is called with {len(found)}", setting=True)
    return found[0]


def _is_float(within: Within, *tensors: Tensor) -> bool:
    return all("float" in (within.dtype_of(tensor) or "float32") for tensor in tensors)


def _merge(op: str) -> Translator:
    """Translate a binary operation of two float tensors to a merge whose results do not depend on masks."""

    def translate(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
        operands = [*call.args, *(value for name, value in call.kwargs.items() if name in ("x1", "x2"))]
        tensors = [value for value in operands if isinstance(value, Tensor)]
        if len(tensors) == len(operands) == 2 and _is_float(within, *tensors) and len(set(map(within.rank, tensors))) == 1:
            return (part(op, {}, tensors),)
        return computed(layer, call, within)

    return translate


def _activation(name: str, **expected: Any) -> Translator:
    """Translate an activation with its default settings."""

    def translate(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
        given = {**layer.config, **call.kwargs}
        if all(given.get(setting) == value for setting, value in expected.items()) and _is_float(within, _x(call)):
            return (part("Activation", {"activation": name}, [_x(call)]),)
        return computed(layer, call, within)

    return translate


def _with(op: str, name: str) -> Translator:
    """Translate an operation to a layer with the same setting."""

    def translate(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
        del within
        return (part(op, {name: layer.config[name]} if name in layer.config else {}, [_x(call)]),)

    return translate


def _softmax(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    x, axis = _x(call), layer.config.get("axis", -1)
    if axis in (-1, None) or (isinstance(axis, int) and axis + 1 == within.rank(x)):
        return (part("Activation", {"activation": "softmax"}, [x]),)
    return (part("Softmax", {"axis": axis}, [x]),)


def _concatenate(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    tensors, axis = list(tensors_in([call.args, call.kwargs])), layer.config.get("axis", 0)
    rank = within.rank(tensors[0]) if tensors else None
    if axis is None or rank is None or not tensors or axis % rank == 0:
        raise NoEquivalent("it concatenates along the batch axis", setting=True)
    if len(tensors) == 1:
        return tensors[0]
    if not _is_float(within, *tensors):
        return computed(layer, call, within)
    return (part("Concatenate", {} if axis % rank == rank - 1 else {"axis": axis % rank}, tensors),)


def _reshape(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    """Translate to a ``Reshape``, which keeps the batch axis."""
    x, given = _x(call), {**layer.config, **call.kwargs}.get("newshape")
    given = given if given is not None else next((value for value in call.args if isinstance(value, list)), None)
    if not isinstance(given, list) or not given:
        raise NoEquivalent("the config does not contain the target shape", setting=True)
    wanted, shape = [-1 if size is None else size for size in given], within.shape_of(x)
    sizes = wanted[1:]
    free = [place for place, size in enumerate(sizes) if isinstance(size, dict)]
    if free and (len(free) > 1 or -1 in sizes) and wanted[0] == -1:
        operation = Operation(layer, call, within)
        text = f"reshape({operation.text(x)}, {operation.plain(sizes)})"
        return (
            Part(
                LAYERS.get("Compute").model_validate({"results": {"output": text}, "reads": list(operation.sources)}),
                operation.sources,
            ),
        )
    sizes = [-1 if isinstance(size, dict) else size for size in sizes]
    if shape is None or not all(isinstance(size, int) for size in sizes):
        raise NoEquivalent("its sizes are not fixed", setting=True)
    before = None if None in shape[1:] else math.prod(size for size in shape[1:] if size is not None)
    if wanted[0] != -1 and wanted[0] != shape[0]:
        raise NoEquivalent("it changes the batch axis", setting=True)
    if given[0] is not None and wanted[0] == -1 and (-1 in sizes or before is None or math.prod(sizes) != before):
        raise NoEquivalent("it may change the batch axis", "write `-1` only for the batch axis", setting=True)
    return (part("Reshape", {"target_shape": sizes}, [x]),)


def _cast(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    """Drop a cast within floats or integers, and a ``convert_to_tensor``."""
    x, dtype = _x(call), layer.config.get("dtype")
    given = within.dtype_of(x) or "float32"
    same = dtype == given or (dtype in ("int32", "int64") and "int" in given) or (dtype == "float32" and "float" in given)
    return x if dtype is None or same else computed(layer, call, within)


def _pooled(op: str) -> Translator:
    """Translate a pooling to the layer."""

    def translate(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
        x = _x(call)
        config = {name: value for name, value in layer.config.items() if name in ("pool_size", "strides", "padding")}
        if layer.config.get("data_format") not in (None, "channels_last"):
            raise NoEquivalent("its channels are not the last axis", "convert the model to channels-last", setting=True)
        return (part(f"{op}{(within.rank(x) or 4) - 2}D", config, [x]),)

    return translate


def _resized(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    """Translate a resize of images to a fixed size to the layer."""
    size, arguments = layer.config.get("size"), dict(layer.config)
    if arguments.pop("data_format", None) not in (None, "channels_last") or within.rank(_x(call)) != 4:
        raise NoEquivalent("its channels are not the last axis", "convert the model to channels-last", setting=True)
    if not isinstance(size, list) or len(size) != 2 or not all(type(one) is int for one in size):
        raise NoEquivalent("its size is not fixed", setting=True)
    known = {name: value for name, value in arguments.items() if name in LAYERS.get("Resizing").model_fields}
    return (part("Resizing", {"height": size[0], "width": size[1], **known}, [_x(call)]),)


def _reduced(op: str) -> Translator:
    """Translate a reduction of floats to the layer."""

    def translate(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
        x, axis, rank = _x(call), layer.config.get("axis"), within.rank(_x(call))
        axes = axis if isinstance(axis, list) else [axis]
        if not rank or not _is_float(within, x) or not all(type(one) is int and one % rank for one in axes):
            return computed(layer, call, within)
        keepdims = {"keepdims": True} if layer.config.get("keepdims") else {}
        return (part(op, {"axis": axes[0] if len(axes) == 1 else axes, **keepdims}, [x]),)

    return translate


def _indexed(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    """Translate a slice of one axis to the layer."""
    x, key = [*call.args, *call.kwargs.values()][:2]
    keys = key if isinstance(key, list) else [key]
    cut = [(axis, one) for axis, one in enumerate(keys) if one != slice(None)]
    if len(cut) != 1 or not cut[0][0] or not isinstance(cut[0][1], slice) or (cut[0][1].step or 1) < 1:
        return computed(layer, call, within)
    [(axis, one)] = cut
    if any(isinstance(bound, dict) for bound in (one.start, one.stop)):
        return computed(layer, call, within)  # a size of an input
    return (part("Slice", {"axis": axis, "start": one.start or 0, "stop": one.stop, "step": one.step or 1}, [x]),)


def _taken(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    """Translate the selection of one position to a slice, which keeps the axis."""
    others, axis, rank = [value for value in call.args if not isinstance(value, Tensor)], layer.config.get("axis"), None
    if len(others) == 1 and isinstance(others[0], list) and len(others[0]) == 1 and type(others[0][0]) is int:
        rank, one = within.rank(_x(call)), others[0][0]
    if rank is None or type(axis) is not int or not axis % rank:
        return computed(layer, call, within)
    return (part("Slice", {"axis": axis % rank, "start": one, "stop": None if one == -1 else one + 1}, [_x(call)]),)


OPERATIONS: Mapping[str, Translator] = {
    "Add": _merge("Add"),
    "AveragePool": _pooled("AveragePooling"),
    "Cast": _cast,
    "Celu": _activation("celu", alpha=1.0),
    "Concatenate": _concatenate,
    "ConvertToTensor": _cast,
    "Copy": lambda layer, call, within: _x(call),
    "Elu": _with("ELU", "alpha"),
    "Gelu": _activation("gelu", approximate=False),
    "GetItem": _indexed,
    "HardSigmoid": _activation("hard_sigmoid"),
    "HardSilu": _activation("hard_silu"),
    "LeakyRelu": _with("LeakyReLU", "negative_slope"),
    "LogSigmoid": _activation("log_sigmoid"),
    "LogSoftmax": _activation("log_softmax", axis=-1),
    "MaxPool": _pooled("MaxPooling"),
    "Mean": _reduced("Mean"),
    "Relu": _activation("relu"),
    "Relu6": _activation("relu6"),
    "Reshape": _reshape,
    "Resize": _resized,
    "Selu": _activation("selu"),
    "Sigmoid": _activation("sigmoid"),
    "Silu": _activation("silu"),
    "Softmax": _softmax,
    "Softplus": _activation("softplus"),
    "Softsign": _activation("softsign"),
    "Subtract": _merge("Subtract"),
    "Sum": _reduced("Sum"),
    "Take": _taken,
    "Tanh": _activation("tanh"),
}
"""By Keras's name."""
