"""Losses of boxes: rows of ``x1 y1 x2 y2``."""

from __future__ import annotations

from nnspec.training.catalogue.losses.base import Loss
from nnspec.types import TensorType


class _OfBoxes(Loss):
    """A loss of each row of four numbers."""

    def misfit(self, output: TensorType) -> tuple[str, str] | None:
        size = output.shape[-1] if output.rank else 1
        if not isinstance(size, int) or size == 4:
            return None
        return "compares boxes, rows of x1, y1, x2 and y2", "use `Dice` or `Tversky` for masks; convert rows with `DecodeBoxes`"


class IoU(_OfBoxes):
    """One minus the intersection over union of two boxes (Yu et al. 2016); 0 where the target is not a valid box.

    There is no gradient where the boxes are disjoint; see `GIoU`.
    """


class GIoU(_OfBoxes):
    """One minus the generalized intersection over union (Rezatofighi et al. 2019); 0 where the target is not a valid box.

    The intersection over union is reduced by the share of the smallest enclosing box that neither of them covers.
    """


class CIoU(_OfBoxes):
    """Complete intersection over union loss of two boxes (Zheng et al. 2020); 0 where the target is not a valid box.

    One minus the intersection over union, plus the squared distance of the centers, divided by the squared diagonal of the
    smallest enclosing box, plus a penalty of different ratios of width and height.
    """
