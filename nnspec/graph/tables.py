"""Bounds on the indices in integer tensors: the number of rows or positions that they select from."""

from __future__ import annotations

from nnspec.graph.model import Graph, Ref
from nnspec.layers.interfaces import ChoosesByIndex


def table_rows(graph: Graph) -> dict[Ref, int]:
    """Return the number of choices for each tensor used as an index, also before reshaping; the least of all uses.

    Tensors whose number of choices depends on a free size are omitted.
    """
    rows: dict[Ref, int] = {}
    for node in reversed(list(graph.nodes.values())):
        chosen = node.layer.choices(node.input_types) if isinstance(node.layer, ChoosesByIndex) else {}
        if node.body is not None:
            chosen = {ref.source: count for ref, count in table_rows(node.body).items() if ref.source in node.body.inputs}
        given = [rows.get(Ref(node.name, output)) for output, kind in node.outputs.items() if kind.is_integer]
        for port, ref in node.inputs.items():
            for count in (chosen.get(port), *given):
                if isinstance(count, int):
                    rows[ref] = min(count, rows.get(ref, count))
    return rows
