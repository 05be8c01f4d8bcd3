"""A model as a self-contained, interactive HTML page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from nnspec.diagnostics import Span
from nnspec.drawing.facts import arguments_of, count_text, kind_of, memory_text, owner_of, shape_text, weights_of
from nnspec.drawing.folding import resolutions_of
from nnspec.drawing.layout import Layout, Run, lay_out
from nnspec.drawing.measure import BOX_HEIGHT, STRAIGHT, shortened, text_width
from nnspec.drawing.svg import box_lines, box_width, peak_text
from nnspec.drawing.tree import Box, Wire, boxes_of, tree_of, wires_of
from nnspec.graph.describe import stated_sizes
from nnspec.graph.memory import activation_bytes
from nnspec.graph.model import Graph, Model, Node
from nnspec.graph.receptive_field import ReceptiveField, receptive_fields
from nnspec.html_page import html_page
from nnspec.printable import json_text, printable

_AROUND = 2
"""Lines of the spec shown before and after the layer's line."""
_LONGEST_LINE = 160
_LONGEST_SUM = 120


def to_html(model: Model) -> str:
    """Return a page that shows the graph, with collapsible blocks, search, and details of each layer.

    It makes no requests. Names and values of a spec are embedded as JSON and set as text, so they cannot become markup. The
    URL accepts ``#layer=NAME``, ``#network=NAME``, ``#search=WORD``, ``#show=all`` and ``#show=none``.

    Args:
        model: Compiled spec.
    """
    sources: dict[str, Sequence[str]] = {}
    data = {
        "name": model.name,
        "sizes": {"box": BOX_HEIGHT, "straight": STRAIGHT},
        "networks": [_network(model, name, graph, sources) for name, graph in model.networks.items()],
    }
    # `<` could end a script element, so it is written as an escape sequence.
    text = (
        json.dumps(_shown(data), ensure_ascii=True, separators=(",", ":")).replace("<", "\\u003c").replace("##[", "##\\u005b")
    )
    script = files("nnspec.drawing").joinpath("page.js").read_text("utf-8")
    return html_page("nnspec.drawing", model.name, script=script, data=text)


def _network(model: Model, name: str, graph: Graph, sources: dict[str, Sequence[str]]) -> dict[str, Any]:
    root = tree_of(graph)
    layout, ways = lay_out(root, wires_of(graph), box_width(root, graph), resolutions_of(graph))
    items = _Items(graph, sources)
    items.add(layout, -1, 0.0)
    title = model.name if name == "main" else f"{model.name}: {name}"
    return {
        "name": name,
        "title": title,
        "facts": _totals(graph),
        "items": items.all,
        "wires": [items.wire(wire, runs) for wire, runs in ways.items()],
    }


class _Items:
    """The frames and boxes of a network for the page, by number; 0 is the network."""

    def __init__(self, graph: Graph, sources: dict[str, Sequence[str]]) -> None:
        self.graph = graph
        self.fields = receptive_fields(graph)
        self.sources = sources
        self.all: list[dict[str, Any]] = []
        self._boxes: dict[str, int] = {}
        self._layouts: dict[int, int] = {}
        self._children: dict[tuple[int, str], int] = {}

    def add(self, layout: Layout, parent: int, x: float) -> int:
        number = len(self.all)
        self._layouts[id(layout)] = number
        nodes = [box.node for box in boxes_of(layout.frame) if box.node is not None]
        owned = {node.weights_at: weights_of(node) for node in nodes}
        summary = f"{len(nodes)} layers" + (f", {sum(owned.values()):,} parameters" if any(owned.values()) else "")
        entry: dict[str, Any] = {
            "id": layout.frame.id,
            "label": layout.frame.label,
            "summary": summary,
            "parent": parent,
            "x": x,
            "width": layout.width,
            "gaps": layout.gaps,
        }
        self.all.append(entry)
        entry["rows"] = [
            [self._child(layout, cell.child, cell.x) for cell in row if cell.child is not None] for row in layout.rows
        ]
        return number

    def _child(self, layout: Layout, key: str, centre: float) -> int:
        parent, item = self._layouts[id(layout)], layout.frame.children[key]
        x = round(centre - layout.width_of(key) / 2, 1)
        if isinstance(item, Box):
            number = len(self.all)
            self._boxes[item.id] = number
            self.all.append({"parent": parent, "x": x, "width": layout.box_width, **self._box(item, layout.box_width)})
        else:
            number = self.add(layout.inner[key], parent, x)
        self._children[id(layout), key] = number
        return number

    def _box(self, box: Box, width: float) -> dict[str, Any]:
        op, shape, name, count = box_lines(box, self.graph)
        lines = [
            shortened(op, 12, width - 28 - text_width(shape, 11), bold=True),
            shape,
            shortened(name, 11, width - 28 - text_width(count, 11)),
            count,
        ]
        if box.node is None:
            return {"id": box.id, "kind": box.kind, "lines": lines}
        return {
            "id": box.id,
            "kind": kind_of(box.node),
            "lines": lines,
            **_about(box.node, self.fields.get(box.id), self.sources),
        }

    def wire(self, wire: Wire, runs: Sequence[Run]) -> dict[str, Any]:
        return {
            "from": self._boxes[wire.source],
            "to": self._boxes[wire.target],
            "output": wire.output,
            "port": wire.port,
            "runs": [self._run(run) for run in runs],
        }

    def _run(self, run: Run) -> list[float]:
        child = -1 if run.child is None else self._children[id(run.layout), run.child]
        place = [self._layouts[id(run.layout)], run.row, round(run.x, 1), child, int(run.enters)]
        return [*place, int(run.up), run.across] if run.up else place


