"""Translation of ``keras.ops`` operations to `Compute` steps.

An operation with the name and arguments of a function of tensor expressions needs no entry; `TEXTS` and `WRITERS` list those
that are written in another way.
"""

from __future__ import annotations

from nnspec.functions.catalogue import FUNCTIONS
from nnspec.keras_import.arguments import NoEquivalent
from nnspec.keras_import.lift.expression_texts import TEXTS
from nnspec.keras_import.lift.expression_writers import WRITERS
from nnspec.keras_import.lift.operation_texts import Operation, called, filled
from nnspec.keras_import.model import KerasCall, KerasLayer
from nnspec.keras_import.parts import Part, Translation, Within
from nnspec.layers import LAYERS, snake_name
from nnspec.layers.base import LayerError

__all__ = ["computed", "has_expression"]

_Cast = tuple[tuple[str, ...], str]
_CASTS: tuple[_Cast, ...] = (((), ""), (("bool",), "int32"), (("bool", "int32"), "float32"))
"""The dtypes that are cast and their target, tried in order: Keras promotes implicitly, and the language has `cast`."""

_TO_BOOL: _Cast = (("float32", "int32"), "bool")

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


def _written(operation: Operation) -> str | dict[str, str]:
    kind = operation.layer.kind
    if kind in WRITERS:
        return WRITERS[kind](operation)
    if kind in TEXTS:
        return filled(operation, TEXTS[kind])
    return called(operation)
