"""The table of layers of ``nnspec inspect``: blocks folded, columns that fit the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nnspec.cli.text import table
from nnspec.drawing.tree import Box, Frame, boxes_of, tree_of
from nnspec.graph.describe import operation_text
from nnspec.graph.memory import activation_bytes, bytes_text
from nnspec.graph.model import Graph, Node
from nnspec.graph.receptive_field import ReceptiveField, receptive_fields
from nnspec.types import Dim, TensorType, size_text

_MOST_ROWS = 30
"""A network with at most as many layers is shown without folding."""
_LONGEST_CELL = 36

_COLUMNS = ("", "operation", "output", "parameters", "MACs", "memory", "receptive field", "from")
_RIGHT = frozenset({3, 4, 5})


@dataclass(frozen=True)
class LayerTable:
    """A table.

    Attributes:
        text: Its lines.
        folded: Whether it leaves out layers of blocks.
        narrowed: The columns that it leaves out.
    """

    text: str
    folded: bool
    narrowed: tuple[str, ...] = ()


def layer_table(graph: Graph, *, depth: int | None = None, width: int | None = None) -> LayerTable:
    """Describe the layers of a network, a block or a repeated step in one row.

    Args:
        graph: The network.
        depth: How many levels of blocks to open; by default all of a small network, and none of a large one.
        width: The width that the table must fit, by leaving out columns; None for no limit.
    """
    root = tree_of(graph)
    small = sum(1 for _ in boxes_of(root)) <= _MOST_ROWS
    depth = depth if depth is not None else len(graph.nodes) if small else 0
    fields = receptive_fields(graph)
    rows = [_input(name, type_) for name, type_ in graph.inputs.items()]
    counted: set[str] = set()
    rows += _rows(root, fields, depth, 0, counted)
    folded = any(row[0].lstrip().startswith("▸") for row in rows)
    count = len(_COLUMNS)
    while count > 3 and width is not None and _width(rows, count) > width:
        count -= 1
    text = table(_COLUMNS[:count], [row[:count] for row in rows], right=_RIGHT & frozenset(range(count)))
    return LayerTable(text, folded, _COLUMNS[count:])


def _width(rows: Sequence[Sequence[str]], count: int) -> int:
    shown = [_COLUMNS, *rows]
    return sum(max(len(row[column]) for row in shown) for column in range(count)) + 2 * (count - 1)


def _input(name: str, type_: TensorType) -> list[str]:
    return [name, "input", shape_text(type_), *[""] * 5]


def _rows(
    frame: Frame, fields: dict[str, ReceptiveField | None], depth: int, level: int, counted: set[str]
) -> Iterator[list[str]]:
    """The rows of what is in a frame; weights that an earlier row counted are not counted again."""
    indent = "  " * level
    for child in frame.children.values():
        if isinstance(child, Box):
            if child.node is not None:
                yield _row(indent + child.label.rstrip(), _operation(child.node), [child.node], fields, counted)
            continue
        nodes = [box.node for box in boxes_of(child) if box.node is not None]
        repeats = _repeats(child)
        times = f" ×{repeats}" if repeats else ""
        if depth > level:
            yield [f"{indent}▾ {child.label.rstrip()}{times}", *[""] * 7]
            yield from _rows(child, fields, depth, level + 1, counted)
        else:
            yield _row(f"{indent}▸ {child.label.rstrip()}{times}", f"{len(nodes)} layers", nodes, fields, counted)


def _repeats(frame: Frame) -> int:
    """How often a step is repeated; 0 for a block."""
    return len(frame.children) if all(label.rstrip().split("/")[0].isdigit() for label in frame.children) else 0


def _operation(node: Node) -> str:
    return operation_text(node.op, node.layer.expressions, _LONGEST_CELL)


def _row(
    name: str, operation: str, nodes: Sequence[Node], fields: dict[str, ReceptiveField | None], counted: set[str]
) -> list[str]:
    last = nodes[-1]
    weights = {f"{node.weights_at}/{weight.name}": weight.size for node in nodes for weight in node.weights}
    new = {identity: size for identity, size in weights.items() if identity not in counted}
    counted |= new.keys()
    parameters = f"{sum(new.values()):,}" if new else "shared" if weights else ""
    macs: int | Dim = 0
    memory: int | Dim = 0
    for node in nodes:
        macs, memory = macs + node.macs(), memory + activation_bytes(node)
    own = {node.name for node in nodes}
    sources = dict.fromkeys(str(ref) for node in nodes for ref in node.inputs.values() if ref.source not in own)
    field = fields.get(last.name)
    return [
        name,
        operation,
        shape_text(last.output),
        parameters,
        "" if macs == 0 else _cut(short_count(macs)),
        _cut(bytes_text(memory if isinstance(memory, int) else str(memory).replace("?", "n"))),
        "×".join(map(str, field.size)) if field else "",
        _cut(", ".join(sources)),
    ]


def shape_text(type_: TensorType) -> str:
    """Format a shape without the batch axis.

    Example:
        >>> shape_text(TensorType((28, 28, 6)))
        '28×28×6'
    """
    sizes = [size_text(size) for size in type_.shape]
    return "×".join(f"({size})" if " " in size else size for size in sizes) or "scalar"


def short_count(count: int | Dim) -> str:
    """Format a number with three digits, or an expression.

    Example:
        >>> [short_count(count) for count in (416_520, 9_472, 118_013_952, 4_089_000_000)]
        ['417 k', '9,472', '118 M', '4.09 G']
    """
    if not isinstance(count, int):
        return str(count).replace("?", "n")
    for unit, name in ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= 100_000 and count >= unit:
            share = count / unit
            return f"{share:.0f} {name}" if share >= 100 else f"{share:.3g} {name}"
    return f"{count:,}"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_CELL else f"{text[: _LONGEST_CELL - 1]}…"
