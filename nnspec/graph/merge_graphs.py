"""Merges networks that are trained together into one graph, to count, freeze and initialize their weights."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from nnspec.graph.model import Graph, Node, Ref
from nnspec.graph.shared_weights import freeze_shared
from nnspec.types import Condition, Conditions, Relation, TensorType


def merge_graphs(networks: Iterable[Graph]) -> Graph:
    """Merge networks into one graph, whose nodes are prefixed with the network's name: ``generator/dense``.

    The networks are not connected, and the graph has no outputs. Inputs of the same name are merged, such as the label of a
    conditional generator and discriminator.

    Args:
        networks: Networks of one document.
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
    return Graph("main", inputs, freeze_shared(nodes), {}, Conditions(conditions, relations))


def _moved(ref: Ref, network: Graph) -> Ref:
    return ref if ref.source in network.inputs else replace(ref, source=f"{network.name}/{ref.source}")
