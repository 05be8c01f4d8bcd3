"""Constraints of a graph's layers on its free sizes, solved to bound sizes, conditions and simpler shapes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from nnspec.diagnostics import Diagnostic, Note, Span
from nnspec.graph import problems as g
from nnspec.graph.model import Graph, Node, changed, every_node
from nnspec.types import Condition, Conditions, Dim, TensorType, simplify, substitute, symbol, symbols_of
from nnspec.types.constraints import Constraint, Solution, conflict, solve


@dataclass(frozen=True)
class Request:
    """A constraint and the step that requires it.

    Attributes:
        constraint: Constraint on sizes.
        span: Location of the step.
        path: Path of the step in the document.
        op: Name of the step's operation.
        inputs: Number of inputs.
        message: What to report if it cannot be met, as a ``check`` states it.
    """

    constraint: Constraint
    span: Span
    path: str
    op: str
    inputs: int = 2
    message: str = ""


def asked_by(nodes: Iterable[Node]) -> Iterator[Request]:
    """Yield the layers' constraints on symbolic sizes: two sizes are equal, or a size is at least 1."""
    for node in every_node(nodes):
        for left, right in node.layer.agreeing_sizes(node.input_types):
            if isinstance(right - left, Dim):
                yield Request(Constraint(left, right), node.span, node.path, node.op, len(node.inputs))
        sizes = [size for type_ in node.outputs.values() for size in type_.shape]
        for size in (*sizes, *node.layer.room(node.input_types)):
            if isinstance(size, Dim):
                yield Request(Constraint(size, 1, equal=False), node.span, node.path, node.op)


def free_symbols(inputs: Mapping[str, TensorType]) -> list[str]:
    """Return the symbols of inputs, in order of declaration."""
    return list(dict.fromkeys(n for t in inputs.values() for size in t.shape for n in sorted(symbols_of(size))))


def bound_sizes(solution: Solution, inputs: Mapping[str, TensorType]) -> dict[str, int | Dim]:
    """Return the replacements of symbols: solved sizes, and names of unnamed sizes that have a condition.

    Example:
        >>> from nnspec.types import Condition, unknown
        >>> size = unknown()
        >>> even = Solution({}, {str(size): Condition(multiple_of=2)}, ())
        >>> [str(named) for named in bound_sizes(even, {"signal": TensorType((size, 4))}).values()]
        ['signal_axis1']
    """
    concerned = {*solution.conditions, *(name for relation in solution.relations for name in relation.symbols)}
    concerned |= {str(size) for size in solution.sizes.values() if isinstance(size, Dim)}  # several axes have the same size
    bound = dict(solution.sizes)
    for size, name in _axis_names(inputs):
        if str(size) in concerned:
            bound.setdefault(str(size), symbol(name))
    return bound


def origins(bound: Iterable[str], requests: Sequence[Request]) -> dict[str, Request]:
    """Return, for each bound symbol, the first equality request that contains it."""
    found: dict[str, Request] = {}
    for request in requests:
        for name in _symbols(request.constraint) if request.constraint.equal else ():
            if name in bound:
                found.setdefault(name, request)
    return found


def only_one(bound: Mapping[str, int | Dim], origin: Mapping[str, Request]) -> Iterator[Diagnostic]:
    """Yield a warning for each symbol that can only be 1: two sizes that must be equal are equal only for 1."""
    for name, size in bound.items():
        if size == 1 and name in origin:
            at = origin[name]
            help = "make both sizes equal with the same strides and `padding: same`, or declare the size as 1"
            yield g.OnlyOneSize.at(at.span, at.path, help=help, name=name, reason=_text(at.constraint, {}))


def contradiction(requests: Sequence[Request], inputs: Mapping[str, TensorType]) -> Diagnostic:
    """Return the diagnostic of contradictory constraints, at the first step that cannot be satisfied."""
    last, others = conflict([request.constraint for request in requests], free_symbols(inputs))
    named = {str(size): symbol(name) for size, name in _axis_names(inputs)}
    at = requests[last]
    notes = [
        Note(f"`{other.op}` requires this: {_text(other.constraint, named)}", other.span)
        for other in map(requests.__getitem__, others)
    ]
    symbols = {str(named.get(name, name)) for i in (*others, last) for name in _symbols(requests[i].constraint)}
    free = " and ".join(f"`{name}`" for name in sorted(symbols))
    reason = f"no size of {free} is valid: {_text(at.constraint, named)}" + (
        ", in conflict with the notes below" if notes else ""
    )
    help = "make both sizes equal, for example with the same strides and `padding: same`, cropping or padding"
    if at.op == "check":
        help = at.message or "change the check, or the layers"
    elif not at.constraint.equal:
        help = "use smaller kernels, strides or crops before it, or `padding: same`"
    elif at.inputs == 1:
        help = "change its target sizes, or declare the free size as a number that is valid for all layers"
    return g.NoSizeFits.at(at.span, at.path, help=help, notes=notes[:6], reason=reason)


def _axis_names(inputs: Mapping[str, TensorType]) -> Iterator[tuple[Dim, str]]:
    """Yield each unnamed size with the name used for it in conditions."""
    for name, type_ in inputs.items():
        for axis, size in enumerate(type_.shape, 1):
            if isinstance(size, Dim) and not size.is_known:
                yield size, f"{name}_axis{axis}"


def _text(constraint: Constraint, named: Mapping[str, Dim]) -> str:
    verb = "must equal" if constraint.equal else "must be at least"
    return f"`{substitute(constraint.left, named)}` {verb} `{substitute(constraint.right, named)}`"


def _symbols(constraint: Constraint) -> set[str]:
    return symbols_of(constraint.left) | symbols_of(constraint.right)


def with_solution(graph: Graph, solution: Solution) -> Graph:
    """Return the graph with its conditions, relations and simplified shapes: ``8*(H//8)`` is ``H`` if 8 divides it."""
    conditions = {name: found for name, found in solution.conditions.items() if not name.startswith("?")}
    known = {name: condition for name, condition in conditions.items() if condition.period[0] > 1}
    if known:
        graph = replace(graph, nodes=changed(graph.nodes, partial(_simplified, known=known)))
    return replace(graph, conditions=Conditions(conditions, solution.relations))


def solved(requests: Sequence[Request], names: Sequence[str]) -> Solution | None:
    """Return the sizes that satisfy all requests; None if there are none."""
    return solve([request.constraint for request in requests], names)


def _simplified(node: Node, known: Mapping[str, Condition]) -> Node:
    inputs = {port: _simpler(type_, known) for port, type_ in node.input_types.items()}
    outputs = {output: _simpler(type_, known) for output, type_ in node.outputs.items()}
    return replace(node, input_types=inputs, outputs=outputs)


def _simpler(type_: TensorType, known: Mapping[str, Condition]) -> TensorType:
    if not any(symbols_of(size) & known.keys() for size in type_.shape):
        return type_
    mask = None if type_.mask is None else tuple(simplify(size, known) for size in type_.mask)
    return replace(type_, shape=tuple(simplify(size, known) for size in type_.shape), mask=mask)
