"""A model as an SVG image with light and dark colors."""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

from nnspec.drawing.facts import count_text, kind_of, memory_text, shape_text, summary, weights_of
from nnspec.drawing.folding import resolutions_of
from nnspec.drawing.layout import lay_out
from nnspec.drawing.measure import NARROWEST, WIDEST, shortened, text_width
from nnspec.drawing.scene import Placed, Scene, place_on_plane
from nnspec.drawing.tree import Box, Frame, Wire, boxes_of, tree_of, wires_of
from nnspec.graph.describe import operation_text
from nnspec.graph.memory import peak_activation_bytes
from nnspec.graph.model import Graph, Model
from nnspec.printable import html_text, printable

_LONGEST_OPERATION = 36
"""Maximum number of characters of the operation in a box, which may be an expression."""

_MARGIN, _HEAD, _BETWEEN = 24.0, 58.0, 48.0

_STYLE = """
text { font-family: system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif; fill: #1f2328; }
.paper { fill: #ffffff; }
.title { font-size: 17px; font-weight: 600; }
.totals, .name, .note { font-size: 11px; fill: #57606a; }
.op { font-size: 12px; font-weight: 600; }
.shape, .count { font-size: 11px; }
.box rect { fill: #f6f8fa; stroke: #8c959f; stroke-width: 1; }
.trained rect { fill: #ddeeff; stroke: #3b82c4; }
.frozen rect { fill: #ddeeff; stroke: #3b82c4; stroke-dasharray: 4 3; }
.merge rect { fill: #fff1d6; stroke: #bf8700; }
.input rect, .output rect { fill: #dcf5e3; stroke: #2da44e; }
.frame rect { fill: #57606a; fill-opacity: 0.06; stroke: #8c959f; stroke-opacity: 0.6; }
.frame text { font-size: 11px; font-weight: 600; fill: #57606a; stroke: #ffffff; stroke-width: 3px; paint-order: stroke; }
.wire { fill: none; stroke: #6e7781; stroke-width: 1.4; }
.tip { fill: #6e7781; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; }
.paper { fill: #0d1117; }
.totals, .name, .note { fill: #9da7b3; }
.box rect { fill: #1c2128; stroke: #6e7681; }
.trained rect { fill: #12304f; stroke: #4a90d9; }
.frozen rect { fill: #12304f; stroke: #4a90d9; }
.merge rect { fill: #3d2e0a; stroke: #d29922; }
.input rect, .output rect { fill: #12331c; stroke: #3fb950; }
.frame rect { fill: #8b949e; fill-opacity: 0.08; stroke: #6e7681; }
.frame text { fill: #9da7b3; stroke: #0d1117; }
.wire { stroke: #8b949e; }
.tip { fill: #8b949e; }
}
"""


def to_svg(model: Model) -> str:
    """Return an SVG of all networks side by side: layers as boxes, blocks and networks as frames, tensors as lines.

    The output is deterministic and self-contained, and has no scripts.

    Args:
        model: Compiled spec.
    """
    parts: list[str] = []
    x, height = _MARGIN, 0.0
    for number, (name, graph) in enumerate(model.networks.items()):
        title = model.name if name == "main" else f"{model.name}: {name}" if len(model.networks) > 1 else name
        scene = _scene(graph)
        lines = _totals(graph)
        width = max([scene.width, text_width(title, 17, bold=True), *(text_width(line, 11) for line in lines)])
        parts.append(_network(title, lines, graph, scene, x, f"tip{number}"))
        x += width + _BETWEEN
        height = max(height, scene.height)
    width, height = round(x - _BETWEEN + _MARGIN), round(height + _HEAD + 2 * _MARGIN)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        f' role="img" aria-label={quoteattr(printable(model.name))}>'
    )
    paper = f'<rect class="paper" width="{width}" height="{height}"/>'
    return "\n".join([head, f"<style>{_STYLE}</style>", paper, *parts, "</svg>", ""])


def _totals(graph: Graph) -> tuple[str, str]:
    """Return a network's metrics in two lines."""
    return (
        f"{count_text(graph.parameters)} parameters · {count_text(graph.macs)} MACs",
        f"peak activation memory {peak_text(graph)}",
    )


def peak_text(graph: Graph) -> str:
    """Return the peak memory of live tensors for one example."""
    peak = peak_activation_bytes(graph)
    if len(peak) == 1:
        return memory_text(peak[0])
    return "maximum of " + ", ".join(map(memory_text, peak)) if peak else "unknown"


