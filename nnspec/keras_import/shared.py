"""Operations on tensors that all examples share, which have no batch axis in Keras and one in a spec.

They are computed from the variables of custom layers and from sizes. In a spec, a tensor has the batch axis, so that the axes
and shapes in their arguments move by one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from nnspec.keras_import.arguments import NoEquivalent
from nnspec.keras_import.lift.operation_texts import shape_of
from nnspec.keras_import.model import KerasCall, KerasLayer, Tensor, tensors_in

__all__ = ["BROADCASTING", "letters_of", "moved", "repeats_examples", "replaced", "wanted_rank"]

_AXES = ("axis", "axes", "axis1", "axis2", "source", "destination")

_REDUCTIONS = (
    "All", "Amax", "Amin", "Any", "Argmax", "Argmin", "Logsumexp", "Max", "Mean", "Median", "Min", "Norm", "Prod", "Std", "Sum",
    "Var",
)  # fmt: skip
"""Operations that without an axis cover all."""

_FROM_FIRST = ("Concatenate", "Stack", "Split", "Unstack")
"""Operations whose default axis is the first."""


def moved(layer: KerasLayer, call: KerasCall, ranks: Callable[[Tensor], int]) -> tuple[KerasLayer, KerasCall]:
    """Return an operation whose tensors are all shared as one on tensors with a batch axis.

    Args:
        layer: The operation.
        call: Its call.
        ranks: Returns the number of a tensor's axes in Keras.

    Raises:
        NoEquivalent: If it has no equal operation.
    """
    config, args = dict(layer.config), list(call.args)
    rank = max(map(ranks, tensors_in([call.args, call.kwargs])), default=0)
    for name in _AXES:
        if name in config:
            config[name] = _axis(config[name])
    if layer.kind in _REDUCTIONS and config.get("axis") is None:
        config["axis"] = list(range(1, rank + 1))
    if layer.kind in _FROM_FIRST and layer.config.get("axis") is None:
        config["axis"] = 1
    if layer.kind == "Squeeze" and layer.config.get("axis") is None:
        raise NoEquivalent("it squeezes all axes of a constant", "give its `axis`", setting=True)
    if layer.kind == "Transpose":
        axes = layer.config.get("axes")
        given = list(range(rank))[::-1] if axes is None else [axis % rank for axis in axes]
        config["axes"] = [0, *(axis + 1 for axis in given)]
    for name in ("newshape", "shape", "pad_width"):
        if name in config and layer.kind in ("Reshape", "BroadcastTo", "Pad", "Slice"):
            first: Any = [0, 0] if name == "pad_width" else None
            config[name] = [first, *_several(config[name])]
    if layer.kind in ("Slice", "GetItem"):
        whole: Any = 0 if layer.kind == "Slice" else slice(None)
        args[1:2] = [[whole, *_several(one)] for one in args[1:2]]
        if "start_indices" in config:
            config["start_indices"] = [0, *_several(config["start_indices"])]
    if layer.kind == "Tile":
        repeats = _several(config["repeats"])
        config["repeats"] = [1] * (rank + 1 - len(repeats)) + repeats
    if layer.kind == "Einsum":
        before, _, after = str(config["subscripts"]).replace(" ", "").partition("->")
        config["subscripts"] = f"{','.join('Z' + one for one in before.split(','))}->Z{after}"
    if layer.kind in ("Matmul", "Dot") and any(ranks(one) < 2 for one in tensors_in(call.args)):
        raise NoEquivalent("it multiplies a vector that all examples share", setting=True)
    return replace(layer, config=config), KerasCall(args, call.kwargs)


def _several(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _axis(value: Any) -> Any:
    if isinstance(value, list):
        return [_axis(one) for one in value]
    return value + 1 if type(value) is int and value >= 0 else value


BROADCASTING = (
    "Add", "Arctan2", "BitwiseAnd", "Divide", "DivideNoNan", "Equal", "FloorDivide", "Greater", "GreaterEqual", "Less",
    "LessEqual", "LogicalAnd", "LogicalOr", "LogicalXor", "Logaddexp", "Maximum", "Minimum", "Mod", "Multiply", "NotEqual",
    "Power", "Subtract", "TrueDivide", "Where",
)  # fmt: skip


def letters_of(layer: KerasLayer, call: KerasCall, is_shared: Callable[[Tensor], bool]) -> KerasLayer:
    """Return an ``einsum`` whose shared operands have the letter of the batch."""
    before, _, after = str(layer.config["subscripts"]).replace(" ", "").partition("->")
    operands = zip(before.split(","), call.args, strict=True)
    texts = [after[:1] + one if isinstance(value, Tensor) and is_shared(value) else one for one, value in operands]
    return replace(layer, config={**layer.config, "subscripts": f"{','.join(texts)}->{after}"})


def replaced(value: Any, by: Callable[[Tensor], Any]) -> Any:
    """Return arguments with their tensors replaced."""
    if isinstance(value, Tensor):
        return by(value)
    if isinstance(value, list):
        return [replaced(item, by) for item in value]
    return {key: replaced(item, by) for key, item in value.items()} if isinstance(value, dict) else value


def wanted_rank(
    layer: KerasLayer, call: KerasCall, rank: Callable[[Tensor], int], is_shared: Callable[[Tensor], bool]
) -> int | None:
    """Return the number of axes in Keras that the shared operands of an operation are given; None if they keep theirs."""
    tensors = list(tensors_in([call.args, call.kwargs]))
    if layer.kind in ("Take", "TakeOfEach", "Einsum"):
        return None
    others = [rank(one) for one in tensors if not is_shared(one)]
    if others:
        return max(others)
    if layer.kind == "BroadcastTo":
        return len(layer.config["shape"]) + (layer.config["shape"][0] is not None)
    if layer.kind in (*BROADCASTING, "LayerNorm", "RMSNorm"):
        constants = [len(shape_of(one)) for one in [*call.args, *call.kwargs.values()] if isinstance(one, list)]
        return max([*constants, *map(rank, tensors)]) + 1
    return None


def repeats_examples(layer: KerasLayer) -> bool:
    """Whether an operation repeats a shared tensor for each example."""
    sizes = _several(layer.config.get({"BroadcastTo": "shape", "Tile": "repeats", "Repeat": "repeats"}.get(layer.kind, "")))
    return sizes[0] is None and layer.kind in ("BroadcastTo", "Tile", "Repeat") and layer.config.get("axis", 0) == 0
