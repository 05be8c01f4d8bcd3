"""Contents of a drawing: layers as boxes, blocks and networks as frames, tensors as wires."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from nnspec.graph.model import Graph, Node, Ref

Tensor = tuple[str, str]
"""The box that computes a tensor, and its output."""


@dataclass(frozen=True, eq=False)
class Box:
    """A layer, an input or an output.

    Attributes:
        id: Name of the layer; ``input NAME`` or ``output NAME``, which cannot be layer names.
        label: Name in the enclosing frame.
        kind: Kind of the box.
        node: The layer.
    """

    id: str
    label: str
    kind: Literal["layer", "input", "output"] = "layer"
    node: Node | None = None


@dataclass(frozen=True, eq=False)
class Frame:
    """A block, a repeated step or a use of a network; the outermost frame is the network itself.

    Attributes:
        id: Common path of its layers; empty for the network.
        label: Name in the enclosing frame.
        children: Its boxes and frames by the next part of the name, in graph order.
    """

    id: str
    label: str
    children: dict[str, Box | Frame] = field(default_factory=dict)


@dataclass(frozen=True)
class Wire:
    """An edge of the graph: a tensor and one of its readers."""

    source: str
    output: str
    target: str
    port: str


def tree_of(graph: Graph) -> Frame:
    """Return the frames and boxes of a network. A frame with a single child is replaced by that child, under both names."""
    root = Frame("", graph.name)
    for name in graph.inputs:
        root.children[f"input {name}"] = Box(f"input {name}", name, "input")
    for node, _ in _with_bodies(graph):
        name, frame = node.name, root
        *around, last = name.split("/")
        for depth, part in enumerate(around, 1):
            inner = frame.children.get(part)
            if not isinstance(inner, Frame):
                # A layer may have the same name as a frame; a space distinguishes them.
                part = part if inner is None else f"{part} "
                inner = frame.children.setdefault(part, Frame("/".join(around[:depth]), part))
                assert isinstance(inner, Frame)
            frame = inner
        key = last if last not in frame.children else f"{last} "
        frame.children[key] = Box(name, last, "layer", node)
    for name in graph.outputs:
        root.children[f"output {name}"] = Box(f"output {name}", name, "output")
    children = {key: _merged(child) for key, child in root.children.items()}
    return Frame("", graph.name, children)


def _with_bodies(graph: Graph) -> Iterator[tuple[Node, Mapping[str, Ref]]]:
    """Yield every node and what it reads; the nodes of a body read what feeds its node, which reads the outputs of the body."""
    for node in graph.nodes.values():
        yield from _with_body(node, node.inputs)


def _with_body(node: Node, inputs: Mapping[str, Ref]) -> Iterator[tuple[Node, Mapping[str, Ref]]]:
    body, ends = node.body, inputs
    if body is not None:
        for inner in body.nodes.values():
            # A state that starts from zeros is not drawn.
            read = {port: inputs.get(ref.source, ref) for port, ref in inner.inputs.items()}
            known = {port: ref for port, ref in read.items() if ref.source in body.nodes or ref in inputs.values()}
            yield from _with_body(inner, known)
        ends = {
            name: ref for ref, name in {ref: name for name, ref in body.outputs.items()}.items() if ref.source in body.nodes
        }
    yield node, ends or inputs


def _merged(item: Box | Frame) -> Box | Frame:
    if isinstance(item, Box):
        return item
    children = {key: _merged(child) for key, child in item.children.items()}
    if len(children) > 1:
        return Frame(item.id, item.label, children)
    [only] = children.values()
    label = f"{item.label}/{only.label}"
    return Frame(only.id, label, only.children) if isinstance(only, Frame) else Box(only.id, label, only.kind, only.node)


def boxes_of(frame: Frame) -> Iterator[Box]:
    """Yield every box, including those in nested frames."""
    for child in frame.children.values():
        if isinstance(child, Box):
            yield child
        else:
            yield from boxes_of(child)


def frames_of(frame: Frame) -> Iterator[Frame]:
    """Yield the frame and every nested frame."""
    yield frame
    for child in frame.children.values():
        if isinstance(child, Frame):
            yield from frames_of(child)


def wires_of(graph: Graph) -> list[Wire]:
    """Return every edge, in the order of the readers."""

    def source(name: str) -> str:
        return f"input {name}" if name in graph.inputs else name

    wires = [
        Wire(source(ref.source), ref.output, node.name, port)
        for node, inputs in _with_bodies(graph)
        for port, ref in inputs.items()
    ]
    return wires + [Wire(source(ref.source), ref.output, f"output {name}", name) for name, ref in graph.outputs.items()]
