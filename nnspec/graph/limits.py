"""Networks that no machine could hold, refused before anything tries to make them."""

from __future__ import annotations

from collections.abc import Iterator

from nnspec.diagnostics import Diagnostic
from nnspec.graph.memory import alive_bytes, bytes_text
from nnspec.graph.model import Graph, Node
from nnspec.spec import Limits
from nnspec.spec.problems import LimitExceeded

__all__ = ["check_limits"]


def check_limits(graph: Graph, limits: Limits) -> Iterator[Diagnostic]:
    """A diagnostic at the layer with which the network's weights, or its tensors, go past their limit."""
    if not graph.nodes:  # nothing of it could be built
        return
    total = 0
    for _, weight, node in graph.weights():
        total += weight.size
        if total > limits.parameters:
            yield _over(graph, node, f"{total:,} parameters up to here", "parameters", limits.parameters)
            break
    for reached, size in alive_bytes(graph):
        if isinstance(size, int) and size > limits.activations:
            what = f"{bytes_text(size)} of activations for one example"
            yield _over(graph, reached, what, "activations", limits.activations)
            break


def _over(graph: Graph, node: Node | None, what: str, limit: str, most: int) -> Diagnostic:
    at = node or next(iter(graph.nodes.values()))
    what = what if node else f"{what} in the inputs alone"
    return LimitExceeded.at(at.span, at.path, what=what, limit=limit, most=most)
