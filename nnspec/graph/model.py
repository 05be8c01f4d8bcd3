"""The typed graph, on which all later stages are based."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import TypeVar

from nnspec.diagnostics import Diagnostic, Span
from nnspec.layers.base import Inputs, Layer
from nnspec.spec.params import Param
from nnspec.spec.step import WeightsFrom
from nnspec.types import Conditions, Dim, SizeTooComplex, TensorType, Weight, unknown

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ref:
    """A tensor of a graph: an input of the graph or an output of a node.

    Attributes:
        source: Name of the input or node.
        output: Name of the node's output; ``output`` for an input.
    """

    source: str
    output: str = "output"

    def __str__(self) -> str:
        return self.source if self.output == "output" else f"{self.source}.{self.output}"


@dataclass(frozen=True, slots=True)
class Start:
    """The source of a step's initial weights.

    Attributes:
        file: A run folder or a ``.safetensors`` file, as written.
        prefix: Prefix of the weight names in the file; None if the names are equal.
        at: Prefix of the weight names in the graph; empty for the whole document.
        span: Location of the declaration.
        path: Path of the declaration.
        vectors: Whether it is a file of word vectors.
        skip: Paths or patterns of layers that keep their own initial weights.
        names: Names in the file by layer or scope, as pairs.
    """

    file: str
    prefix: str | None
    at: str
    span: Span
    path: str
    vectors: bool = False
    skip: tuple[str, ...] = ()
    names: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, given: WeightsFrom, prefix: str | None, at: str) -> Start:
        """Return the source that a declaration names.

        Args:
            given: The declaration.
            prefix: Prefix of the weight names in the file.
            at: Prefix of the weight names in the graph.
        """
        return cls(given.file, prefix, at, given.span, given.path, given.vectors, given.skip, given.names)

    @property
    def declaration(self) -> tuple[str, Span]:
        """What identifies its declaration, from which several layers may start."""
        return self.path, self.span

    def takes(self, identity: str) -> bool:
        """Return whether a weight starts from the file, and not from its own initializer."""
        return not any(covers(pattern, identity) for pattern in self.skip)

    def name_there(self, identity: str) -> str:
        """Return the name of a weight in the file."""
        if self.prefix is None:
            return identity
        if self.at and not identity.startswith(f"{self.at}/"):
            return identity  # belongs to a nested network, whose weights have its own name
        inner = identity.removeprefix(self.at) if self.at else f"/{identity}"
        return f"{self.prefix}{inner}" if self.prefix else inner.removeprefix("/")


@dataclass(frozen=True)
class Node:
    """One layer of a graph.

    Attributes:
        name: Path in the graph, ``enc1/conv2d``.
        layer: Layer with its arguments.
        inputs: Source of each port.
        input_types: Input types by port.
        outputs: Output types by name, including masks.
        weights: Weights; a weight's identity is ``{weights_at}/{weight.name}``.
        weights_at: Prefix of the weight identities: its own path, or that of the layer that shares its weights.
        frozen: Whether its weights are frozen.
        span: Location of its step.
        path: Path of its step in the document.
        start: Source of its initial weights, if given.
        times: Number of runs per example: the sequence length inside time-distributed steps, otherwise 1.
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
        """Name of the layer, such as ``Conv2D``."""
        return type(self.layer).__name__

    @property
    def output(self) -> TensorType:
        """Type of the first output."""
        return next(iter(self.outputs.values()))

    @property
    def body(self) -> Graph | None:
        """The graph that its layer runs at each step, as `RNN` does; None if it runs none."""
        body = self.layer.body
        assert body is None or isinstance(body, Graph)
        return body

    def macs(self) -> int | Dim:
        """Return the multiply–accumulates per example, without those of its body's nodes."""
        return self.layer.macs(self.input_types) * self.times


def covers(pattern: str, name: str) -> bool:
    """Return whether a path, or a pattern with `*`, names a node or weight or what it is in.

    Example:
        >>> covers("head", "head/dense/kernel"), covers("*/kernel", "head/dense/kernel"), covers("head", "header/kernel")
        (True, True, False)
    """
    return any(fnmatchcase(scope, pattern) for scope in scopes(name))


def scopes(name: str) -> list[str]:
    """Return the paths that a node or weight is in, from the outermost, and its own name.

    Example:
        >>> scopes("head/dense/kernel")
        ['head', 'head/dense', 'head/dense/kernel']
    """
    parts = name.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]


def is_within(name: str, path: str) -> bool:
    """Return whether a node or weight is at a path or inside it.

    Example:
        >>> is_within("block/dense", "block"), is_within("block_1", "block")
        (True, False)
    """
    return name == path or name.startswith(f"{path}/")


def every_node(nodes: Iterable[Node]) -> Iterator[Node]:
    """Yield the nodes, each after the nodes of its body, which run several times."""
    for node in nodes:
        if node.body is not None:
            times = node.times * node.layer.body_runs(node.input_types)
            for inner in every_node(node.body.nodes.values()):
                yield replace(inner, times=inner.times * times)
        yield node


def changed(nodes: Mapping[str, Node], change: Callable[[Node], Node]) -> dict[str, Node]:
    """Return the nodes with a change applied to each, also to the nodes of their bodies."""
    found = {}
    for name, node in nodes.items():
        if node.body is not None:
            body = replace(node.body, nodes=changed(node.body.nodes, change))
            node = replace(node, layer=node.layer.with_body(body))
        found[name] = change(node)
    return found


@dataclass(frozen=True, slots=True)
class NetworkCall:
    """One use of a network, whose steps are inlined.

    Attributes:
        network: Name of the network.
        name: Path of the step that uses it.
        inputs: Source of each input.
        outputs: Tensor of each output.
    """

    network: str
    name: str
    inputs: Mapping[str, Ref]
    outputs: Mapping[str, Ref]


