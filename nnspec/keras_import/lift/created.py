"""Constants of custom code whose sizes are those of the inputs: ``keras.ops.arange(keras.ops.shape(x)[1])``."""

from __future__ import annotations

from typing import Any

from nnspec.keras_import.arguments import NoEquivalent
from nnspec.keras_import.lift.operation_texts import Operation, family
from nnspec.keras_import.model import KerasCall, KerasLayer, Tensor
from nnspec.keras_import.parts import Part, Translation, Within
from nnspec.layers import LAYERS

__all__ = ["created", "is_for_each_example"]


def _shape(layer: KerasLayer) -> list[Any] | None:
    """Return the shape of a constant of one value; None if it is another."""
    settings = layer.config["settings"]
    if layer.config["function"] not in ("ones", "zeros", "full"):
        return None
    shape = settings.get("shape", (layer.config["values"] or [None])[0])
    return list(shape) if isinstance(shape, list | tuple) else [shape]


def is_for_each_example(layer: KerasLayer) -> bool:
    """Whether the first size is the number of examples."""
    shape = _shape(layer)
    return bool(shape) and shape[0] is None  # type: ignore[index]


def created(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    """Translate a constant to a `Compute` step, which has a batch axis because it reads an input."""
    operation = Operation(layer, call, within)
    function, values, settings = (layer.config[name] for name in ("function", "values", "settings"))
    dtype, shape = settings.get("dtype"), _shape(layer)
    if shape is not None:
        sizes = operation.plain(shape[1:] if shape[0] is None else shape)
        rank = len(shape) - (shape[0] is None)
        value = settings.get("fill_value", values[1] if len(values) > 1 else 0)
        text = f"zeros({sizes}) + {operation.plain(value)}" if function == "full" else f"{function}({sizes})"
        kind = "float32"
    elif function == "arange":
        given = {**dict(zip(("start", "stop", "step"), values, strict=False)), **settings}
        bounds = [given[name] for name in ("start", "stop", "step") if given.get(name) is not None]
        text, rank, kind = f"arange({', '.join(map(operation.plain, bounds))})", 1, "int32"
        if any(isinstance(bound, float) for bound in bounds):
            kind = "float32"
    else:
        raise NoEquivalent(f"`{function}` of a free size has no equivalent", "compute it from `keras.ops.arange`", setting=True)
    wanted = family(str(dtype)) if dtype is not None else kind
    number = "int32" if wanted == "bool" else wanted
    text = text if number == kind else f"cast({text}, '{number}')"
    anchor = next((one for one in operation.sources.values() if isinstance(one, Tensor)), call.args[0])
    text = f"{text} + {_zero(operation, anchor, rank, number)}"
    text = f"cast({text}, 'bool')" if wanted == "bool" else text
    made = LAYERS.get("Compute").model_validate({"results": {"output": text}, "reads": list(operation.sources)})
    return (Part(made, operation.sources),)


def _zero(operation: Operation, tensor: Tensor, rank: int, dtype: str) -> str:
    """Return a zero for each example: an expression must read a tensor."""
    name, given = operation.text(tensor), operation.within.dtype_of(tensor) or "float32"
    axes = operation.rank(tensor)
    first = f"{', 0' * (axes - 2)}, 0:1" if axes > 1 else ", null"
    one = f"{name}[:{first}{', null' * (rank - 1)}]"
    zero, kind = (f"cast({one} > inf, 'int32')", "int32") if "float" in given else (f"0 * {one}", "int32")
    return zero if dtype == kind else f"cast({zero}, '{dtype}')"
