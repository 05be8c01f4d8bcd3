"""Class activation maps: where in a picture the evidence for a class is (Zhou et al. 2016; of series, Wang et al. 2017).

A network that ends in the mean of feature maps over all positions and one affine layer gives the same where the layer comes
first and the mean after it. What the layer gives at each position before the mean is the map: averaged, it is the logit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from nnspec.graph.model import Graph, Node, Ref
from nnspec.layers.activations import activation_of
from nnspec.layers.base import Layer
from nnspec.layers.interfaces import Affine, AveragesPositions, KeepsElements, PassesOn

__all__ = ["Ending", "NoMap", "ending_of", "map_name", "with_activation_maps"]


class NoMap(Exception):
    """An output that has no class activation map; the message says why."""


@dataclass(frozen=True)
class Ending:
    """The end of a network that class activation maps can be taken from.

    Attributes:
        maps: The feature maps that are averaged.
        layers: The affine layers after the mean, in their order; the last may have an activation.
    """

    maps: Ref
    layers: tuple[Node, ...]


def map_name(output: str) -> str:
    """What the map of an output is called."""
    return f"{output}_map"


def ending_of(graph: Graph, output: str) -> Ending:
    """The end of an output's way: a mean over all positions, and affine layers after it.

    Raises:
        NoMap: Where it is another one.
    """
    layers: list[Node] = []
    node = _before(graph, graph.outputs[output], activations=True)
    while node is not None and not (isinstance(node.layer, AveragesPositions) and node.layer.averages_positions):
        linear = _linear_part(node)
        if linear is None:
            raise NoMap(f"`{node.name}` ({node.op}) stands where the mean over all positions would")
        if layers and activation_of(node.layer) is not None:
            name, after = node.layer.activation_name, layers[0].name
            raise NoMap(f"`{node.name}` has the activation `{name}`, and `{after}` comes after it")
        layers.insert(0, node)
        node = _before(graph, next(iter(node.inputs.values())))
    if node is None:
        raise NoMap("nothing on its way is the mean over all positions")
    return Ending(next(iter(node.inputs.values())), tuple(layers))


def with_activation_maps(graph: Graph, outputs: Sequence[str]) -> Graph:
    """The graph with a further output for each of some: ``digit_map``, (height, width, classes).

    The layers that make a map are those of the output, with the same weights, before their activation.

    Raises:
        NoMap: Where an output ends otherwise.
    """
    for output in outputs:
        graph = _with_map(graph, output, ending_of(graph, output))
    return graph


def _with_map(graph: Graph, output: str, ending: Ending) -> Graph:
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
    """The graph with the activations of some layers as layers of their own, so that what comes before them can be shared."""
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
    """The node that gives a tensor, those that only pass its features on left out."""
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
    """Whether it gives the features of one position on other axes."""
    if not isinstance(node.layer, KeepsElements):
        return False
    before, after = next(iter(node.input_types.values())).shape, node.output.shape
    return before[-1:] == after[-1:] and {*before[:-1], *after[:-1]} <= {1}
