"""Whether a position of an output depends on later positions of an input, and through which layer.

Along the first axis, each tensor has the furthest later position that one of its positions certainly depends on: windows and
shifts add up, attention without a causal mask and layers that run backwards depend on all. What a layer does that no window
describes is not known, and nothing is claimed of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf

from nnspec.graph.model import Graph, Node, Ref
from nnspec.layers.base import EVERYTHING
from nnspec.types import same_size

__all__ = ["layer_that_looks_ahead"]

_Steps = float | None
"""Positions; None where that is not known."""


def layer_that_looks_ahead(graph: Graph, input_: str, output: str) -> Node | None:
    """The first layer through which an output depends on later positions of an input; None where none certainly does.

    Args:
        graph: The network.
        input_: An input whose first axis is time.
        output: An output over the same time.
    """
    wanted = graph.outputs[output]
    ahead: dict[Ref, _Steps] = {Ref(input_): 0}
    first: dict[Ref, Node] = {}
    for node in graph.giving({output: wanted}).nodes.values():
        read = [ref for ref in node.inputs.values() if ref in ahead]
        if not read:
            continue
        steps, outputs = _through(node, ahead)
        before = next((first[ref] for ref in read if ref in first), None)
        for name in node.outputs:
            ref = Ref(node.name, name)
            ahead[ref] = found = steps if outputs is None or name in outputs else None
            if found is not None and found > 0:
                first[ref] = before or node
    found = ahead.get(wanted)
    return first.get(wanted) if found is not None and found > 0 else None


def _through(node: Node, ahead: dict[Ref, _Steps]) -> tuple[_Steps, tuple[str, ...] | None]:
    """How far ahead a layer's outputs look, and which of them run along the time; None for all."""
    known = {port: steps for port, ref in node.inputs.items() if (steps := ahead.get(ref)) is not None}
    if not known or node.layer.ports.counts_examples:
        return None, None
    along = node.layer.along_time(node.input_types, node.inputs, set(known))
    masked = "attention_mask" in node.inputs  # which may be causal
    if along.sees_ahead:
        return (None if masked else inf), along.outputs
    furthest = max(known.values())
    window = node.layer.receptive_field(node.input_types)
    if window is None or along.keeps or along.states:
        return (furthest if _keeps_time(node, known) else None), along.outputs
    if window == EVERYTHING or window.stride[0] != 1 or (start := window.start[0]) is None:
        return None, None
    return furthest + float(start + window.size[0] - 1), along.outputs


def _keeps_time(node: Node, ports: Iterable[str]) -> bool:
    """Whether the output is as long as what is read: else a part was cut, or joined to another."""
    shapes = [node.output.shape, *(node.input_types[port].shape for port in ports)]
    return all(shape and same_size(shape[0], shapes[0][0]) is True for shape in shapes)
