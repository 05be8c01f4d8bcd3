"""Writes the layers of a graph into an ONNX graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from nnspec.diagnostics import NnspecError
from nnspec.graph.model import Graph, Node, Ref
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Array, Call
from nnspec.onnx_backend.layout import declared
from nnspec.onnx_backend.lower import lowering_of
from nnspec.onnx_backend.proto import ELEMENT
from nnspec.onnx_backend.value import Value
from nnspec.types import TensorType


def lowered(
    b: Builder, graph: Graph, weights: Mapping[str, ArrayLike], given: Mapping[str, Value], *, under: str = ""
) -> dict[str, Value]:
    """Write the layers that the outputs of a graph need.

    Args:
        b: The ONNX graph.
        graph: The graph.
        weights: The arrays by identity.
        given: The input tensors, by name.
        under: The prefix of layer names in the ONNX graph.

    Returns:
        The output tensors by name, in the spec's axis order.

    Raises:
        NnspecError: If a weight is missing or has a different shape.
    """
    values = _Values(b, given, under)
    for name in _needed(graph):
        values.lower(graph.nodes[name], weights)
    return {name: values.declared(ref) for name, ref in graph.outputs.items()}


def _needed(graph: Graph) -> list[str]:
    """The nodes that the outputs need, in order."""
    needed = {ref.source for ref in graph.outputs.values()}
    for name, node in reversed(list(graph.nodes.items())):
        if name in needed:
            needed.update(ref.source for ref in node.inputs.values())
    return [name for name in graph.nodes if name in needed]


class _Values:
    """The ONNX tensor of each tensor of the spec's graph."""

    def __init__(self, b: Builder, given: Mapping[str, Value], under: str) -> None:
        self._b = b
        self._under = under
        self._at = {Ref(name): value for name, value in given.items()}

    def lower(self, node: Node, weights: Mapping[str, ArrayLike]) -> None:
        """Write one layer."""
        with self._b.at(f"{self._under}{node.name}", node.weights_at):
            inputs = {port: _computed(self._b, self._at[ref]) for port, ref in node.inputs.items()}
            body = None if node.body is None else partial(lowered, self._b, node.body, weights, under=self._under)
            call = Call(node.layer, inputs, node.outputs, _arrays(node, weights), body)
            made = lowering_of(node.layer)(self._b, call)
            named = {next(iter(node.outputs)): made} if isinstance(made, Value) else made
            for output, value in named.items():
                self._keep(Ref(node.name, output), node.outputs[output], value, call)

    def _keep(self, ref: Ref, type: TensorType, value: Value, call: Call) -> None:  # type: ignore[type-arg]
        mask = value.mask if value.mask is not None or type.mask is None else call.x.mask
        if self._b.owns(value.name):
            self._b.rename(value.name, f"{self._b.scope}/{ref.output}")
        self._at[ref] = replace(value, type=type, mask=mask if type.mask is not None else None)

    def declared(self, ref: Ref) -> Value:
        """A tensor in the spec's axis order."""
        with self._b.at(f"{self._under}{ref.source}"):
            self._at[ref] = declared(self._b, self._at[ref])
        return self._at[ref]


def _computed(b: Builder, value: Value) -> Value:
    """Cast floats of other precisions to float32, as Keras does when a layer reads them."""
    if "float" not in value.type.dtype or value.type.dtype == "float32":
        return value
    cast = b.once(("cast", value.name), lambda: b.op("Cast", value.name, to=ELEMENT["float32"]))
    return replace(value, name=cast, type=replace(value.type, dtype="float32"))


def _arrays(node: Node, weights: Mapping[str, ArrayLike]) -> dict[str, Array]:
    arrays = {}
    for weight in node.weights:
        identity = f"{node.weights_at}/{weight.name}"
        if identity not in weights:
            raise NnspecError(f"the weights have no `{identity}`, required by the layer `{node.name}`")
        array = np.asarray(weights[identity], np.float32)
        if array.shape != weight.shape:
            raise NnspecError(
                f"the weight `{identity}` has the shape {array.shape}; the layer `{node.name}` requires {weight.shape}"
            )
        arrays[weight.name] = array
    return arrays
