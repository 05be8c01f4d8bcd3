"""A digest of each node of a graph, so that a run can tell whether it goes on with the same network."""

from __future__ import annotations

import hashlib

from nnspec.graph.model import Graph

__all__ = ["node_digests"]


def node_digests(graph: Graph) -> dict[str, str]:
    """A digest of each node: its layer with every argument, where it reads from, where its weights stand.

    The document's own hash does not see the files under ``use``; this does.
    """
    found = {}
    for name, node in graph.nodes.items():
        reads = sorted((port, str(ref)) for port, ref in node.inputs.items())
        text = repr((node.op, node.layer, reads, node.weights_at, node.frozen))
        found[name] = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
    return found
