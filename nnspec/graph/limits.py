"""Rejection of networks that are too large, before anything is allocated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from nnspec.diagnostics import Diagnostic
from nnspec.graph.memory import alive_bytes, bytes_text
from nnspec.graph.model import Graph, Node
from nnspec.graph.order import callees
from nnspec.graph.problems import TooLarge
from nnspec.layers.base import Outputs
from nnspec.spec import Limits, Network, Step
from nnspec.spec.expand import DEEPEST_STEPS
from nnspec.spec.problems import LimitExceeded, TooDeep
from nnspec.spec.step import Nested, NetworkUse, inner_steps
from nnspec.types import Dim, SizeTooComplex, product, substitute, symbols_of

if TYPE_CHECKING:
    from nnspec.layers.compute import Compute

_LARGEST_AXIS, _MOST_AXES = 2**63, 32


def refuses(outputs: Outputs) -> str | None:
    """Return why a layer's outputs are too large; None if they are not."""
    for type_ in outputs.values():
        if type_.rank > _MOST_AXES:
            return f"a tensor has {type_.rank:,} axes; the limit is {_MOST_AXES}"
        if any(isinstance(size, int) and size > _LARGEST_AXIS for size in type_.shape):
            return "an axis exceeds the limit of 2**63 positions"
    return None


def check_uses(networks: Mapping[str, Network], order: Sequence[str], limits: Limits) -> Iterator[Diagnostic]:
    """Yield a diagnostic if networks that use one another exceed the limits on layers or depth.

    Each use counts all layers of the network, so a chain of networks that each use the previous one twice doubles.

    Args:
        networks: Networks by name.
        order: Their names, each after those it uses.
        limits: Resource limits.
    """
    layers: dict[str, int] = {}
    depths: dict[str, int] = {}
    for name in order:
        network = networks[name]
        layers[name], depths[name] = _extent(network.steps, layers, depths)
        if sum(layers.values()) > limits.layers:
            what = f"{layers[name]:,} layers, including those of the networks that it uses"
            yield LimitExceeded.at(network.span, f"networks.{name}", what=what, limit="layers", most=limits.layers)
            return
        if depths[name] > DEEPEST_STEPS:
            used = next(step for step in callees(network.steps).values())
            yield TooDeep.at(used.span, used.path, most=DEEPEST_STEPS)
            return


def _extent(steps: Sequence[Step], layers: Mapping[str, int], depths: Mapping[str, int]) -> tuple[int, int]:
    """Return the number of layers in a list and its nesting depth."""
    count, deepest = 0, 0
    stack = [(step, 1) for step in steps]
    while stack:
        step, depth = stack.pop()
        deepest = max(deepest, depth)
        stack.extend((inner, depth + 1) for inner in inner_steps(step.content))
        if isinstance(step.content, NetworkUse):
            count += layers.get(step.content.network, 0)
            deepest = max(deepest, depth + depths.get(step.content.network, 0))
        elif not isinstance(step.content, Nested):
            count += 1
    return count, deepest


def check_limits(graph: Graph, limits: Limits) -> Iterator[Diagnostic]:
    """Yield a diagnostic at the layer at which the weights or the activations exceed their limit."""
    if not graph.nodes:  # nothing was built
        return
    total = 0
    for _, weight, node in graph.weights():
        total += weight.size
        if total > limits.parameters:
            yield _over(graph, node, f"{total:,} parameters up to here", "parameters", limits.parameters)
            break
    smallest = {name: condition.next_fit(1) for name, condition in graph.conditions.items()}
    for name, least in smallest.items():
        if least > limits.size:
            what = f"the smallest valid `{name}` is {least:,}: it must be {graph.conditions[name]}"
            yield _over(graph, next(iter(graph.nodes.values())), what, "size", limits.size)
    try:
        yield from _too_many_bytes(graph, limits, smallest)
    except SizeTooComplex as error:
        node = next(iter(graph.nodes.values()))
        yield TooLarge.at(node.span, node.path, op=graph.name, reason=f"cannot compute the memory of its tensors: {error}")


def _too_many_bytes(graph: Graph, limits: Limits, smallest: Mapping[str, int]) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each kind of tensor that needs too much memory, at the smallest valid sizes."""

    def least(size: int | Dim) -> int:
        count = substitute(size, {name: smallest.get(name, 1) for name in symbols_of(size)})
        assert isinstance(count, int)
        return count

    for reached, size in alive_bytes(graph):
        if least(size) > limits.activations:
            at = "" if isinstance(size, int) else ", at the smallest valid sizes"
            what = f"{bytes_text(least(size))} of activations for one example{at}"
            yield _over(graph, reached, what, "activations", limits.activations)
            break
    constants = 0
    for node, layer in _expressions(graph):
        typed = layer.typed(node.input_types)
        largest = max(least(product(shape) * width) for shape, width in typed.sizes())
        constants += least(typed.constant_bytes())
        if largest > limits.activations:
            what = f"{bytes_text(largest)} for one value inside an expression"
            yield _over(graph, node, what, "activations", limits.activations)
            break
        if constants > limits.constants:
            what = f"{bytes_text(constants)} of constants in expressions up to here"
            yield _over(graph, node, what, "constants", limits.constants)
            break


def _expressions(graph: Graph) -> Iterator[tuple[Node, Compute]]:
    """Yield the `Compute` steps, cells included."""
    for node in graph.every_node():
        if node.layer.expressions:
            from nnspec.layers.compute import Compute

            if isinstance(node.layer, Compute):
                yield node, node.layer


def _over(graph: Graph, node: Node | None, what: str, limit: str, most: int) -> Diagnostic:
    at = node or next(iter(graph.nodes.values()))
    what = what if node else f"{what} (inputs only)"
    return LimitExceeded.at(at.span, at.path, what=what, limit=limit, most=most)
