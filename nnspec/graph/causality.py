"""Causality check: whether an output depends on later positions of an input, and through which layer.

For each tensor, the check computes the furthest later position on which one of its positions certainly depends. Windows and
shifts add up; attention without a causal mask and backward recurrent layers depend on all positions. Layers that no window
describes are unknown and never reported.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf

from nnspec.graph.model import Graph, Node, Ref
from nnspec.layers.base import EVERYTHING
from nnspec.types import same_size

_Steps = float | None
"""Number of positions; None if unknown."""


def first_noncausal_layer(graph: Graph, input_: str, output: str) -> Node | None:
    """Return the first layer through which an output depends on later positions of an input; None if none certainly does.

    Args:
        graph: Network to check.
        input_: Name of an input whose first axis is time.
        output: Name of an output with the same time axis.
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
    """Return the lookahead of a layer's outputs and the outputs along the time axis, None for all."""
    known = {port: steps for port, ref in node.inputs.items() if (steps := ahead.get(ref)) is not None}
    if not known or node.layer.ports.counts_examples:
        return None, None
    along = node.layer.time_dependence(node.input_types, node.inputs, set(known))
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
    """Return whether the output has the same length as the inputs, so that nothing was cropped or concatenated."""
    shapes = [node.output.shape, *(node.input_types[port].shape for port in ports)]
    return all(shape and same_size(shape[0], shapes[0][0]) is True for shape in shapes)
