"""Networks that are trained together, as one graph: what counts weights, freezes and starts them asks no further."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from nnspec.graph.model import Graph, Node, Ref
from nnspec.graph.shared_weights import frozen_alike
from nnspec.types import Condition, Conditions, Relation, TensorType

__all__ = ["merge_graphs"]


def merge_graphs(networks: Iterable[Graph]) -> Graph:
    """One graph of several networks' nodes, which bear their network's name: ``generator/dense``.

    Nothing leads from one network to another, and it has no outputs. An input that several have is one: the label that both
    of a conditional pair take.

    Args:
        networks: Networks of one document, whose weights stand under their own names.
    """
    inputs: dict[str, TensorType] = {}
    nodes: dict[str, Node] = {}
    conditions: dict[str, Condition] = {}
    relations: list[Relation] = []
    for network in networks:
        inputs |= network.inputs
        conditions |= network.conditions
        relations += network.conditions.relations
        for node in network.nodes.values():
            name = f"{network.name}/{node.name}"
            nodes[name] = replace(node, name=name, inputs={port: _moved(ref, network) for port, ref in node.inputs.items()})
    return Graph("main", inputs, frozen_alike(nodes), {}, Conditions(conditions, relations))


def _moved(ref: Ref, network: Graph) -> Ref:
    return ref if ref.source in network.inputs else replace(ref, source=f"{network.name}/{ref.source}")
