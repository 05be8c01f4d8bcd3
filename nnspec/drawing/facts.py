"""Text about each layer in a drawing."""

from __future__ import annotations

from typing import Any

from nnspec.graph.memory import activation_bytes, bytes_text
from nnspec.graph.model import Node
from nnspec.types import Config, Dim, TensorType, formula, shape_formula

_SIMPLE = (bool, int, float, str, type(None))


def shape_text(type_: TensorType) -> str:
    """Format a shape without the batch axis, ``28 × 28 × 6``; a scalar is ``scalar``."""
    return shape_formula(type_.shape)


def count_text(count: int | Dim) -> str:
    """Format a number with thousands separators, or an expression.

    Example:
        >>> count_text(61706)
        '61,706'
    """
    return formula(count)


def memory_text(size: int | Dim) -> str:
    """Format a number of bytes.

    Example:
        >>> from nnspec.types import symbol
        >>> memory_text(18816), memory_text(256 * symbol("T"))
        ('18.4 KiB', '256·T B')
    """
    return bytes_text(size) if isinstance(size, int) else f"{_grouped(size)} B"


def _grouped(size: Dim) -> str:
    text = formula(size)
    return f"({text})" if " " in text else text


def kind_of(node: Node) -> str:
    """Return the color class of a box: ``merge``, ``trained``, ``frozen`` or ``plain``."""
    if node.layer.ports.variadic:
        return "merge"
    if not node.weights:
        return "plain"
    return "frozen" if node.frozen else "trained"


def owner_of(node: Node) -> str | None:
    """Return the owner of a node's shared weights; None if the weights are its own."""
    return node.weights_at if node.weights and node.weights_at != node.name else None


def weights_of(node: Node) -> int:
    """Return the number of weight elements of a node, including shared ones."""
    return sum(weight.size for weight in node.weights)


def arguments_of(node: Node) -> dict[str, tuple[Any, bool]]:
    """Return each argument of a layer as plain data, and whether the spec sets it."""
    layer = node.layer
    return {
        name: (_plain(value), name in layer.expressions or name in layer.model_fields_set)
        for name, value in layer.written.items()
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Config):
        inner = {name: _plain(getattr(value, name)) for name in type(value).model_fields}
        shown = {name: inner[name] for name in inner if name in value.model_fields_set}
        return {type(value).__name__: shown} if shown else type(value).__name__
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if isinstance(value, _SIMPLE) else str(value)


def summary(node: Node) -> str:
    """Return the tooltip of a box."""
    lines = [f"{node.name}: {node.op}", *(f"{name} = {text}" for name, text in node.layer.expressions.items())]
    lines.append(f"output: {shape_text(node.output)} {node.output.dtype}")
    if node.weights:
        lines.append(f"parameters: {count_text(weights_of(node))}")
    owner = owner_of(node)
    if owner is not None:
        lines.append(f"weights of {owner}")
    macs = node.macs()
    if macs != 0:
        lines.append(f"MACs: {count_text(macs)}")
    lines.append(f"activations: {memory_text(activation_bytes(node))}")
    return "\n".join(lines)
