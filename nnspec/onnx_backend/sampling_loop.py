"""A sampler in one ONNX graph: a network that runs once, or repeatedly in a ``Loop``, on random values that are inputs."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import onnx
from numpy.typing import ArrayLike
from onnx import helper

import nnspec
from nnspec.diagnostics import NnspecError
from nnspec.generation.sampling import Sampling
from nnspec.graph.tables import table_rows
from nnspec.onnx_backend.builder import Body, Builder
from nnspec.onnx_backend.emit import OPSETS, output_names
from nnspec.onnx_backend.interface import Interface
from nnspec.onnx_backend.lowered import lowered
from nnspec.onnx_backend.proto import ELEMENT, finish
from nnspec.onnx_backend.value import Value
from nnspec.runtime.metadata import CONDITIONS, OUTPUTS, ROWS, VERSION
from nnspec.types import TensorType

_SCOPE = "sampling"


def to_sampler(
    sampling: Sampling, weights: Mapping[str, ArrayLike], *, opset: int = 23, metadata: Mapping[str, str] | None = None
) -> onnx.ModelProto:
    """Build the ONNX model of a sampler.

    Inputs: all random values and conditions, by the names of the network's inputs; values that are new at every step have an
    axis of steps after the batch. Output: the samples, by the name of the network's output (but see `emit.output_names`).

    Args:
        sampling: The sampler.
        weights: The arrays by identity.
        opset: The ONNX opset.
        metadata: Model metadata, in addition to nnspec's version.

    Raises:
        NnspecError: If a weight is missing or has a different shape, or the opset is not supported.
    """
    if opset not in OPSETS:
        raise NnspecError(f"ONNX opset {opset} is not supported; use {OPSETS.start} to {OPSETS.stop - 1}")
    graph = sampling.graph
    name = output_names(graph)[sampling.result] if sampling.result in sampling.inputs else sampling.result
    b = Builder(opset, graph.conditions)
    interface = Interface(b, sampling.inputs, [name])
    writer = _Sampler(b, sampling, weights, interface)
    result = writer.once() if sampling.steps == 1 else writer.repeated()
    outputs = interface.give(name, result, masks=False)
    model_metadata = {VERSION: nnspec.__version__, **(metadata or {})}
    if name != sampling.result:
        model_metadata[OUTPUTS] = json.dumps({name: sampling.result})
    if graph.conditions:
        model_metadata[CONDITIONS] = json.dumps(graph.conditions.as_json())
    rows = {ref.source: count for ref, count in table_rows(graph).items()}
    if given := {condition: rows[condition] for condition in sampling.conditions if condition in rows}:
        model_metadata[ROWS] = json.dumps(given)
    return finish(b, interface.inputs, outputs, name="generate", metadata=model_metadata, version=nnspec.__version__)


class _Sampler:
    """The graph under construction."""

    def __init__(self, b: Builder, sampling: Sampling, weights: Mapping[str, ArrayLike], interface: Interface) -> None:
        self._b, self._sampling, self._weights, self._given = b, sampling, weights, interface.given
        self._under = "" if sampling.graph.name == "main" else f"{sampling.graph.name}/"
        with b.at(_SCOPE):
            self._batch = b.op("Shape", next(iter(sampling.inputs)), start=0, end=1)

    def once(self) -> Value:
        """Write a sampler of one step; returns the samples."""
        with self._b.at(_SCOPE):
            index = self._b.constant(0, "zero", np.int64)
            given = {**self._given, **self._indexed(index)}
        return lowered(self._b, self._sampling.graph, self._weights, given, under=self._under)[self._sampling.result]

    def repeated(self) -> Value:
        """Write a sampler with a loop; returns the samples of the last step."""
        b, sampling = self._b, self._sampling
        carried = list(dict.fromkeys([*sampling.states, sampling.result]))
        with b.at(_SCOPE):
            begun = {name: self._given[name].name if name in self._given else self._zeros(self._type(name)) for name in carried}
            body = self._body(carried)
            trips, going = b.constant(sampling.steps, "steps", np.int64), b.constant(True, "going")
            ends = b.ops("Loop", [trips, going, *begun.values()], len(carried), bodies={"body": body})
        return Value.declared(ends[carried.index(sampling.result)], sampling.type.masked(None))

    def _type(self, name: str) -> TensorType:
        inputs = self._sampling.graph.inputs
        return (inputs[name] if name in self._sampling.states else self._sampling.type).masked(None)

    def _zeros(self, type_: TensorType) -> str:
        """A tensor of zeros, which is empty if a size is free."""
        b = self._b
        sizes = [size if isinstance(size, int) else 0 for size in type_.shape]
        shape = b.op("Concat", self._batch, b.ints(sizes, "sizes"), axis=0) if sizes else self._batch
        zero = np.zeros(1, "bool" if type_.dtype == "bool" else type_.dtype)
        return b.op("ConstantOfShape", shape, value=zero)

    def _indexed(self, index: str) -> dict[str, Value]:
        """The input that receives the index of the step."""
        b, graph, name = self._b, self._sampling.graph, self._sampling.count
        if name is None:
            return {}
        every = b.op("Expand", index, self._batch)
        dtype = graph.inputs[name].dtype
        cast = every if dtype == "int64" else b.op("Cast", every, to=ELEMENT[dtype])
        return {name: Value.declared(cast, graph.inputs[name])}

    def _body(self, carried: list[str]) -> Body:
        b, sampling = self._b, self._sampling
        with b.body() as body:
            trip, going = b.name("trip"), b.name("going")
            state = {name: b.name(name) for name in carried}
            given = {name: value for name, value in self._given.items() if name not in sampling.draw}
            given |= {name: Value.declared(state[name], self._type(name)) for name in sampling.states}
            for name in sampling.draw:
                now = b.op("Gather", self._given[name].name, trip, axis=1)
                given[name] = Value.declared(now, sampling.graph.inputs[name])
            given |= self._indexed(trip)
            made = lowered(b, sampling.graph, self._weights, given, under=self._under)
            again = b.op("Identity", going)
        scalars = [helper.make_tensor_type_proto(ELEMENT[dtype], []) for dtype in ("int64", "bool")]
        types = [self._type(name) for name in carried]
        body.inputs = [(trip, scalars[0]), (going, scalars[1]), *zip(state.values(), types, strict=True)]
        body.outputs = [(again, scalars[1]), *((made[name].name, type_) for name, type_ in zip(carried, types, strict=True))]
        return body
