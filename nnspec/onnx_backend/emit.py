"""A graph and its weights become an ONNX model. No framework takes part."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import onnx
from numpy.typing import ArrayLike

import nnspec
from nnspec.diagnostics import NnspecError
from nnspec.graph.model import Graph, Node, Ref
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Array, Call
from nnspec.onnx_backend.entry import Entry
from nnspec.onnx_backend.layout import declared
from nnspec.onnx_backend.lower import lowering_of
from nnspec.onnx_backend.metadata import CONDITIONS, OUTPUTS, VERSION
from nnspec.onnx_backend.proto import ELEMENT, finish
from nnspec.onnx_backend.value import Value
from nnspec.types import TensorType

__all__ = ["OPSETS", "output_names", "to_onnx"]

OPSETS = range(17, min(26, onnx.defs.onnx_opset_version()) + 1)
"""The versions of ONNX's operators that can be written: ONNX Runtime 1.31 reads none above 26."""


def to_onnx(
    graph: Graph,
    weights: Mapping[str, ArrayLike],
    *,
    opset: int = 23,
    metadata: Mapping[str, str] | None = None,
    masks: bool | None = None,
    entries: Mapping[str, Entry] | None = None,
) -> onnx.ModelProto:
    """The ONNX model of a graph, in inference.

    Its inputs and outputs bear the spec's names (but see `output_names`), the batch axis is called ``batch``, a free axis by
    its symbol, and every tensor is named after the layer it comes from. The same graph and weights give the same bytes.

    Args:
        graph: What to write; layers that no output needs are left out.
        weights: Its arrays by identity, ``enc1/conv2d/kernel``; those that are not needed are not looked at.
        opset: The version of the operators, 17 to 26.
        metadata: Written into the model beside nnspec's version and the conditions on free sizes.
        masks: Whether an output that carries a mask is followed by that mask, ``NAME_mask``, boolean. By default it is in a
            network of ``networks``, so that networks run apart equal the whole, and not in the document's own.
        entries: What stands before inputs, by their names: those take what comes into it.

    Raises:
        NnspecError: Where a weight is missing or has another shape, or the opset is another.
    """
    if opset not in OPSETS:
        raise NnspecError(f"ONNX opset {opset} cannot be written; choose one from {OPSETS.start} to {OPSETS.stop - 1}")
    names = output_names(graph)
    graph = replace(graph, outputs={names[name]: ref for name, ref in graph.outputs.items()})
    b = Builder(opset, {name: condition.multiple_of for name, condition in graph.conditions.items()})
    values = _Values(b, graph, entries or {})
    for name in _needed(graph):
        values.lower(graph.nodes[name], weights)
    for ref in graph.outputs.values():
        values.declare(ref)
    outputs: dict[str, TensorType] = {}
    for name, ref in graph.outputs.items():
        outputs |= values.give(name, ref, graph.name != "main" if masks is None else masks)
    told = {VERSION: nnspec.__version__, **(metadata or {})}
    if renamed := {given: name for name, given in names.items() if given != name}:
        told[OUTPUTS] = json.dumps(renamed)
    if graph.conditions:
        told[CONDITIONS] = json.dumps({name: condition.as_json() for name, condition in graph.conditions.items()})
    return finish(
        b,
        values.inputs,
        outputs,
        name=graph.name,
        metadata=told,
        version=nnspec.__version__,
    )


def output_names(graph: Graph) -> dict[str, str]:
    """What each output is called in ONNX: as in the spec, but ``state_out`` where an input is called ``state`` too.

    ONNX has one name for one tensor; Keras, and the spec, name inputs and outputs apart.
    """
    names: dict[str, str] = {}
    for name in graph.outputs:
        own = name
        while own in graph.inputs or own in names.values() or (own != name and own in graph.outputs):
            own += "_out"
        names[name] = own
    return names


def _needed(graph: Graph) -> list[str]:
    """The nodes that the outputs need, in their order."""
    needed = {ref.source for ref in graph.outputs.values()}
    for name, node in reversed(list(graph.nodes.items())):
        if name in needed:
            needed.update(ref.source for ref in node.inputs.values())
    return [name for name in graph.nodes if name in needed]


