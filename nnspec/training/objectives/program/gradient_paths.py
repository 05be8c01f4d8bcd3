"""Which weights a gradient reaches, decided on the typed graph."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nnspec.functions.terms import FLOAT, Application, Input, Term
from nnspec.graph.model import Node, Ref
from nnspec.layers.compute import Compute
from nnspec.layers.recurrence import Recurrent
from nnspec.training.objectives.program.builder import ProgramGraph
from nnspec.training.objectives.program.compute import GRADIENT

__all__ = ["gradients_of_nothing", "reached_nodes", "recurrence_between"]


def reached_nodes(typed: ProgramGraph, start: Ref) -> Iterator[Node]:
    """Yield the nodes whose weights a gradient of a tensor reaches.

    Args:
        typed: The program.
        start: The tensor.
    """
    names = dict.fromkeys(ref.source for ref in _reached(typed, [start]))
    yield from (typed.graph.nodes[name] for name in names if name in typed.graph.nodes)


def _reached(typed: ProgramGraph, starts: Iterable[Ref]) -> Iterator[Ref]:
    """Yield the tensors that a gradient of some tensors reaches, themselves among them."""
    seen: set[Ref] = set()
    rest = list(starts)
    while rest:
        ref = rest.pop()
        if ref in seen:
            continue
        seen.add(ref)
        node = typed.graph.nodes.get(ref.source)
        if node is None:
            yield ref
        elif node.outputs[ref.output].dtype.startswith("float"):
            yield ref
            rest += [node.inputs[port] for port in _differentiable_ports(node, ref.output)]


def _differentiable_ports(node: Node, output: str) -> Iterator[str]:
    """Yield the ports through which a gradient of an output passes."""
    expressions = node.layer if isinstance(node.layer, Compute) else None
    read = set(node.inputs) if expressions is None else _read(expressions.typed(node.input_types).results[output])
    for port in node.inputs:
        if port in read and node.input_types[port].dtype.startswith("float") and node.layer.passes_gradient(port):
            yield port


def _read(result: Term) -> set[str]:
    """The tensors that an expression depends on differentiably."""
    found: set[str] = set()
    seen: set[int] = set()
    rest = [result]
    while rest:
        term = rest.pop()
        if id(term) in seen or term.dtype != FLOAT:
            continue
        seen.add(id(term))
        if isinstance(term.origin, Input):
            found.add(term.origin.name)
        elif isinstance(term.origin, Application) and term.origin.function.has_gradient:
            rest += term.origin.operands
    return found


def recurrence_between(typed: ProgramGraph) -> Iterator[tuple[str, str, Node]]:
    """Yield, for each gradient whose path passes a recurrence: the names of its tensors, and the recurrence.

    Args:
        typed: The program.
    """
    for node, y, x in _gradients(typed):
        after = _dependents(typed, node.inputs[x])
        for name in y.axes:
            for above in _above(typed, node.inputs[name]):
                loop = above.name in after and (above.body is not None or isinstance(above.layer, Recurrent))
                if loop:
                    yield name, x, above
                    break


def gradients_of_nothing(typed: ProgramGraph) -> Iterator[tuple[str, str, Node]]:
    """Yield, for each gradient that is always 0: the names of the tensors that `y` reads, that of `x`, and the step.

    Args:
        typed: The program.
    """
    for node, y, x in _gradients(typed):
        read = _read(y)
        if x not in read and node.inputs[x] not in _reached(typed, [node.inputs[name] for name in read]):
            yield ", ".join(f"`{name}`" for name in y.axes) or "a constant", x, node


def _gradients(typed: ProgramGraph) -> Iterator[tuple[Node, Term, str]]:
    """Yield the calls of `gradient`: the step, what is differentiated, and the name of the tensor with respect to which."""
    for node in typed.graph.nodes.values():
        if not isinstance(node.layer, Compute):
            continue
        for application in node.layer.typed(node.input_types).applications:
            if application.function is GRADIENT:
                y, x = application.operands
                assert isinstance(x.origin, Input)
                yield node, y, x.origin.name


def _above(typed: ProgramGraph, ref: Ref) -> Iterator[Node]:
    seen: set[str] = set()
    rest = [ref.source]
    while rest:
        node = typed.graph.nodes.get(rest.pop())
        if node is None or node.name in seen:
            continue
        seen.add(node.name)
        yield node
        rest += [each.source for each in node.inputs.values()]


def _dependents(typed: ProgramGraph, ref: Ref) -> set[str]:
    """The nodes that depend on a tensor."""
    found: set[str] = set()
    for node in typed.graph.nodes.values():
        if any(each == ref or each.source in found for each in node.inputs.values()):
            found.add(node.name)
    return found
