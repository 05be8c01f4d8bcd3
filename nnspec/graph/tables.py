"""Which whole numbers a tensor may hold: as many as the tables have rows that are looked up by it."""

from __future__ import annotations

from nnspec.graph.model import Graph, Ref

__all__ = ["table_rows"]


def table_rows(graph: Graph) -> dict[Ref, int]:
    """For each tensor by which a table is looked up, also after it has been reshaped: the rows of the smallest of them."""
    rows: dict[Ref, int] = {}
    for node in reversed(list(graph.nodes.values())):
        for output, kind in node.outputs.items():
            own: int = getattr(node.layer, "input_dim", 0) or (rows.get(Ref(node.name, output), 0) if kind.is_integer else 0)
            for ref in node.inputs.values() if own else ():
                rows[ref] = min(own, rows.get(ref, own))
    return rows
