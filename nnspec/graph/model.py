"""The typed graph: what every later part reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from nnspec.diagnostics import Diagnostic, Span
from nnspec.layers.base import Inputs, Layer
from nnspec.types import Conditions, Dim, TensorType, Weight

__all__ = ["Gaps", "Graph", "Model", "NetworkCall", "Node", "Ref", "Start"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ref:
    """One tensor of a graph: an input of the graph, or an output of a node.

    Attributes:
        source: The input's name or the node's.
        output: Which of the node's outputs; ``output`` for an input.
    """

    source: str
    output: str = "output"

    def __str__(self) -> str:
        return self.source if self.output == "output" else f"{self.source}.{self.output}"


@dataclass(frozen=True, slots=True)
class Start:
    """What the weights of a step start from.

    Attributes:
        file: A run folder or a ``.safetensors`` file, as it is written.
        prefix: What their names begin with there; None: as here.
        at: What their names begin with here; empty for the whole document.
        span: Where this is said.
        path: The same place as a path.
    """

    file: str
    prefix: str | None
    at: str
    span: Span
    path: str

    def name_there(self, identity: str) -> str:
        """The name of a weight in the file."""
        if self.prefix is None:
            return identity
        if self.at and not identity.startswith(f"{self.at}/"):
            return identity  # of a network that is used inside, whose weights stand under its own name
        inner = identity.removeprefix(self.at) if self.at else f"/{identity}"
        return f"{self.prefix}{inner}" if self.prefix else inner.removeprefix("/")


@dataclass(frozen=True)
class Node:
    """One layer in its place.

    Attributes:
        name: Its path in the graph, ``enc1/conv2d``.
        layer: Its arguments and facts.
        inputs: Where each port is fed from.
        input_types: The types that come in, by port.
        outputs: The types that go out, by output, masks included.
        weights: Its weights; a weight's identity is ``{weights_at}/{weight.name}``.
        weights_at: Where its weights stand: its own path, or that of the layer it shares them with.
        frozen: Whether its weights are kept from training.
        span: The step it was written as.
        path: That step's path in the document.
        start: What its weights start from, where a file is named.
        times: How often it runs for one example: the steps of a sequence, where it stands inside what runs at each of them.
    """

    name: str
    layer: Layer
    inputs: Mapping[str, Ref]
    input_types: Inputs
    outputs: Mapping[str, TensorType]
    weights: tuple[Weight, ...]
    weights_at: str
    frozen: bool
    span: Span
    path: str
    start: Start | None = None
    times: int | Dim = 1

    @property
    def op(self) -> str:
        """The layer's name, ``Conv2D``."""
        return type(self.layer).__name__

    @property
    def output(self) -> TensorType:
        """The type of the first output."""
        return next(iter(self.outputs.values()))

    def macs(self) -> int | Dim:
        return self.layer.macs(self.input_types) * self.times


@dataclass(frozen=True, slots=True)
class NetworkCall:
    """One use of a network, whose steps stand in place of it.

    Attributes:
        network: The network's name.
        name: The path of the step that uses it.
        inputs: What feeds each of its inputs.
        outputs: Where each of its outputs is.
    """

    network: str
    name: str
    inputs: Mapping[str, Ref]
    outputs: Mapping[str, Ref]


@dataclass(frozen=True)
class Gaps:
    """What of a graph is not known, because of errors that have been reported: what depends on it is not checked.

    Attributes:
        inputs: The inputs without a type.
        outputs: The outputs without a type.
        layers: What the steps that could not be built, and those inside them, are called.
        are_named: Whether all names of steps and outputs are known.
        assumed: The nodes of which arguments are wrong, on which no type depends.
        sizes: Whether no sizes satisfy what the layers ask.
    """

    inputs: frozenset[str] = frozenset()
    outputs: frozenset[str] = frozenset()
    layers: frozenset[str] = frozenset()
    are_named: bool = True
    assumed: frozenset[str] = frozenset()
    sizes: bool = False

    def __bool__(self) -> bool:
        return bool(self.inputs or self.outputs or self.layers or self.assumed) or not self.are_named or self.sizes


@dataclass(frozen=True)
class Graph:
    """One network: inputs, nodes in an order in which they can run, outputs.

    Attributes:
        name: The network's name; ``main`` for the document's own layers.
        inputs: Its inputs' types, by name, in the document's order.
        nodes: Its nodes by name; each comes after all it reads.
        outputs: What it gives, by name.
        conditions: What its symbols must satisfy; those that may be anything are left out.
        bound: The size of each declared symbol that its layers leave only one size, or another symbol's.
        gaps: What of it is not known; nothing of a graph that can be built.
        uses: Its uses of networks, in order, nested ones among them.
    """

    name: str
    inputs: Mapping[str, TensorType]
    nodes: Mapping[str, Node]
    outputs: Mapping[str, Ref]
    conditions: Conditions = field(default_factory=Conditions)
    bound: Mapping[str, int | Dim] = field(default_factory=dict)
    uses: tuple[NetworkCall, ...] = ()
    gaps: Gaps = field(default_factory=Gaps)

    @property
    def input_names(self) -> list[str]:
        """The inputs, those without a type too."""
        return [*self.inputs, *sorted(self.gaps.inputs)]

    @property
    def output_names(self) -> list[str]:
        """The outputs, those without a type too."""
        return [*self.outputs, *sorted(self.gaps.outputs)]

    def giving(self, outputs: Mapping[str, Ref]) -> Graph:
        """The same network with other outputs, and the nodes that these depend on alone."""
        needed: set[str] = set()
        stack = [ref.source for ref in outputs.values()]
        while stack:
            name = stack.pop()
            if name not in needed:
                needed.add(name)
                if name in self.nodes:
                    stack.extend(ref.source for ref in self.nodes[name].inputs.values())
        nodes = {name: node for name, node in self.nodes.items() if name in needed}
        return replace(self, nodes=nodes, outputs=dict(outputs))

    def type_of(self, ref: Ref) -> TensorType:
        """The type of a tensor of this graph."""
        return self.inputs[ref.source] if ref.source in self.inputs else self.nodes[ref.source].outputs[ref.output]

    @property
    def output_types(self) -> dict[str, TensorType]:
        return {name: self.type_of(ref) for name, ref in self.outputs.items()}

    def weights(self) -> Iterator[tuple[str, Weight, Node]]:
        """Every weight once: its identity, its facts, and the node that owns it."""
        seen: set[str] = set()
        for node in self.nodes.values():
            for weight in node.weights:
                identity = f"{node.weights_at}/{weight.name}"
                if identity not in seen:
                    seen.add(identity)
                    yield identity, weight, node

    def own(self, arrays: Mapping[str, T]) -> dict[str, T]:
        """Of a run's arrays, by identity, those that are weights of this graph."""
        return {identity: arrays[identity] for identity, *_ in self.weights() if identity in arrays}

    @property
    def parameters(self) -> int:
        """The number of weights' elements, trained or not."""
        return sum(weight.size for _, weight, _ in self.weights())

    @property
    def trainable_parameters(self) -> int:
        return sum(weight.size for _, weight, node in self.weights() if weight.trainable and not node.frozen)


@dataclass(frozen=True)
class Model:
    """All networks of one document.

    Attributes:
        name: The document's name.
        networks: Its graphs by name; the document's own layers are ``main``.
        diagnostics: The warnings found on the way.
    """

    name: str
    networks: Mapping[str, Graph]
    diagnostics: tuple[Diagnostic, ...] = field(default=())

    @property
    def main(self) -> Graph:
        """The network of the document's own layers."""
        return self.networks["main"]
