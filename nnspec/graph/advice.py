"""What is legal and probably not meant, seen from the finished graph."""

from __future__ import annotations

from collections.abc import Iterator

from nnspec.diagnostics import Diagnostic, Note
from nnspec.graph import problems as g
from nnspec.graph.model import Graph, Node
from nnspec.types import Dim

__all__ = ["advise"]


def advise(graph: Graph) -> Iterator[Diagnostic]:
    """Warnings about a graph, each at the step it concerns."""
    readers: dict[str, list[Node]] = {name: [] for name in graph.nodes}
    for node in graph.nodes.values():
        for ref in node.inputs.values():
            if ref.source in readers:
                readers[ref.source].append(node)
    outputs = {ref.source for ref in graph.outputs.values()}
    for node in graph.nodes.values():
        yield from _needless_bias(graph, node, readers, outputs)
        yield from _random_output(node, outputs)
        yield from _unmasked_padding(graph, node)
        yield from _dropped_mask(node, readers)


def _before(graph: Graph, node: Node) -> Node | None:
    """The node that a node with one input reads."""
    refs = list(node.inputs.values())
    return graph.nodes.get(refs[0].source) if len(refs) == 1 else None


def _needless_bias(graph: Graph, node: Node, readers: dict[str, list[Node]], outputs: set[str]) -> Iterator[Diagnostic]:
    before = _before(graph, node) if node.layer.subtracts_mean else None
    if before is None or len(readers[before.name]) > 1 or before.name in outputs:
        return
    activation = getattr(before.layer, "activation", None)
    if getattr(before.layer, "use_bias", False) and activation in (None, "linear"):
        help = f"write `use_bias: false` in `{before.op}`"
        note = Note(f"`{node.op}` takes it away here", node.span)
        yield g.NeedlessBias.at(before.span, before.path, help=help, notes=[note], name=before.name, by=node.name)


def _random_output(node: Node, outputs: set[str]) -> Iterator[Diagnostic]:
    if node.layer.is_random and node.name in outputs:
        help = "put it before the layer that makes the output"
        yield g.RandomOutput.at(node.span, node.path, help=help, name=node.name)


def _unmasked_padding(graph: Graph, node: Node) -> Iterator[Diagnostic]:
    if not (node.layer.uses_mask and node.layer.mixes_steps):
        return
    type_ = next(iter(node.input_types.values()))
    if type_.mask is not None or not type_.shape or not isinstance(type_.shape[0], Dim):
        return
    before = graph.nodes.get(next(iter(node.inputs.values())).source)
    while before is not None and not before.layer.could_mask:
        before = _before(graph, before) if before.layer.passes_mask else None
    if before is not None:
        help = f"write `mask_zero: true` in `{before.op}`, or give `{next(iter(graph.inputs))}` a fixed length"
        note = Note("the mask would come from here", before.span)
        yield g.UnmaskedPadding.at(node.span, node.path, help=help, notes=[note], name=node.name)


def _dropped_mask(node: Node, readers: dict[str, list[Node]]) -> Iterator[Diagnostic]:
    """A mask that comes in, does not go out, and that a layer further down would have used."""
    masked = any(type_.mask is not None for type_ in node.input_types.values())
    if not masked or node.layer.uses_mask or any(type_.mask is not None for type_ in node.outputs.values()):
        return
    seen = {node.name}
    queue = list(readers[node.name])
    while queue:
        reader = queue.pop(0)
        if reader.name in seen:
            continue
        seen.add(reader.name)
        if reader.layer.uses_mask:
            note = Note(f"`{reader.name}` would leave padding out here", reader.span)
            help = f"put it after `{reader.op}`, or leave out the mask where padding is meant to count"
            yield g.DroppedMask.at(node.span, node.path, help=help, notes=[note], name=node.name, reader=reader.name)
            return
        queue.extend(readers[reader.name])
