"""Which whole numbers a tensor may hold: as many as there are rows in the tables, or places, that are chosen by it."""

from __future__ import annotations

from nnspec.graph.model import Graph, Ref
from nnspec.layers.interfaces import ChoosesByIndex

__all__ = ["table_rows"]


def table_rows(graph: Graph) -> dict[Ref, int]:
    """For each tensor by which something is chosen, also after it has been reshaped: out of how many, at the least.

    Where that depends on a free size nothing is said.
    """
    rows: dict[Ref, int] = {}
    for node in reversed(list(graph.nodes.values())):
        chosen = node.layer.choices(node.input_types) if isinstance(node.layer, ChoosesByIndex) else {}
        given = [rows.get(Ref(node.name, output)) for output, kind in node.outputs.items() if kind.is_integer]
        for port, ref in node.inputs.items():
            for count in (chosen.get(port), *given):
                if isinstance(count, int):
                    rows[ref] = min(count, rows.get(ref, count))
    return rows