@dataclass(frozen=True, slots=True)
class BuiltStep:
    """A step of the document in one place of the graph: several for a step of a block that is used more than once.

    Attributes:
        name: Path in the graph; the nodes of the step have this name, or names within it.
        path: Path of the step in the document.
        span: Location of its operation.
        outputs: Types of its outputs by name.
    """

    name: str
    path: str
    span: Span
    outputs: Mapping[str, TensorType]


@dataclass(frozen=True)
class Gaps:
    """Unknown parts of a graph due to errors that have been reported; dependent checks are skipped.

    Attributes:
        inputs: Inputs without a type.
        outputs: Outputs without a type.
        layers: Paths of the steps that could not be built, including nested ones.
        are_named: Whether all names of steps and outputs are known.
        assumed: Nodes with invalid arguments that affect no type.
        sizes: Whether the layers' constraints on sizes are contradictory.
    """

    inputs: frozenset[str] = frozenset()
    outputs: frozenset[str] = frozenset()
    layers: frozenset[str] = frozenset()
    are_named: bool = True
    assumed: frozenset[str] = frozenset()
    sizes: bool = False

    def __bool__(self) -> bool:
        return bool(self.inputs or self.outputs or self.layers or self.assumed) or not self.are_named or self.sizes


@dataclass(frozen=True, repr=False)
class Graph:
    """One network: inputs, nodes in topological order, outputs.

    Attributes:
        name: Name of the network; ``main`` for the document's own layers.
        inputs: Input types by name, in document order.
        nodes: Nodes by name; each comes after its inputs.
        outputs: Outputs by name.
        conditions: Conditions on its symbols; unconstrained symbols are omitted.
        bound: Value of each declared symbol that the layers fix to one size or to another symbol.
        gaps: Unknown parts; empty for a valid graph.
        uses: Uses of networks in order, including nested ones.
        steps: Steps that were built, including nested ones.
    """

    name: str
    inputs: Mapping[str, TensorType]
    nodes: Mapping[str, Node]
    outputs: Mapping[str, Ref]
    conditions: Conditions = field(default_factory=Conditions)
    bound: Mapping[str, int | Dim] = field(default_factory=dict)
    uses: tuple[NetworkCall, ...] = ()
    gaps: Gaps = field(default_factory=Gaps)
    steps: tuple[BuiltStep, ...] = ()

    def __repr__(self) -> str:
        from nnspec.graph.notebook import graph_text

        return f"<Graph {graph_text(self)}>"

    def _repr_html_(self) -> str:
        from nnspec.graph.notebook import graph_html

        return graph_html(self)

    @property
    def input_names(self) -> list[str]:
        """Names of the inputs, including those without a type."""
        return [*self.inputs, *sorted(self.gaps.inputs)]

    @property
    def output_names(self) -> list[str]:
        """Names of the outputs, including those without a type."""
        return [*self.outputs, *sorted(self.gaps.outputs)]

    def giving(self, outputs: Mapping[str, Ref]) -> Graph:
        """Return the network with other outputs and only the nodes that they depend on."""
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
        """Return the type of a tensor."""
        return self.inputs[ref.source] if ref.source in self.inputs else self.nodes[ref.source].outputs[ref.output]

    @property
    def output_types(self) -> dict[str, TensorType]:
        return {name: self.type_of(ref) for name, ref in self.outputs.items()}

    def every_node(self) -> Iterator[Node]:
        """Yield the nodes, each after the nodes of its body."""
        return every_node(self.nodes.values())

    def weights(self) -> Iterator[tuple[str, Weight, Node]]:
        """Yield every weight once: its identity, its description, and the node that owns it."""
        seen: set[str] = set()
        for node in self.every_node():
            for weight in node.weights:
                identity = f"{node.weights_at}/{weight.name}"
                if identity not in seen:
                    seen.add(identity)
                    yield identity, weight, node

    def own(self, arrays: Mapping[str, T]) -> dict[str, T]:
        """Return the arrays, by identity, that are weights of this graph."""
        return {identity: arrays[identity] for identity, *_ in self.weights() if identity in arrays}

    @property
    def parameters(self) -> int:
        """Number of elements of all weights, trainable or not."""
        return sum(weight.size for _, weight, _ in self.weights())

    @property
    def trainable_parameters(self) -> int:
        return sum(weight.size for _, weight, node in self.weights() if weight.trainable and not node.frozen)

    @property
    def macs(self) -> int | Dim:
        """Multiply–accumulates for one example; unknown if free sizes make the sum too complex."""
        total: int | Dim = 0
        try:
            for node in self.every_node():
                total = total + node.macs()
        except SizeTooComplex:
            return unknown()
        return total


@dataclass(frozen=True, repr=False)
class Model:
    """All networks of one document.

    Attributes:
        name: Name of the document.
        networks: Graphs by name; the document's own layers are ``main``.
        diagnostics: Warnings found while building.
        params: The document's params by name.
    """

    name: str
    networks: Mapping[str, Graph]
    diagnostics: tuple[Diagnostic, ...] = field(default=())
    params: Mapping[str, Param] = field(default_factory=dict)

    def __repr__(self) -> str:
        from nnspec.graph.notebook import graph_text

        return f"<Model {self.name}: {'; '.join(map(graph_text, self.networks.values()))}>"

    def _repr_html_(self) -> str:
        from nnspec.graph.notebook import model_html

        return model_html(self)

    @property
    def main(self) -> Graph:
        """Network of the document's own layers."""
        return self.networks["main"]
