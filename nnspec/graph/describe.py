"""A graph as plain data: the output of ``inspect --format json``, also written as ``graph.json`` by ``build``."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from nnspec.graph.memory import activation_bytes, peak_activation_bytes
from nnspec.graph.model import Graph, Model, Node
from nnspec.graph.receptive_field import receptive_fields
from nnspec.layers.plugin import converted, plugin_of
from nnspec.types import Dim, TensorType


def describe(model: Model) -> dict[str, Any]:
    """Return all networks of a model (design: section 5).

    Returns:
        ``{"name", "networks": {NAME: {"inputs", "outputs", "parameters", "trainable_parameters", "macs",
        "peak_activation_bytes", "layers"}}}``, and ``"params"`` if there are any: ``{NAME: {"value", "type", "at_least", …,
        "help"}}``. A shape starts with null for the batch; a symbol is its name; a value that
        depends on a symbol is an expression; the peak of activations is a list of expressions if it is their maximum.
        Strides of receptive fields below 1 are strings, ``1/2``. A layer from another package has ``plugin``: its package, and
        whether it is exported by its own ``to_onnx`` or with ``tf2onnx``. ``Compute`` has ``expressions``, by result.
    """
    params = {"params": {name: param.as_json() for name, param in model.params.items()}} if model.params else {}
    return {"name": model.name, **params, "networks": {name: _network(graph) for name, graph in model.networks.items()}}


def _network(graph: Graph) -> dict[str, Any]:
    fields = receptive_fields(graph)
    layers = []
    for node in graph.every_node():
        field = fields.get(node.name)
        layers.append(
            {
                "name": node.name,
                "op": node.op,
                "from": [str(ref) for ref in node.inputs.values()],
                "shape": shape(node.output),
                "parameters": sum(weight.size for weight in node.weights),
                "macs": _number(node.macs()),
                "activation_bytes": _number(activation_bytes(node)),
                "receptive_field": list(field.size) if field else None,
                "receptive_field_stride": [_stride(stride) for stride in field.stride] if field else None,
                "receptive_field_start": list(field.start) if field else None,
                "line": node.span.line,
                **({"expressions": dict(node.layer.expressions)} if node.layer.expressions else {}),
                **_origin(node),
            }
        )
    described: dict[str, Any] = {
        "inputs": {name: _tensor(type_) for name, type_ in graph.inputs.items()},
        "outputs": {name: _tensor(type_) for name, type_ in graph.output_types.items()},
        "parameters": graph.parameters,
        "trainable_parameters": graph.trainable_parameters,
        "macs": _number(graph.macs),
        "peak_activation_bytes": _peak(graph),
        "layers": layers,
    }
    ports = [*graph.inputs.items(), *graph.output_types.items()]
    masks = {f"{name}_mask": [None, *map(_size, t.mask)] for name, t in ports if t.mask is not None}
    found = graph.conditions
    conditions = {"conditions": {name: condition.as_json() for name, condition in found.items()}} if found else {}
    relations = {"relations": [str(relation).replace("`", "") for relation in found.relations]} if found.relations else {}
    bound = {"bound": {name: _size(size) for name, size in graph.bound.items()}} if graph.bound else {}
    return described | ({"masks": masks} if masks else {}) | conditions | relations | bound


def operation_text(op: str, expressions: Mapping[str, str], longest: int) -> str:
    """The operation as tables and drawings show it: with the expression, or the names of the results.

    Example:
        >>> operation_text("Compute", {"output": "x * sigmoid(1.702 * x)"}, 20)
        'Compute: x * sigmoi…'
    """
    if not expressions:
        return op
    text = expressions["output"] if list(expressions) == ["output"] else ", ".join(expressions)
    text = f"{op}: {' '.join(text.split())}"
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def stated_sizes(graph: Graph) -> list[str]:
    """Return what is known of free sizes, one line each: ``T is 8``, ``H must be a multiple of 8``."""
    return [f"{name} is {size}" for name, size in graph.bound.items()] + graph.conditions.texts()


def _origin(node: Node) -> dict[str, Any]:
    """Return the origin of a layer from another package; empty for a built-in layer."""
    plugin = plugin_of(node.layer)
    if plugin is None:
        return {}
    return {"plugin": {"package": plugin.package, "export": "tf2onnx" if converted(node.layer) else "to_onnx"}}


def _peak(graph: Graph) -> int | str | list[int | str] | None:
    candidates = [_number(size) for size in peak_activation_bytes(graph)]
    return candidates[0] if len(candidates) == 1 else candidates or None


def _stride(stride: int | Fraction) -> int | str:
    return stride if isinstance(stride, int) else str(stride)


def _tensor(type_: TensorType) -> dict[str, Any]:
    return {"shape": shape(type_), "dtype": type_.dtype}


def shape(type_: TensorType) -> list[int | str | None]:
    """Return a shape with null for the batch, an expression as text for a symbolic size, null for an unknown size."""
    return [None, *map(_size, type_.shape)]


def _size(size: int | Dim) -> int | str | None:
    if isinstance(size, int):
        return size
    return str(size) if size.is_known else None


def _number(size: int | Dim) -> int | str:
    return size if isinstance(size, int) else str(size).replace("?", "n")
