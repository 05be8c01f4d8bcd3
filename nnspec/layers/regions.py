"""Features of regions of interest: those of the part of a feature map that each box covers."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field, field_validator

from nnspec.layers.arguments import Sizes, per_axis
from nnspec.layers.base import EVERYTHING, Inputs, Outputs, Ports, Window, single
from nnspec.layers.checks import require_axes, require_boxes, require_float
from nnspec.layers.interfaces import TakesBoxes
from nnspec.layers.scalars import PositiveInt, PositiveNumber
from nnspec.layers.sliding import SPATIAL_AXES


class _Regions(TakesBoxes):
    """Base class of layers that compute features of fixed size for each box."""

    ports: ClassVar[Ports] = Ports(("x", "boxes"))
    box_ports: ClassVar[frozenset[str]] = frozenset({"boxes"})
    main_argument: ClassVar[str | None] = "size"
    newest_opset: ClassVar[int | None] = 21
    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[2]

    size: Sizes = Field(description="The output height and width: an integer or a list of two.")
    stride: PositiveNumber = Field(1.0, description="Pixels of the image between neighboring positions of the feature map.")

    @field_validator("size", mode="before")
    @classmethod
    def _for_each_axis(cls, value: Any) -> Any:
        return per_axis(value, len(cls.axes), "size")

    def infer(self, inputs: Inputs) -> Outputs:
        x, boxes = inputs["x"], inputs["boxes"]
        require_axes(self, x, *self.axes, "channels")
        require_float(self, x)
        require_boxes(self, boxes, "boxes")
        return single((boxes.shape[0], *self.size, x.shape[-1]))

    def is_discontinuous(self, inputs: Inputs) -> bool:
        del inputs
        return True

    def receptive_field(self, inputs: Inputs) -> Window | None:
        """The whole input: boxes can be anywhere."""
        return EVERYTHING


class RoIAlign(_Regions):
    """Averages a feature map over a grid of parts of each box, without rounding the box (He et al. 2017, section 3).

    A box is divided into ``size`` parts along each axis. In each part, ``sampling`` × ``sampling`` evenly spaced points are
    interpolated linearly and averaged. Position p of the feature map is the center of the pixels from ``p · stride`` to ``(p +
    1) · stride``. Points up to one position outside of the feature map have the value of its border, and others 0. The output
    is (boxes, height, width, channels). A row of −1 has the features of a point at the top left.
    """

    sampling: PositiveInt = Field(2, description="Points of each part along each axis.")


class RoIPooling(_Regions):
    """Takes the maximum of a feature map over a grid of parts of each box (Girshick 2015, section 2.1).

    The corners of a box, divided by ``stride``, are rounded to positions of the feature map, both included, and the positions
    are divided into ``size`` parts along each axis, which may share positions. The output is (boxes, height, width, channels);
    a part outside of the feature map is 0. There is no gradient with respect to the boxes; see `RoIAlign`.

    A corner halfway between two positions, such as 4 pixels with a stride of 8, is rounded by chance if it was computed, and
    cannot be verified in an export. If boxes are integers, add a fraction of a pixel: ``Compute: proposals + 0.25``.
    """

    def passes_gradient(self, port: str) -> bool:
        return port == "x"
