"""Conversion of a classifier to a fully convolutional network (Long, Shelhamer and Darrell 2015).

A layer that reads the features of all positions as one vector is a convolution whose kernel covers the original image. On a
larger image, it is applied at many positions. Global pooling becomes pooling with a window of that size.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nnspec.graph.model import Graph, Node, Ref
from nnspec.layers.base import EVERYTHING, Layer
from nnspec.layers.interfaces import ConvolvedOver, KeepsElements, PassesOn, Slides
from nnspec.types import Dim, TensorType


class NotConvolutional(Exception):
    """A layer that cannot be applied to a larger image.

    Attributes:
        node: The layer.
        reason: Why it cannot be converted.
        help: How to fix it.
    """

    def __init__(self, node: Node, reason: str, help: str) -> None:
        super().__init__(reason)
        self.node = node
        self.reason = reason
        self.help = help


@dataclass(frozen=True)
class Change:
    """The replacement of a layer.

    Attributes:
        node: Layer to replace.
        layer: Its replacement; None removes it, because the spatial axes are kept.
    """

    node: Node
    layer: Layer | None


def changes_to_convolutions(graph: Graph) -> list[Change]:
    """Return the replacements that make a classifier fully convolutional.

    Returns:
        One change per replaced layer, in graph order; empty if the network is already fully convolutional.

    Raises:
        NotConvolutional: If a layer has no convolutional equivalent.
    """
    changes: list[Change] = []
    # Spatial sizes whose features each flattened tensor contains; tensors with spatial axes are not listed.
    flat: dict[Ref, tuple[int, ...]] = {}
    for node in graph.nodes.values():
        sizes = {flat[ref] for ref in node.inputs.values() if ref in flat}
        if not sizes:
            change, left = _with_axes(node)
        elif len(sizes) > 1 or any(ref not in flat for ref in node.inputs.values()):
            raise NotConvolutional(node, "merges flattened features with a tensor that has spatial axes", "remove that branch")
        else:
            change, left = _flat(node, sizes.pop())
        changes += change
        if left is not None:
            flat[Ref(node.name, next(iter(node.outputs)))] = left
    return changes


def global_layers(graph: Graph) -> Iterator[Node]:
    """Yield the layers whose outputs depend on the whole image or have no positions, and thus cannot slide."""
    for node in graph.nodes.values():
        if node.layer.receptive_field(node.input_types) == EVERYTHING:
            yield node


def _with_axes(node: Node) -> tuple[list[Change], tuple[int, ...] | None]:
    """Return the replacement of a layer whose inputs have spatial axes, and the sizes that its output flattens, if any."""
    x = next(iter(node.input_types.values()), TensorType(()))
    spatial = x.shape[:-1]
    if isinstance(node.layer, KeepsElements) and node.output.rank == 1 and spatial:
        return [Change(node, None)], _known(node, spatial)
    at_one_place = set(node.output.shape[:-1]) <= {1}
    if spatial and at_one_place and node.layer.receptive_field(node.input_types) == EVERYTHING:
        image = {"x": TensorType((*_known(node, spatial), x.shape[-1]), x.dtype, x.mask)}
        slid = node.layer.slid(image) if isinstance(node.layer, Slides) else None
        if slid is None:
            raise NotConvolutional(node, "reads the whole image and has no convolutional equivalent", _HELP)
        return [Change(node, slid)], (1,) * len(spatial) if node.output.rank == 1 else None
    return [], None


def _over_positions(layer: Layer, sizes: tuple[int, ...]) -> Layer | None:
    """Return the layer that applies the same computation at every position; None if there is none."""
    if isinstance(layer, ConvolvedOver):
        return layer.over_positions(sizes)
    at_one_position = set(sizes) == {1} and layer.same_at_every_position
    return layer if isinstance(layer, PassesOn) or at_one_position else None


def _flat(node: Node, sizes: tuple[int, ...]) -> tuple[list[Change], tuple[int, ...]]:
    made = _over_positions(node.layer, sizes)
    if made is None:
        places = " × ".join(map(str, sizes))
        reason = f"reads the features of {places} positions as one vector and has no convolutional equivalent"
        raise NotConvolutional(node, reason, _HELP)
    if made is node.layer:
        return [], sizes
    return [Change(node, made)], (1,) * len(sizes)


def _known(node: Node, sizes: tuple[int | Dim, ...]) -> tuple[int, ...]:
    found = tuple(size for size in sizes if isinstance(size, int))
    if len(found) < len(sizes):
        raise NotConvolutional(
            node,
            f"reads {next(iter(node.input_types.values()))}: a free size gives no kernel size",
            "declare the input sizes used in training, or export activation maps: `export: {activation_maps: [OUTPUT]}`",
        )
    return found


_HELP = "supported are `Flatten` with `Dense`, global pooling, and layers that treat all positions alike"
