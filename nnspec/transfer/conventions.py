"""Layers that PyTorch computes in another way by default, so that the same weights give other outputs."""

from __future__ import annotations

import math
from collections.abc import Iterator

from nnspec.diagnostics import Diagnostic
from nnspec.graph import Graph, Node
from nnspec.graph import problems as g
from nnspec.graph.model import Start
from nnspec.types import Dim

_DEFAULTS = {
    "BatchNormalization": ("epsilon", "1e-5"),
    "LayerNormalization": ("epsilon", "1e-5"),
    "GroupNormalization": ("epsilon", "1e-5"),
    "LeakyReLU": ("negative_slope", "0.01"),
}
"""Arguments whose defaults differ, with the default of PyTorch."""


def other_conventions(graph: Graph, start: Start) -> Iterator[Diagnostic]:
    """Yield a warning for each kind of layer that PyTorch computes in another way by default; the first layer is named.

    Args:
        graph: The network.
        start: The declaration of the file.
    """
    seen: set[str] = set()
    for node in graph.every_node():
        if node.start != start:
            continue
        if node.op in _DEFAULTS and node.op not in seen:
            argument, theirs = _DEFAULTS[node.op]
            if argument not in node.layer.model_fields_set:
                seen.add(node.op)
                reason = f"whose default of `{argument}` is {theirs}, here {getattr(node.layer, argument)}"
                help = f"write `{argument}: {theirs}`, or the value that the network was trained with"
                yield g.OtherConvention.at(node.span, node.path, help=help, name=node.name, reason=reason)
        if "same" not in seen and _pads_one_side(node):
            seen.add("same")
            reason = "which pads strided layers equally on both sides; `same` pads more after the input here"
            help = f"write `padding: {_own_padding(node)}`, as `padding` in PyTorch, or pad in a `ZeroPadding2D`"
            yield g.OtherConvention.at(node.span, node.path, help=help, name=node.name, reason=reason)


def _sizes(node: Node) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """Return the sizes and strides of a window with `same` padding; None for other layers."""
    window = node.layer.receptive_field(node.input_types)
    if window is None or getattr(node.layer, "padding", None) != "same" or not hasattr(node.layer, "strides"):
        return None
    return tuple(map(int, window.size)), tuple(map(int, window.stride))


def _pads_one_side(node: Node) -> bool:
    found = _sizes(node)
    if found is None or max(found[1], default=1) == 1:
        return False
    shape = next(iter(node.input_types.values())).shape
    for length, size, stride in zip(shape, *found, strict=False):
        if isinstance(length, Dim):
            return True
        padding = max((math.ceil(length / stride) - 1) * stride + size - length, 0)
        if padding != 2 * ((size - 1) // 2) and size > 1:
            return True
    return False


def _own_padding(node: Node) -> int:
    found = _sizes(node)
    return (max(found[0]) - 1) // 2 if found is not None else 0
