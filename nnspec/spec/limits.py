"""What a document may cost: no file from outside takes a machine down."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Limits"]


@dataclass(frozen=True)
class Limits:
    """What a document may cost. Each limit is named in its diagnostic, and raised by ``--limit name=value``.

    Attributes:
        bytes: The file's size.
        depth: Lists and mappings inside one another.
        nodes: Values, aliases expanded.
        scalar: Characters of one scalar.
        layers: Layers, after blocks and repeats are expanded.
        parameters: Elements of all weights of one network: 8 GB as float32.
        activations: Bytes of tensors alive at once for one example, at the smallest sizes that fit.
        size: The smallest value that a free size may have: the network is built and compared at such sizes.
        errors: Errors and warnings found.
        expanded: Values that params, expressions and repeats make of what is written; one that an expression makes counts four.
    """

    bytes: int = 4 * 2**20
    depth: int = 100
    nodes: int = 200_000
    scalar: int = 2**16
    layers: int = 50_000
    parameters: int = 2_000_000_000
    activations: int = 16 * 2**30
    size: int = 2**20
    errors: int = 500
    expanded: int = 2_000_000