def box_width(root: Frame, graph: Graph) -> float:
    """Return the width of a network's boxes: that of the widest text, within bounds."""
    wanted = 0.0
    for box in boxes_of(root):
        op, shape, name, count = box_lines(box, graph)
        upper = text_width(op, 12, bold=True) + text_width(shape, 11)
        wanted = max(wanted, upper, text_width(name, 11) + text_width(count, 11))
    return round(min(max(wanted + 34, NARROWEST), WIDEST))


def box_lines(box: Box, graph: Graph) -> tuple[str, str, str, str]:
    """Return the texts of a box: top left, top right, bottom left, bottom right."""
    if box.node is None:
        name = box.id.partition(" ")[2]
        type_ = graph.inputs[name] if box.kind == "input" else graph.output_types[name]
        return name, shape_text(type_), box.kind, type_.dtype
    count = weights_of(box.node)
    op = operation_text(box.node.op, box.node.layer.expressions, _LONGEST_OPERATION)
    return op, shape_text(box.node.output), box.label, count_text(count) if count else ""


def _scene(graph: Graph) -> Scene:
    root = tree_of(graph)
    return place_on_plane(*lay_out(root, wires_of(graph), box_width(root, graph), resolutions_of(graph)))


def _network(title: str, lines: tuple[str, str], graph: Graph, scene: Scene, x: float, tip: str) -> str:
    frames = [item for item in scene.items if isinstance(item.item, Frame)]
    boxes = [item for item in scene.items if isinstance(item.item, Box)]
    arrow = (
        f'<marker id="{tip}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse"'
        ' orient="auto">'
        '<path class="tip" d="M0,0 L8,4 L0,8 z"/></marker>'
    )
    return "\n".join(
        [
            f'<g transform="translate({x:g} {_MARGIN:g})">',
            f"<defs>{arrow}</defs>",
            _text("title", 0, 14, title),
            *(_text("totals", 0, 32 + 15 * number, line) for number, line in enumerate(lines)),
            f'<g transform="translate(0 {_HEAD:g})">',
            *(_frame(item) for item in frames),
            *(_wire(wire, line, tip) for wire, line in scene.lines.items()),
            *(_frame_title(item) for item in frames),
            *(_box(item, graph) for item in boxes),
            "</g></g>",
        ]
    )


def _frame(item: Placed) -> str:
    return f'<g class="frame"><rect {_place(item)} rx="8"/></g>'


def _frame_title(item: Placed) -> str:
    assert isinstance(item.item, Frame)
    title = _text("", item.x + 10, item.y + 15, item.item.label)
    return f'<g class="frame" data-frame={quoteattr(printable(item.item.id))}>{title}</g>'


def _wire(wire: Wire, line: str, tip: str) -> str:
    source = wire.source if wire.output == "output" else f"{wire.source}.{wire.output}"
    ends = f"data-from={quoteattr(printable(source))} data-to={quoteattr(printable(wire.target))}"
    return f'<path class="wire" {ends} d="{line}" marker-end="url(#{tip})"/>'


def _box(item: Placed, graph: Graph) -> str:
    box = item.item
    assert isinstance(box, Box)
    op, shape, name, count = box_lines(box, graph)
    inside = item.width - 20
    room = inside - text_width(shape, 11) - 8
    below = inside - text_width(count, 11) - 8
    left, right = item.x + 10, item.x + item.width - 10
    kind = box.kind if box.node is None else kind_of(box.node)
    return "".join(
        [
            f'<g class="box {kind}" data-layer={quoteattr(printable(box.id))}>',
            f"<title>{html_text(summary(box.node))}</title>" if box.node is not None else "",
            f'<rect {_place(item)} rx="{5 if box.node is not None else 20}"/>',
            _text("op", left, item.y + 18, shortened(op, 12, room, bold=True)),
            _text("shape", right, item.y + 18, shape, end=True),
            _text("name", left, item.y + 34, shortened(name, 11, below)),
            _text("count", right, item.y + 34, count, end=True) if count else "",
            "</g>",
        ]
    )


def _place(item: Placed) -> str:
    return f'x="{item.x:g}" y="{item.y:g}" width="{item.width:g}" height="{item.height:g}"'


def _text(kind: str, x: float, y: float, text: str, *, end: bool = False) -> str:
    style = f' class="{kind}"' if kind else ""
    anchor = ' text-anchor="end"' if end else ""
    return f'<text{style} x="{x:g}" y="{y:g}"{anchor}>{html_text(text)}</text>'
