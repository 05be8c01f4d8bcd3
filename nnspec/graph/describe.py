"""A graph as plain data: what ``inspect --format json`` prints, and ``build`` writes as ``graph.json``."""

from __future__ import annotations

from typing import Any

from nnspec.graph.analysis import receptive_fields, total_macs
from nnspec.graph.model import Graph, Model
from nnspec.types import Dim, TensorType

__all__ = ["describe"]


def describe(model: Model) -> dict[str, Any]:
    """All networks of a model (design: section 5).

    Returns:
        ``{"name", "networks": {NAME: {"inputs", "outputs", "parameters", "trainable_parameters", "macs", "layers"}}}``. A
        shape begins with null for the batch; a symbol is its name; MACs that depend on a symbol are an expression.
    """
    return {"name": model.name, "networks": {name: _network(graph) for name, graph in model.networks.items()}}


def _network(graph: Graph) -> dict[str, Any]:
    fields = receptive_fields(graph)
    layers = []
    for node in graph.nodes.values():
        field = fields[node.name]
        layers.append(
            {
                "name": node.name,
                "op": node.op,
                "from": [str(ref) for ref in node.inputs.values()],
                "shape": shape(node.output),
                "parameters": sum(weight.size for weight in node.weights),
                "macs": _number(node.macs()),
                "receptive_field": list(field) if field else None,
                "line": node.span.line,
            }
        )
    described: dict[str, Any] = {
        "inputs": {name: _tensor(type_) for name, type_ in graph.inputs.items()},
        "outputs": {name: _tensor(type_) for name, type_ in graph.output_types.items()},
        "parameters": graph.parameters,
        "trainable_parameters": graph.trainable_parameters,
        "macs": _number(total_macs(graph)),
        "layers": layers,
    }
    ports = [*graph.inputs.items(), *graph.output_types.items()]
    masks = {f"{name}_mask": [None, *map(_size, t.mask)] for name, t in ports if t.mask is not None}
    conditions = {name: condition.as_json() for name, condition in graph.conditions.items()}
    return described | ({"masks": masks} if masks else {}) | ({"conditions": conditions} if conditions else {})


def _tensor(type_: TensorType) -> dict[str, Any]:
    return {"shape": shape(type_), "dtype": type_.dtype}


def shape(type_: TensorType) -> list[int | str | None]:
    """A tensor's shape with null for the batch, a symbol's expression as text, null for an unknown size."""
    return [None, *map(_size, type_.shape)]


def _size(size: int | Dim) -> int | str | None:
    if isinstance(size, int):
        return size
    return str(size) if size.is_known else None


def _number(size: int | Dim) -> int | str:
    return size if isinstance(size, int) else str(size).replace("?", "n")
