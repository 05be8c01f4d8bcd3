"""What layers that take statistics of the training data take them of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nnspec.data import problems as d
from nnspec.diagnostics import Diagnostic
from nnspec.graph import Graph
from nnspec.graph.model import Node
from nnspec.layers.standardization import Normalization
from nnspec.training.plan import OutputPlan

__all__ = ["adapting", "check_adapting", "target_of"]


def adapting(graph: Graph) -> Iterator[tuple[Node, Normalization]]:
    """The nodes whose statistics are taken before the first step, in order; those that start from a file's weights are not."""
    for node in graph.nodes.values():
        if isinstance(node.layer, Normalization) and node.layer.adapts and node.start is None:
            yield node, node.layer


def target_of(node: Node, graph: Graph, outputs: Mapping[str, OutputPlan]) -> str | None:
    """The output of numbers that a node gives, whose targets therefore are what it goes back to; None where it gives none."""
    for name, ref in graph.outputs.items():
        output = outputs.get(name)
        loss = output.loss if output is not None else None
        if ref.source == node.name and loss is not None and loss.target_kind() in ("number", "non_negative"):
            return name
    return None


def check_adapting(graph: Graph, outputs: Mapping[str, OutputPlan], problems: list[Diagnostic]) -> None:
    """Says where a layer is to undo a change that nothing tells."""
    for node, layer in adapting(graph):
        if layer.invert and target_of(node, graph, outputs) is None:
            help = "give it `mean` and `variance`, or put it at an output that a loss compares with numbers"
            problems.append(d.NoStatistics.at(node.span, node.path, help=help, name=node.name))
