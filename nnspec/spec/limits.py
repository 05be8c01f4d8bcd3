"""Resource limits of a document, which protect against malicious files."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Resource limits of a document. Each is named in its diagnostic and can be raised with ``--limit name=value``.

    Attributes:
        bytes: Size of the file.
        depth: Nesting of lists and mappings.
        nodes: Number of values, with aliases expanded.
        scalar: Characters of one scalar.
        layers: Number of layers after blocks and repeats are expanded.
        parameters: Elements of all weights of one network; the default is 8 GB as float32.
        activations: Bytes of tensors alive at once for one example, at the smallest valid sizes.
        constants: Bytes of all constants in the expressions of one network, at the smallest valid sizes.
        size: Smallest valid value of a free size; the network is built and compared at such sizes.
        errors: Number of errors and warnings reported.
        expanded: Values made by params, expressions and repeats; a value made by an expression counts as four.
    """

    bytes: int = 4 * 2**20
    depth: int = 100
    nodes: int = 200_000
    scalar: int = 2**16
    layers: int = 50_000
    parameters: int = 2_000_000_000
    activations: int = 16 * 2**30
    constants: int = 2**30
    size: int = 2**20
    errors: int = 500
    expanded: int = 2_000_000
