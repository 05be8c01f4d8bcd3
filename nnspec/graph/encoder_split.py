"""Split of a network at its bottleneck: the narrowest tensor through which all paths from input to output pass."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod

from nnspec.graph.model import Graph, Node, Ref


@dataclass(frozen=True)
class EncoderSplit:
    """A network split at one tensor, as an autoencoder into encoder and decoder.

    Attributes:
        code: The bottleneck tensor.
        before: Network from the input to the tensor, which is its only output.
        after: Network from the tensor, its only input, to the output, which keeps its name.
        node: Node that computes the tensor.
    """

    code: Ref
    before: Graph
    after: Graph
    node: Node


def split_encoder(graph: Graph, input_: str, output: str) -> EncoderSplit | None:
    """Split the network at its bottleneck; returns None if no tensor on the path is narrower than the input.

    Time is linear in the number of layers. Of equally narrow tensors, the last is used: after the activation, and after the
    sampling of a variational autoencoder.

    Args:
        graph: Network to split.
        input_: Input at the start of the path.
        output: Output at its end.
    """
    part = graph.giving({output: graph.outputs[output]})
    widest = _width(part, Ref(input_))
    found = [(width, ref) for ref in _passed_by_all(part, input_, output) if (width := _width(part, ref)) is not None]
    if not found or widest is None:
        return None
    narrowest = min(width for width, _ in found)
    if narrowest >= widest:
        return None
    code = [ref for width, ref in found if width == narrowest][-1]
    return EncoderSplit(code, graph.giving({"code": code}), _after(part, code), graph.nodes[code.source])


def _passed_by_all(part: Graph, input_: str, output: str) -> Iterator[Ref]:
    """Yield, in order, the tensors through which all paths from input to output pass, excluding both ends."""
    order = {name: place for place, name in enumerate((*part.inputs, *part.nodes))}
    last: dict[str, int] = {}
    used: dict[str, set[Ref]] = {}
    for node in part.nodes.values():
        for ref in node.inputs.values():
            last[ref.source] = order[node.name]
            used.setdefault(ref.source, set()).add(ref)
    # An input that nothing on the path reads is a dead end.
    reach = max((last.get(name, -1) for name in part.inputs), default=-1)
    end = part.outputs[output].source
    for name in part.nodes:
        if reach <= order[name] and name != end and len(used.get(name, ())) == 1:
            yield next(iter(used[name]))
        reach = max(reach, last.get(name, -1))


def _width(graph: Graph, ref: Ref) -> int | None:
    shape = graph.type_of(ref).shape
    sizes = [size for size in shape if isinstance(size, int)]
    return prod(sizes) if len(sizes) == len(shape) else None


def _after(part: Graph, code: Ref) -> Graph:
    name = "code"
    while name in part.nodes:
        name += "_"
    nodes = {
        own: replace(node, inputs={port: Ref(name) if ref == code else ref for port, ref in node.inputs.items()})
        for own, node in part.nodes.items()
    }
    return replace(part, inputs={name: part.type_of(code)}, nodes=nodes).giving(part.outputs)
