"""Test cases of layers: a layer, its arguments and its inputs.

A [`Case`][] provides

- ``case.graph()``: the graph of the single layer (``layer``), with inputs named after its ports. A masked input is the output
  of an ``Embedding`` with ``mask_zero``, whose input are tokens;
- ``case.data(batch, sizes)``: random inputs, with symbols as in ``sizes``; rows of masks cycle through right padding, left
  padding, holes and only padding.

Weights initialized to 0 or 1 hide errors: ``case.weights(graph)`` returns random ones by the spec's names, for
``set_weight_arrays`` and for the ONNX emitter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np

from nnspec.diagnostics import Span
from nnspec.graph.cells import with_built_in
from nnspec.graph.model import Graph, Node, Ref
from nnspec.layers import LAYERS
from nnspec.layers.base import Layer
from nnspec.layers.core import Embedding
from nnspec.layers.interfaces import TakesBoxes
from nnspec.layers.rnn import RNN
from nnspec.onnx_backend.samples import drawn_boxes
from nnspec.types import TensorType, symbol

_VOCABULARY = 11
_NOWHERE = Span.whole("case")


@dataclass(frozen=True)
class Input:
    """An input of a port: its shape (a string is a symbol), element type, and whether it has a mask."""

    shape: tuple[int | str, ...]
    dtype: str = "float32"
    masked: bool = False

    @property
    def type(self) -> TensorType:
        return TensorType(tuple(symbol(size) if isinstance(size, str) else size for size in self.shape), self.dtype)


@dataclass(frozen=True)
class Case:
    """A layer and its inputs.

    Attributes:
        op: The name of the layer.
        arguments: The arguments, as in a spec.
        inputs: The input of each port; the ports of a merge are ``"0"``, ``"1"``, …
        note: A remark.
        made: The layer, if it is not in the catalogue.
    """

    op: str
    arguments: Mapping[str, Any]
    inputs: Mapping[str, Input]
    note: str = ""
    made: Layer | None = None

    @classmethod
    def of(cls, layer: Layer, inputs: Mapping[str, Input]) -> Case:
        """Create the case of an existing layer."""
        given = {name: getattr(layer, name) for name in type(layer).model_fields if name in layer.model_fields_set}
        return cls(type(layer).__name__, given, inputs, made=layer)

    def __str__(self) -> str:
        arguments = ",".join(f"{name}={_short(value)}" for name, value in self.arguments.items())
        shapes = " ".join(
            f"{'' if port in ('x', '0') else port + '='}{'×'.join(map(str, x.shape)) or '()'}{'~' * x.masked}"
            for port, x in self.inputs.items()
        )
        return f"{self.op}({arguments}) {shapes}"

    def layer(self) -> Layer:
        layer = self.made or LAYERS.get(self.op)(**self.arguments)
        assert isinstance(layer, Layer)
        return layer

    def graph(self) -> Graph:
        """The graph of the single layer, with embeddings for masked inputs; every output is an output of the graph."""
        inputs: dict[str, TensorType] = {}
        nodes: dict[str, Node] = {}
        refs: dict[str, Ref] = {}
        for port, x in self.inputs.items():
            name = f"in_{port}"
            if not x.masked:
                inputs[name], refs[port] = x.type, Ref(name)
                continue
            inputs[name] = TensorType(x.type.shape[:-1], "int32")
            embedding = Embedding.model_validate({"input_dim": _VOCABULARY, "output_dim": x.shape[-1], "mask_zero": True})
            nodes[f"embed_{port}"] = node(f"embed_{port}", embedding, {"x": Ref(name)}, {"x": inputs[name]})
            refs[port] = Ref(f"embed_{port}")
        types = {port: nodes[ref.source].output if ref.source in nodes else inputs[ref.source] for port, ref in refs.items()}
        nodes["layer"] = node("layer", self.layer(), refs, types)
        return Graph("case", inputs, nodes, {output: Ref("layer", output) for output in nodes["layer"].outputs})

    def data(self, batch: int, sizes: Mapping[str, int]) -> dict[str, np.ndarray]:
        """Draw random inputs of the graph, by name."""
        random = np.random.default_rng(crc32(str(self).encode()) + batch)
        layer = self.layer()
        boxes = layer.box_ports if isinstance(layer, TakesBoxes) else ()
        return {
            f"in_{port}": (
                drawn_boxes(random, (batch, *_sizes_of(x, sizes))) if port in boxes else _array(random, x, batch, sizes, self)
            )
            for port, x in self.inputs.items()
        }

    def weights(self, graph: Graph) -> dict[str, np.ndarray]:
        """Draw random weights of the graph, by the spec's names; variances are positive."""
        random = np.random.default_rng(crc32(str(self).encode()))
        return {
            name: (
                random.uniform(0.5, 2.0, weight.shape)
                if "variance" in weight.name
                else random.normal(0, 0.5 / max((1, *weight.shape[:1])) ** 0.5, weight.shape)
            ).astype("float32")
            for name, weight, _ in graph.weights()
        }


def node(name: str, layer: Any, inputs: Mapping[str, Ref], types: Mapping[str, TensorType], **more: Any) -> Node:
    """Create a node of a graph."""
    if isinstance(layer, RNN) and layer.built is None:
        layer = with_built_in(layer, types, name=name)
    outputs = layer.output_types(types)
    facts = {"weights": layer.weights(types), "weights_at": name, "frozen": False} | more
    return Node(name, layer, inputs, types, outputs, span=_NOWHERE, path=name, **facts)


def _sizes_of(x: Input, sizes: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(sizes[size] if isinstance(size, str) else size for size in x.shape)


def _array(random: np.random.Generator, x: Input, batch: int, sizes: Mapping[str, int], case: Case) -> np.ndarray:
    shape = (batch, *_sizes_of(x, sizes))
    if x.masked:
        return _tokens(random, shape[:-1])
    if case.op.endswith("Embedding") and "int" in x.dtype:
        return random.integers(0, case.arguments["input_dim"], shape).astype(x.dtype)
    if case.op == "MaxUnpooling2D" and "int" in x.dtype:
        return random.integers(0, 12, shape).astype(x.dtype)  # In an image of 12 positions, with repeats.
    if case.op in ("MatchBoxes", "SampleProposals") and "int" in x.dtype:
        return random.integers(-2, 3, shape).astype(x.dtype)
    if "int" in x.dtype:
        return random.integers(0, 100, shape).astype(x.dtype)
    if x.dtype == "bool":
        return random.integers(0, 2, shape).astype(bool)
    return random.normal(0, 1, shape).astype(x.dtype)


def _tokens(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Draw tokens; rows cycle through right padding, left padding, holes, only padding, and no padding, which is 0."""
    tokens = random.integers(1, _VOCABULARY, shape).astype("int32")
    for row in range(shape[0]):
        kind, length = row % 5, shape[1] if len(shape) > 1 else 0
        if kind == 0:
            tokens[row, length - length // 3 :] = 0
        elif kind == 1:
            tokens[row, : length // 3] = 0
        elif kind == 2:
            tokens[row, 1::2] = 0
        elif kind == 3:
            tokens[row] = 0
    return tokens


def _short(value: Any) -> str:
    if isinstance(value, dict) and len(value) == 1:
        [(name, inner)] = value.items()
        return (
            f"{name}({','.join(f'{k}={_short(v)}' for k, v in inner.items())})"
            if isinstance(inner, dict)
            else f"{name}={inner}"
        )
    return str(value).replace(" ", "").replace("'", "")
