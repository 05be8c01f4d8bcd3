"""A model as a Mermaid flowchart, which GitHub, GitLab and many editors render in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nnspec.drawing.facts import kind_of
from nnspec.drawing.svg import box_lines
from nnspec.drawing.tree import Box, Frame, boxes_of, tree_of, wires_of
from nnspec.graph.model import Graph, Model

_PLAIN = frozenset(" _-.,()/×·?+*")

_CLASSES = (
    "classDef trained fill:#ddeeff,stroke:#3b82c4,color:#1f2328",
    "classDef frozen fill:#ddeeff,stroke:#3b82c4,color:#1f2328,stroke-dasharray:4 3",
    "classDef merge fill:#fff1d6,stroke:#bf8700,color:#1f2328",
    "classDef plain fill:#f6f8fa,stroke:#8c959f,color:#1f2328",
    "classDef port fill:#dcf5e3,stroke:#2da44e,color:#1f2328",
)


def to_mermaid(model: Model) -> str:
    """Return the flowchart, for a Markdown code block of the language ``mermaid``.

    Args:
        model: Compiled spec.
    """
    lines = ["flowchart TD"]
    for number, (name, graph) in enumerate(model.networks.items()):
        title = model.name if name == "main" else f"{model.name}: {name}"
        lines += _subgraph(f"g{number}", title, _network(graph, f"g{number}"))
    return "\n".join([*lines, *(f"  {line}" for line in _CLASSES), ""])


def _subgraph(name: str, title: str, inside: Iterable[str]) -> list[str]:
    # Without its own direction, a subgraph is laid out horizontally.
    return [f"  subgraph {name}[{_quoted(title)}]", "    direction TB", *(f"  {line}" for line in inside), "  end"]


def _network(graph: Graph, prefix: str) -> Iterator[str]:
    root = tree_of(graph)
    ids = {box.id: f"{prefix}n{number}" for number, box in enumerate(boxes_of(root))}
    yield from _inside(root, graph, ids, prefix)
    for wire in wires_of(graph):
        label = f"|{_quoted(wire.output)}|" if wire.output != "output" else ""
        yield f"  {ids[wire.source]} -->{label} {ids[wire.target]}"


def _inside(frame: Frame, graph: Graph, ids: dict[str, str], prefix: str) -> Iterator[str]:
    for number, child in enumerate(frame.children.values()):
        if isinstance(child, Box):
            yield "  " + _box(child, graph, ids[child.id])
        else:
            name = f"{prefix}_{number}"
            yield from _subgraph(name, child.label, _inside(child, graph, ids, name))


def _box(box: Box, graph: Graph, name: str) -> str:
    op, shape, label, count = box_lines(box, graph)
    if box.node is None:
        return f"{name}([{_quoted(op, shape)}]):::port"
    details = f"{shape} · {count}" if count else shape
    return f"{name}[{_quoted(op, label, details)}]:::{kind_of(box.node)}"


def _quoted(*lines: str) -> str:
    """Join lines to a Mermaid string with markup characters escaped."""
    return '"' + "<br/>".join("".join(c if c.isalnum() or c in _PLAIN else f"#{ord(c)};" for c in line) for line in lines) + '"'
