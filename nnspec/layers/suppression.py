"""Non-maximum suppression: the best of the boxes that overlap."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from nnspec.layers.base import EVERYTHING, Inputs, LayerError, Outputs, Ports, Window
from nnspec.layers.boxes import CORNERS, require_same_rows
from nnspec.layers.checks import require_boxes, require_float
from nnspec.layers.interfaces import Detects, TakesBoxes
from nnspec.layers.scalars import Flag, Fraction, Number, PositiveInt
from nnspec.types import Dim, TensorType, same_size


class NonMaxSuppression(TakesBoxes, Detects):
    """Keeps the best boxes, and removes those that overlap a better one of the same class (Girshick et al. 2014).

    Boxes are taken in the order of their scores; of equal scores, that of the first row, then of the first class. A box is
    removed if its intersection over union with one that was taken before is greater than ``iou``. Only valid boxes with a score
    greater than ``score`` are taken. ``boxes`` are shared by the classes, (rows, 4), or each class has its own, (rows, classes,
    4), as those of R-CNN's regressors.

    Outputs: ``boxes`` (keep, 4), ``scores`` (keep) and ``class`` (keep), best first, with rows of −1 after the last one, and
    ``count``, the number of boxes. A class is the number of a column of ``scores``.
    """

    ports: ClassVar[Ports] = Ports(("boxes", "scores"))
    box_ports: ClassVar[frozenset[str]] = frozenset({"boxes"})

    iou: Fraction = Field(0.5, description="The largest intersection over union of two boxes that are kept.")
    score: Number = Field(0.05, description="Boxes with this score or a lower one are not kept.")
    keep: PositiveInt = Field(100, description="The largest number of boxes.")
    class_agnostic: Flag = Field(False, description="Whether a box also removes boxes of other classes.")

    def infer(self, inputs: Inputs) -> Outputs:
        boxes, scores = inputs["boxes"], inputs["scores"]
        require_boxes(self, boxes, "boxes", of_classes=True)
        require_float(self, scores, "scores")
        if scores.rank not in (1, 2):
            raise LayerError(
                f"{type(self).__name__} takes scores (rows, classes) or (rows), got {scores}",
                help="put a `Reshape` to `[-1, CLASSES]` before it",
                port="scores",
            )
        require_same_rows(inputs, "boxes", "scores")
        if scores.rank == 2 and not isinstance(scores.shape[1], int):
            raise LayerError(
                f"{type(self).__name__} needs a fixed number of classes, got scores {scores}",
                help="declare the size of the last axis as a number",
                port="scores",
            )
        if boxes.rank == 3 and (scores.rank != 2 or same_size(boxes.shape[1], scores.shape[1]) is False):
            raise LayerError(
                f"`boxes` and `scores` must have the same number of classes, got {boxes} and {scores}",
                help="leave out the scores of the background, or its boxes: `x[:, :, :-1]` in an expression",
                port="boxes",
            )
        return {
            "boxes": TensorType((self.keep, CORNERS)),
            "scores": TensorType((self.keep,)),
            "class": TensorType((self.keep,), "int32"),
            "count": TensorType((), "int32"),
        }

    def agreeing_sizes(self, inputs: Inputs) -> tuple[tuple[int | Dim, int | Dim], ...]:
        boxes, scores = inputs["boxes"].shape, inputs["scores"].shape
        return tuple(zip(boxes[:-1], scores, strict=False))

    def is_discontinuous(self, inputs: Inputs) -> bool:
        del inputs
        return True

    def receptive_field(self, inputs: Inputs) -> Window | None:
        """The whole input: boxes are sorted."""
        return EVERYTHING
