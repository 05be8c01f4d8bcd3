"""What is drawn: a network's layers as boxes, its blocks and networks as frames around them, its tensors as wires."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from nnspec.graph.model import Graph, Node

__all__ = ["Box", "Frame", "Wire", "boxes_of", "frames_of", "tree_of", "wires_of"]


@dataclass(frozen=True, eq=False)
class Box:
    """A layer, an input or an output.

    Attributes:
        id: The layer's name; ``input NAME`` or ``output NAME``, which no layer can be called.
        label: What it is called in the frame around it.
        kind: What it stands for.
        node: The layer.
    """

    id: str
    label: str
    kind: Literal["layer", "input", "output"] = "layer"
    node: Node | None = None


@dataclass(frozen=True, eq=False)
class Frame:
    """A block, a repeated step, a use of a network; the outermost is the network itself.

    Attributes:
        id: The path that the names of its layers begin with; empty for the network.
        label: What it is called in the frame around it.
        children: What it holds, by the next part of the name, in the order of the graph.
    """

    id: str
    label: str
    children: dict[str, Box | Frame] = field(default_factory=dict)


@dataclass(frozen=True)
class Wire:
    """One edge of the graph: a tensor and one who reads it."""

    source: str
    output: str
    target: str
    port: str


def tree_of(graph: Graph) -> Frame:
    """The frames and boxes of a network. A frame around a single thing is drawn as that thing alone, under both names."""
    root = Frame("", graph.name)
    for name in graph.inputs:
        root.children[f"input {name}"] = Box(f"input {name}", name, "input")
    for name, node in graph.nodes.items():
        frame = root
        *around, last = name.split("/")
        for depth, part in enumerate(around, 1):
            inner = frame.children.get(part)
            if not isinstance(inner, Frame):
                # A layer may be called as a frame is; a space keeps them apart.
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
    """Every box, those in inner frames too."""
    for child in frame.children.values():
        if isinstance(child, Box):
            yield child
        else:
            yield from boxes_of(child)


def frames_of(frame: Frame) -> Iterator[Frame]:
    """The frame and every frame inside it."""
    yield frame
    for child in frame.children.values():
        if isinstance(child, Frame):
            yield from frames_of(child)


def wires_of(graph: Graph) -> list[Wire]:
    """Every edge, in the order of those who read."""

    def source(name: str) -> str:
        return f"input {name}" if name in graph.inputs else name

    wires = [
        Wire(source(ref.source), ref.output, name, port)
        for name, node in graph.nodes.items()
        for port, ref in node.inputs.items()
    ]
    return wires + [Wire(source(ref.source), ref.output, f"output {name}", name) for name, ref in graph.outputs.items()]
