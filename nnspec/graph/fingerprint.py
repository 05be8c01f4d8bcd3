"""Digests of a graph's nodes, by which a resumed run checks that the network is unchanged."""

from __future__ import annotations

import hashlib

from nnspec.graph.model import Graph


def node_digests(graph: Graph) -> dict[str, str]:
    """Return a digest of each node: its layer with all arguments, its inputs and its weight names.

    Unlike the document's hash, this includes the files under ``use``.
    """
    found = {}
    for node in graph.every_node():
        reads = sorted((port, str(ref)) for port, ref in node.inputs.items())
        text = repr((node.op, node.layer, reads, node.weights_at, node.frozen))
        found[node.name] = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
    return found
