"""The detections among the outputs of a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nnspec.graph.model import Graph
from nnspec.layers.interfaces import Detects
from nnspec.types import TensorType, same_size

BOXES, SCORES, CLASS = "boxes", "scores", "class"
PARTS = (BOXES, SCORES, CLASS)
"""The outputs of a detector, as `NonMaxSuppression` names them."""

_CORNERS = 4


@dataclass(frozen=True)
class Detections:
    """The outputs of a detector.

    Attributes:
        boxes: The output with the boxes `x1 y1 x2 y2`, in pixels of the network's input, (K, 4).
        scores: The output with their scores, (K).
        classes: The output with the indices of their classes, (K); −1 for rows without a detection.
        more: Further outputs of the same step, such as the number of detections.
    """

    boxes: str
    scores: str
    classes: str
    more: tuple[str, ...] = ()

    @property
    def outputs(self) -> dict[str, str]:
        """The outputs, by the names that `NonMaxSuppression` gives them."""
        return dict(zip(PARTS, (self.boxes, self.scores, self.classes), strict=True))


def detections_of(graph: Graph) -> Detections | None:
    """Finds the detections of a network: the outputs of one step that returns them, else those with its names.

    Args:
        graph: The network.

    Returns:
        The detections; None if the network is no detector.
    """
    for node in graph.nodes.values():
        if isinstance(node.layer, Detects):
            own = {ref.output: name for name, ref in graph.outputs.items() if ref.source == node.name}
            if set(PARTS) <= own.keys():
                more = tuple(name for part, name in own.items() if part not in PARTS)
                return Detections(own[BOXES], own[SCORES], own[CLASS], more)
    if set(PARTS) <= graph.outputs.keys() and unfit(graph.output_types, dict(zip(PARTS, PARTS, strict=True))) is None:
        return Detections(*PARTS)
    return None


def unfit(types: Mapping[str, TensorType], names: Mapping[str, str]) -> str | None:
    """Says why outputs or fields cannot be detections or annotations; None if they can.

    Args:
        types: The types of all outputs or fields.
        names: The name of each part: ``boxes``, ``class`` and others, which have one value for each box.
    """
    boxes = types[names[BOXES]]
    if boxes.rank != 2 or boxes.shape[1] != _CORNERS or not boxes.dtype.startswith("float"):
        return f"needs float boxes of shape (K, 4), and `{names[BOXES]}` is {boxes}"
    for part, name in names.items():
        type_ = types[name]
        if part == BOXES:
            continue
        if type_.rank != 1 or same_size(type_.shape[0], boxes.shape[0]) is False:
            return f"needs one value of `{name}` for each row of `{names[BOXES]}`, which is {boxes}, and it is {type_}"
        if part == CLASS and not type_.is_integer:
            return f"needs integer classes, and `{name}` is {type_}"
    return None
