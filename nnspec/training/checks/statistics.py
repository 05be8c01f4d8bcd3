"""Layers whose statistics are fitted to the training data before the first step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nnspec.data import problems as d
from nnspec.diagnostics import Diagnostic
from nnspec.graph import Graph
from nnspec.graph.model import Node
from nnspec.layers.standardization import Normalization
from nnspec.training.plan import OutputPlan

__all__ = ["check_fitted_layers", "fitted_layers", "inverted_output"]


def fitted_layers(graph: Graph) -> Iterator[tuple[Node, Normalization]]:
    """The nodes whose statistics are fitted, in order; nodes that start from the weights of a file are not."""
    for node in graph.nodes.values():
        if isinstance(node.layer, Normalization) and node.layer.adapts and node.start is None:
            yield node, node.layer


def inverted_output(node: Node, graph: Graph, outputs: Mapping[str, OutputPlan]) -> str | None:
    """The output with numeric targets that a node returns, which define the inverse transform; None if it returns none."""
    for name, ref in graph.outputs.items():
        output = outputs.get(name)
        loss = output.loss if output is not None else None
        if ref.source == node.name and loss is not None and loss.target_kind() in ("number", "non_negative"):
            return name
    return None


def check_fitted_layers(graph: Graph, outputs: Mapping[str, OutputPlan], problems: list[Diagnostic]) -> None:
    """Reports layers with ``invert`` that have no targets to take statistics of."""
    for node, layer in fitted_layers(graph):
        if layer.invert and inverted_output(node, graph, outputs) is None:
            help = "set `mean` and `variance`, or use the layer at an output whose loss has numeric targets"
            problems.append(d.NoStatistics.at(node.span, node.path, help=help, name=node.name))