def _totals(graph: Graph) -> list[list[str]]:
    frozen = graph.parameters - graph.trainable_parameters
    facts = [[f"input {name}", f"{shape_text(t)} {t.dtype}"] for name, t in graph.inputs.items()]
    facts += [[f"output {name}", f"{shape_text(t)} {t.dtype}"] for name, t in graph.output_types.items()]
    facts += [
        ["layers", count_text(len(list(graph.every_node())))],
        ["parameters", count_text(graph.parameters) + (f", {frozen:,} of them not trainable" if frozen else "")],
        ["MACs", _shortened(count_text(graph.macs))],
        ["peak activation memory", peak_text(graph)],
    ]
    return facts + [["sizes", text] for text in stated_sizes(graph)]


def _shortened(text: str) -> str:
    """Cut a long sum between two terms."""
    if len(text) <= _LONGEST_SUM:
        return text
    return f"{text[: text.rindex(' ', 0, _LONGEST_SUM)]} …; `nnspec inspect --at` computes it for a size"


def _about(node: Node, field: ReceptiveField | None, sources: dict[str, Sequence[str]]) -> dict[str, Any]:
    facts = [["operation", node.op]]
    facts += [[f"input {port}", f"{shape_text(t)} {t.dtype}"] for port, t in node.input_types.items()]
    facts += [[name, f"{shape_text(t)} {t.dtype}"] for name, t in node.outputs.items()]
    if node.weights:
        facts.append(["parameters", count_text(weights_of(node)) + (", frozen" if node.frozen else "")])
    owner = owner_of(node)
    if owner is not None:
        facts.append(["weights of", owner])
    macs = node.macs()
    facts += [["MACs", count_text(macs)]] if macs != 0 else []
    facts.append(["activations", memory_text(activation_bytes(node))])
    if field is not None:
        start = " × ".join("?" if first is None else str(first).replace("-", "−") for first in field.start)
        facts.append(["receptive field", " × ".join(map(str, field.size))])
        facts.append(["receptive field stride", " × ".join(map(str, field.stride))])
        facts.append(["receptive field start", start])
    doc = (type(node.layer).__doc__ or "").strip().partition("\n")[0]
    arguments = [[n, json_text(value), given] for n, (value, given) in arguments_of(node).items()]
    return {
        "doc": doc.replace("``", ""),
        "facts": facts,
        "arguments": sorted(arguments, key=lambda argument: not argument[2]),
        "weights": [
            [weight.name, " × ".join(map(str, weight.shape)) + ("" if weight.trainable else ", not trainable")]
            for weight in node.weights
        ],
        "place": f"{Path(node.span.file).name}, line {node.span.line}",
        "source": _excerpt(node.span, sources),
    }


def _excerpt(span: Span, sources: dict[str, Sequence[str]]) -> list[list[Any]]:
    if span.file not in sources:
        try:
            sources[span.file] = Path(span.file).read_text("utf-8-sig").splitlines()
        except (OSError, ValueError):
            sources[span.file] = ()
    lines: Sequence[str] = sources[span.file]
    numbers = range(max(1, span.line - _AROUND), min(len(lines), span.line + _AROUND) + 1)
    return [[number, lines[number - 1][:_LONGEST_LINE], number == span.line] for number in numbers]


def _shown(data: Any) -> Any:
    """Make every string in plain data safe to show."""
    if isinstance(data, dict):
        return {printable(key): _shown(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_shown(value) for value in data]
    return printable(data) if isinstance(data, str) else data
