"""Class activation maps: the evidence for a class at each image position (Zhou et al. 2016; for series, Wang et al. 2017).

A network that ends in global average pooling and one affine layer gives the same output if the affine layer is applied first.
Its output at each position before the mean is the activation map; the mean of the map is the logit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from nnspec.graph.model import Graph, Node, Ref
from nnspec.layers.activations import activation_of
from nnspec.layers.base import Layer
from nnspec.layers.interfaces import Affine, AveragesPositions, KeepsElements, PassesOn


class NoMapError(Exception):
    """The output has no class activation map; the message states the reason."""


@dataclass(frozen=True)
class Head:
    """The classification head of a network from which class activation maps can be computed.

    Attributes:
        maps: Feature maps that are averaged.
        layers: Affine layers after the mean, in order; the last may have an activation.
    """

    maps: Ref
    layers: tuple[Node, ...]


def map_name(output: str) -> str:
    """Return the name of an output's map."""
    return f"{output}_map"


def head_of(graph: Graph, output: str) -> Head:
    """Return the head of an output: global average pooling followed by affine layers.

    Raises:
        NoMapError: If the output has another kind of head.
    """
    layers: list[Node] = []
    node = _before(graph, graph.outputs[output], activations=True)
    while node is not None and not (isinstance(node.layer, AveragesPositions) and node.layer.averages_positions):
        linear = _linear_part(node)
        if linear is None:
            raise NoMapError(f"`{node.name}` ({node.op}) is not allowed between the mean over all positions and the output")
        if layers and activation_of(node.layer) is not None:
            name, after = node.layer.activation_name, layers[0].name
            raise NoMapError(f"`{node.name}` has the activation `{name}` before `{after}`")
        layers.insert(0, node)
        node = _before(graph, next(iter(node.inputs.values())))
    if node is None:
        raise NoMapError("it does not depend on a mean over all positions")
    return Head(next(iter(node.inputs.values())), tuple(layers))


def with_activation_maps(graph: Graph, outputs: Sequence[str]) -> Graph:
    """Return the graph with the maps of some outputs added: ``digit_map``, (height, width, classes).

    A map is computed by the layers of the output, with the same weights, before their activation.

    Raises:
        NoMapError: If an output has no class activation map.
    """
    for output in outputs:
        graph = _with_map(graph, output, head_of(graph, output))
    return graph


def _with_map(graph: Graph, output: str, ending: Head) -> Graph:
    name, ref = map_name(output), ending.maps
    graph = _apart(graph, {node.weights_at for node in ending.layers})
    nodes = dict(graph.nodes)
    for node in ending.layers:
        linear = _linear_part(node)
        assert linear is not None
        [port] = node.inputs
        types = {port: replace(graph, nodes=nodes).type_of(ref)}
        named = name if node is ending.layers[-1] else f"{name}/{node.name}"
        nodes[named] = replace(
            node, name=named, layer=linear, inputs={port: ref}, input_types=types, outputs=linear.output_types(types)
        )
        ref = Ref(named)
    return replace(graph, nodes=nodes, outputs={**graph.outputs, name: ref})


def _apart(graph: Graph, places: set[str]) -> Graph:
    """Split activations off some layers, so that the outputs before them can be shared."""
    nodes: dict[str, Node] = {}
    for name, node in graph.nodes.items():
        activation = activation_of(node.layer) if node.weights_at in places else None
        if activation is None:
            nodes[name] = node
            continue
        linear = _linear_part(node)
        assert linear is not None
        before = replace(node, name=f"{name}/linear", layer=linear)
        nodes[before.name] = before
        types = {"x": before.output}
        nodes[name] = replace(
            before,
            name=name,
            layer=activation,
            inputs={"x": Ref(before.name)},
            input_types=types,
            outputs=activation.output_types(types),
            weights=(),
            weights_at=f"{before.weights_at}/activation",
        )
    return replace(graph, nodes=nodes)


def _linear_part(node: Node) -> Layer | None:
    return node.layer.linear_part if isinstance(node.layer, Affine) else None


def _before(graph: Graph, ref: Ref, *, activations: bool = False) -> Node | None:
    """Return the node that computes a tensor, skipping nodes that only pass its features through."""
    for node in _chain(graph, ref):
        passes = isinstance(node.layer, PassesOn) or _drops_ones(node) or (activations and _is_activation(node))
        if not passes:
            return node
    return None


def _chain(graph: Graph, ref: Ref) -> Iterator[Node]:
    node = graph.nodes.get(ref.source)
    while node is not None:
        yield node
        node = graph.nodes.get(next(iter(node.inputs.values())).source)


def _is_activation(node: Node) -> bool:
    return node.layer.activation_name is not None and not node.weights and _linear_part(node) is None


def _drops_ones(node: Node) -> bool:
    """Return whether the layer only removes or adds axes of size 1 before the features."""
    if not isinstance(node.layer, KeepsElements):
        return False
    before, after = next(iter(node.input_types.values())).shape, node.output.shape
    return before[-1:] == after[-1:] and {*before[:-1], *after[:-1]} <= {1}