class _Values:
    """Where every tensor of the spec's graph stands in the ONNX graph."""

    def __init__(self, b: Builder, graph: Graph, entries: Mapping[str, Entry]) -> None:
        self.b = b
        self.inputs: dict[str, TensorType] = {}
        self._at: dict[Ref, Value] = {}
        # What already bears a name of the interface, or must keep its own, is copied where it is an output once more.
        self._named: dict[str, str] = {}
        # Names of the interface are claimed before any layer's.
        for name, type in graph.inputs.items():
            self._take(name, type)
        for name in graph.outputs:
            b.claim(name)
        for name, entry in entries.items():
            self._enter(name, entry)
        live = set(_needed(graph))
        self._uses = Counter(ref for node in graph.nodes.values() if node.name in live for ref in node.inputs.values())
        self._uses.update(graph.outputs.values())

    def _take(self, name: str, type: TensorType) -> None:
        mask = None
        self.inputs[self.b.claim(name)] = type.masked(None)
        if type.mask is not None:
            mask = self.b.claim(f"{name}_mask")
            self.inputs[mask] = TensorType(type.mask, "bool")
        self._at[Ref(name)] = Value.declared(name, type, mask)
        self._named |= {given: given for given in self.inputs}

    def _enter(self, name: str, entry: Entry) -> None:
        """Writes what stands before an input."""
        self.inputs[name] = entry.type
        with self.b.at(name):
            made = entry.lower(self.b, name)
        self._at[Ref(name)] = replace(self._at[Ref(name)], name=made)

    def lower(self, node: Node, weights: Mapping[str, ArrayLike]) -> None:
        """Writes one layer."""
        with self.b.at(node.name, node.weights_at):
            inputs = {port: _computed(self.b, self._at[ref]) for port, ref in node.inputs.items()}
            call = Call(node.layer, inputs, node.outputs, _arrays(node, weights))
            given = lowering_of(node.layer)(self.b, call)
            named = {next(iter(node.outputs)): given} if isinstance(given, Value) else given
            for output, value in named.items():
                self._keep(Ref(node.name, output), node.outputs[output], value, call)

    def _keep(self, ref: Ref, type: TensorType, value: Value, call: Call) -> None:  # type: ignore[type-arg]
        mask = value.mask if value.mask is not None or type.mask is None else call.x.mask
        alone = self._uses[ref] == 1
        if self.b.owns(value.name):
            self.b.rename(value.name, f"{self.b.scope}/{ref.output}")
        kept = mask if type.mask is not None else None
        self._at[ref] = replace(value, type=type, mask=kept, linear=value.linear if alone else None)

    def declare(self, ref: Ref) -> None:
        """Brings what will be an output into the spec's order: before another output takes the name of what that reads."""
        with self.b.at(ref.source):
            self._at[ref] = declared(self.b, self._at[ref])

    def give(self, name: str, ref: Ref, masks: bool) -> dict[str, TensorType]:
        """Makes a tensor an output of the graph, and its mask too if that is wanted; returns their types by name."""
        with self.b.at(ref.source):
            value = self._at[ref]
            self._name(value.name, name)
            if not masks or value.mask is None or value.type.mask is None:
                return {name: value.type.masked(None)}
            mask = self.b.claim(f"{name}_mask")
            self._name(value.mask, mask)
            return {name: value.type.masked(None), mask: TensorType(value.type.mask, "bool")}

    def _name(self, tensor: str, output: str) -> None:
        if tensor in self._named:
            self.b.copy(self._named[tensor], output)
        else:
            self.b.become(tensor, output)
            self._named[tensor] = output


def _computed(b: Builder, value: Value) -> Value:
    """Floats of another precision become float32 where a layer reads them, as in Keras."""
    if "float" not in value.type.dtype or value.type.dtype == "float32":
        return value
    cast = b.once(("cast", value.name), lambda: b.op("Cast", value.name, to=ELEMENT["float32"]))
    return replace(value, name=cast, type=replace(value.type, dtype="float32"))


def _arrays(node: Node, weights: Mapping[str, ArrayLike]) -> dict[str, Array]:
    arrays = {}
    for weight in node.weights:
        identity = f"{node.weights_at}/{weight.name}"
        if identity not in weights:
            raise NnspecError(f"the weights have no `{identity}`, which the layer `{node.name}` needs")
        array = np.asarray(weights[identity], np.float32)
        if array.shape != weight.shape:
            raise NnspecError(
                f"the weight `{identity}` has the shape {array.shape}; the layer `{node.name}` needs {weight.shape}"
            )
        arrays[weight.name] = array
    return arrays
