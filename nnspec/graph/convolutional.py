"""A classifier as a fully convolutional network (Long, Shelhamer and Darrell 2015): which layers become which.

A layer that takes the features of all positions as one vector is a convolution whose kernel spans them all: on the classifier's
own size it has one place, on a larger picture many. What gives one value for a whole picture becomes a window of that size.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nnspec.graph.model import Graph, Node, Ref
from nnspec.layers.base import EVERYTHING, Layer
from nnspec.layers.interfaces import ConvolvedOver, KeepsElements, PassesOn, Slides
from nnspec.types import Dim, TensorType

__all__ = ["Change", "NotConvolutional", "changes_to_convolutions", "sees_everything"]


class NotConvolutional(Exception):
    """A layer that cannot slide over a larger picture.

    Attributes:
        node: The layer.
        reason: Why it cannot.
        help: What to do.
    """

    def __init__(self, node: Node, reason: str, help: str) -> None:
        super().__init__(reason)
        self.node = node
        self.reason = reason
        self.help = help


@dataclass(frozen=True)
class Change:
    """What a layer becomes.

    Attributes:
        node: The layer.
        layer: What stands in its place; None where nothing does, because the positions are kept.
    """

    node: Node
    layer: Layer | None


def changes_to_convolutions(graph: Graph) -> list[Change]:
    """The layers of a classifier that become others where it is to take pictures of any size.

    Returns:
        One for each layer that changes, in the graph's order; none where it is fully convolutional already.

    Raises:
        NotConvolutional: Where a layer has no counterpart.
    """
    changes: list[Change] = []
    # How many positions the features of a vector stand for; what still has its axes is not among them.
    flat: dict[Ref, tuple[int, ...]] = {}
    for node in graph.nodes.values():
        sizes = {flat[ref] for ref in node.inputs.values() if ref in flat}
        if not sizes:
            change, left = _with_axes(node)
        elif len(sizes) > 1 or any(ref not in flat for ref in node.inputs.values()):
            raise NotConvolutional(node, "joins what was taken from the whole picture to what was not", "leave that branch out")
        else:
            change, left = _flat(node, sizes.pop())
        changes += change
        if left is not None:
            flat[Ref(node.name, next(iter(node.outputs)))] = left
    return changes


def sees_everything(graph: Graph) -> Iterator[Node]:
    """The layers of which every output sees the whole picture, or whose outputs have no places: those that cannot slide."""
    for node in graph.nodes.values():
        if node.layer.receptive_field(node.input_types) == EVERYTHING:
            yield node


def _with_axes(node: Node) -> tuple[list[Change], tuple[int, ...] | None]:
    """What becomes of a layer whose inputs have their axes; and the positions that its output stands for, if it has none."""
    x = next(iter(node.input_types.values()), TensorType(()))
    spatial = x.shape[:-1]
    if isinstance(node.layer, KeepsElements) and node.output.rank == 1 and spatial:
        return [Change(node, None)], _known(node, spatial)
    at_one_place = set(node.output.shape[:-1]) <= {1}
    if spatial and at_one_place and node.layer.receptive_field(node.input_types) == EVERYTHING:
        image = {"x": TensorType((*_known(node, spatial), x.shape[-1]), x.dtype, x.mask)}
        slid = node.layer.slid(image) if isinstance(node.layer, Slides) else None
        if slid is None:
            raise NotConvolutional(node, "takes the whole picture, and has no counterpart that slides over a larger one", _HELP)
        return [Change(node, slid)], (1,) * len(spatial) if node.output.rank == 1 else None
    return [], None


def _over_positions(layer: Layer, sizes: tuple[int, ...]) -> Layer | None:
    """The layer that computes at every position what a layer computes on the features of all of them; None if there is none."""
    if isinstance(layer, ConvolvedOver):
        return layer.over_positions(sizes)
    at_one_position = set(sizes) == {1} and layer.same_at_every_position
    return layer if isinstance(layer, PassesOn) or at_one_position else None


def _flat(node: Node, sizes: tuple[int, ...]) -> tuple[list[Change], tuple[int, ...]]:
    made = _over_positions(node.layer, sizes)
    if made is None:
        places = " × ".join(map(str, sizes))
        reason = f"takes the features of {places} positions as one vector, and does not do the same at each place"
        raise NotConvolutional(node, reason, _HELP)
    if made is node.layer:
        return [], sizes
    return [Change(node, made)], (1,) * len(sizes)


def _known(node: Node, sizes: tuple[int | Dim, ...]) -> tuple[int, ...]:
    found = tuple(size for size in sizes if isinstance(size, int))
    if len(found) < len(sizes):
        raise NotConvolutional(
            node,
            f"takes {next(iter(node.input_types.values()))}: there is no size of which a window could slide over a larger one",
            "give the input the sizes that it was trained on, or export its maps: `export: {activation_maps: [OUTPUT]}`",
        )
    return found


_HELP = "what can be converted: `Flatten` with `Dense`, global poolings, and what does the same at every place"
