"""Memory of activations: the output size of each layer, and the peak of live tensors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from nnspec.graph.model import Graph, Node, Ref
from nnspec.types import Condition, Dim, SizeTooComplex, TensorType, product, substitute

_MOST_CANDIDATES = 4
"""Maximum number of expressions in a symbolic peak; beyond it, no peak is reported."""


def tensor_bytes(type_: TensorType) -> int | Dim:
    """Return the bytes of a tensor for one example, including its mask at one byte per position.

    Example:
        >>> tensor_bytes(TensorType((28, 28, 6)))
        18816
    """
    own = product(type_.shape) * _bytes_of(type_.dtype)
    return own if type_.mask is None else own + product(type_.mask)


def _bytes_of(dtype: str) -> int:
    bits = "".join(character for character in dtype if character.isdigit())
    return int(bits) // 8 if bits else 1


def activation_bytes(node: Node) -> int | Dim:
    """Return the bytes of a node's outputs for one example."""
    total: int | Dim = 0
    for output in node.outputs.values():
        total = total + tensor_bytes(output)
    return total * node.times


def alive_bytes(graph: Graph) -> Iterator[tuple[Node | None, int | Dim]]:
    """Yield the bytes of live tensors for one example: for the inputs, then for each node in graph order."""
    last = _last_reads(graph)
    ends: dict[int, list[Ref]] = {}
    for ref, step in last.items():
        ends.setdefault(step, []).append(ref)
    alive: int | Dim = 0
    for type_ in graph.inputs.values():
        alive = alive + tensor_bytes(type_)
    yield None, alive
    for step, node in enumerate(graph.nodes.values()):
        if node.body is not None:
            for _, inside in alive_bytes(node.body):
                yield node, alive + (inside + activation_bytes(node))
        alive = alive + activation_bytes(node)
        yield node, alive
        for output, type_ in node.outputs.items():
            if Ref(node.name, output) not in last:
                alive = alive - tensor_bytes(type_) * node.times
        for ref in ends.get(step, ()):
            times = graph.nodes[ref.source].times if ref.source in graph.nodes else 1
            alive = alive - tensor_bytes(graph.type_of(ref)) * times


def peak_activation_bytes(graph: Graph) -> tuple[int | Dim, ...]:
    """Return the peak bytes of live tensors for one example, with nodes run in graph order.

    A tensor is live from the node that computes it (an input: from the start) to the last node that reads it; network outputs
    to the end. Nothing is computed in place. Weights and layers' temporary memory are not counted, except for one
    step of a cell.

    Returns:
        One number; if it depends on symbols, expressions whose maximum is the peak; empty if there are too many.
    """
    try:
        moments = [size for _, size in alive_bytes(graph)]
    except SizeTooComplex:
        return ()
    numbers = [moment for moment in moments if isinstance(moment, int)]
    if len(numbers) == len(moments):
        return (max(numbers),)
    candidates = _largest(moments, graph.conditions)
    return candidates if len(candidates) <= _MOST_CANDIDATES else ()


def bytes_text(size: int | Dim | str) -> str:
    """Format a number of bytes with a suitable unit; an expression is kept.

    Example:
        >>> bytes_text(340), bytes_text(18816), bytes_text(5 * 2**20), bytes_text("64*T")
        ('340 B', '18.4 KiB', '5.0 MiB', '64*T B')
    """
    if not isinstance(size, int):
        return f"{str(size).replace('?', 'n')} B"
    number = float(size)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if number < 1024 or unit == "GiB":
            break
        number /= 1024
    return f"{size} B" if unit == "B" else f"{number:,.1f} {unit}"


def _last_reads(graph: Graph) -> dict[Ref, int]:
    """Return the index of the last node that reads each tensor; past the end for network outputs."""
    last: dict[Ref, int] = {}
    for step, node in enumerate(graph.nodes.values()):
        for ref in node.inputs.values():
            last[ref] = step
    return last | dict.fromkeys(graph.outputs.values(), len(graph.nodes))


def _largest(sizes: Iterable[int | Dim], conditions: Mapping[str, Condition]) -> tuple[int | Dim, ...]:
    """Return the expressions that no other dominates for all values of the symbols."""
    # A symbol that must be a multiple of 8 is eight times another; its quotients then become plain products.
    scaled = {name: condition.whole(name) for name, condition in conditions.items()}
    kept: list[tuple[int | Dim, int | Dim]] = []
    for size in dict.fromkeys(sizes):
        exact = substitute(size, scaled)
        if not any(_never_exceeds(exact, other) for other, _ in kept):
            kept = [pair for pair in kept if not _never_exceeds(pair[0], exact)]
            kept.append((exact, size))
    return tuple(size for _, size in kept)


def _never_exceeds(a: int | Dim, b: int | Dim) -> bool:
    """Return whether a ≤ b for all sizes; also false if the coefficients do not show it."""
    difference = b - a
    if isinstance(difference, int):
        return difference >= 0
    constant = sum(factor for monomial, factor in difference.terms if not monomial)
    others = [factor for monomial, factor in difference.terms if monomial]
    # Each symbol is at least 1, so the coefficients of symbols can offset a negative constant.
    return min(others) >= 0 and (constant >= 0 or (_is_polynomial(difference) and sum(others) + constant >= 0))


def _is_polynomial(size: Dim) -> bool:
    return all(isinstance(atom, str) for monomial, _ in size.terms for atom in monomial)
