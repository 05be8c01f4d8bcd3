"""Boxes of objects in images: anchors, their regression, and clipping.

A box is a row of four floats ``x1 y1 x2 y2``: its left, top, right and bottom edge in pixels of the network's input, with x to
the right and y down; a whole image of W × H pixels is ``0 0 W H``. It is valid if it is at least 0.001 pixels wide and
high. Missing boxes are rows of −1.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from nnspec.layers.base import EVERYTHING, Inputs, Layer, LayerError, Outputs, Ports, Window, single
from nnspec.layers.checks import require_axes, require_boxes
from nnspec.layers.interfaces import TakesBoxes
from nnspec.layers.scalars import PositiveNumber
from nnspec.layers.sliding import SPATIAL_AXES
from nnspec.types import Dim, product, same_size

CORNERS = 4
"""The numbers of a box."""

SMALLEST = 1e-3
"""The smallest width and height of a valid box, in pixels: the edges of a missing box may differ by rounding errors."""

Numbers = Annotated[list[PositiveNumber], Field(min_length=1)]
Variance = Annotated[list[PositiveNumber], Field(min_length=CORNERS, max_length=CORNERS)]


class AnchorBoxes(Layer):
    """Boxes of given sizes and ratios around the center of each cell of a feature map (Ren et al. 2015, section 3.1.1).

    The feature map has a cell for every ``stride`` × ``stride`` pixels of the image, the first one at its top left corner. The
    boxes are the same for all examples and are not clipped to the image. Their order is that of a `Reshape` to ``[-1, 4]`` of a
    convolution of the feature map with 4 filters per anchor: row by row, cell by cell, and in each cell all ratios of the first
    size, then of the next one.
    """

    ports: ClassVar[Ports] = Ports(("x",))
    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[2]

    sizes: Numbers = Field(description="Square roots of the areas, in pixels.")
    ratios: Numbers = Field([1.0], description="Heights divided by widths.")
    stride: PositiveNumber = Field(description="Pixels of the image between neighboring cells.")

    @property
    def count(self) -> int:
        """The number of anchors of a cell."""
        return len(self.sizes) * len(self.ratios)

    @property
    def cell(self) -> list[tuple[float, float, float, float]]:
        """The boxes of the first cell.

        Example:
            >>> AnchorBoxes(sizes=[8], ratios=[1, 4], stride=4).cell
            [(-2.0, -2.0, 6.0, 6.0), (0.0, -6.0, 4.0, 10.0)]
        """
        middle = self.stride / 2
        halves = [(size / ratio**0.5 / 2, size * ratio**0.5 / 2) for size in self.sizes for ratio in self.ratios]
        return [(middle - w, middle - h, middle + w, middle + h) for w, h in halves]

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        require_axes(self, x, *self.axes, "channels")
        return single((product(x.shape[:2]) * self.count, CORNERS))

    def passes_gradient(self, port: str) -> bool:
        del port
        return False

    def receptive_field(self, inputs: Inputs) -> Window | None:
        """The whole input: its sizes determine the output."""
        return EVERYTHING


def require_same_rows(inputs: Inputs, first: str, second: str) -> None:
    """Check that two inputs have the same number of rows.

    Raises:
        LayerError: If they have not.
    """
    if same_size(inputs[first].shape[0], inputs[second].shape[0]) is False:
        raise LayerError(
            f"`{first}` and `{second}` must have the same number of rows, got {inputs[first]} and {inputs[second]}",
            help="a feature map has a row for each of its positions and each anchor of a position",
            port=second,
        )


class _Coded(TakesBoxes):
    """Base class of the regression of boxes relative to anchors."""

    main_argument: ClassVar[str | None] = "by"
    of_classes: ClassVar[bool] = False
    """Whether the first input may have four numbers for each class."""

    by: Literal["offsets", "distances"] = Field(
        "offsets",
        description="`offsets`: `(x − xa) / wa`, `(y − ya) / ha`, `log(w / wa)`, `log(h / ha)` of the centers x, y and the "
        "sizes w, h of the box and its anchor (R-CNN, SSD, RetinaNet). `distances`: those of the left, top, right and bottom "
        "edge from the anchor's center, divided by the anchor's width and height (FCOS).",
    )
    variance: Variance = Field([1.0, 1.0, 1.0, 1.0], description="Factors of the four numbers, as 0.1, 0.1, 0.2, 0.2 in SSD.")

    @field_validator("variance", mode="before")
    @classmethod
    def _for_each(cls, value: Any) -> Any:
        return [value] * CORNERS if isinstance(value, (int, float)) and not isinstance(value, bool) else value

    def agreeing_sizes(self, inputs: Inputs) -> tuple[tuple[int | Dim, int | Dim], ...]:
        first, second = self.ports.required
        return ((inputs[first].shape[0], inputs[second].shape[0]),)

    def infer(self, inputs: Inputs) -> Outputs:
        first, second = self.ports.required
        require_boxes(self, inputs[first], first, of_classes=self.of_classes)
        require_boxes(self, inputs[second], second)
        require_same_rows(inputs, first, second)
        return single((*inputs[first].shape[:-1], CORNERS))


class DecodeBoxes(_Coded):
    """Converts the numbers that a network predicts for each anchor to boxes (Girshick et al. 2014, appendix C).

    ``x`` has four numbers for each anchor, (rows, 4), or for each anchor and class, (rows, classes, 4), as in R-CNN; the boxes
    have the same shape. They are not clipped to the image; see `ClipBoxes`.
    """

    of_classes: ClassVar[bool] = True
    ports: ClassVar[Ports] = Ports(("x", "anchors"))
    box_ports: ClassVar[frozenset[str]] = frozenset({"anchors"})

    max_scale: PositiveNumber = Field(
        62.5, description="The largest ratio of the sizes of a box and its anchor, so that the exponential stays finite."
    )


class EncodeBoxes(_Coded):
    """Converts boxes to the numbers from which `DecodeBoxes` with the same arguments returns them: targets of a regression.

    The numbers of a box or an anchor that is not valid are 0.
    """

    ports: ClassVar[Ports] = Ports(("boxes", "anchors"))
    box_ports: ClassVar[frozenset[str]] = frozenset({"boxes", "anchors"})

    def is_discontinuous(self, inputs: Inputs) -> bool:
        del inputs
        return True


class ClipBoxes(TakesBoxes):
    """Clips boxes to an image, (rows, 4) or (rows, classes, 4).

    Rows of −1 become boxes of no area, which are not valid either.
    """

    ports: ClassVar[Ports] = Ports(("boxes", "image"))
    box_ports: ClassVar[frozenset[str]] = frozenset({"boxes"})
    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[2]

    def infer(self, inputs: Inputs) -> Outputs:
        require_boxes(self, inputs["boxes"], "boxes", of_classes=True)
        require_axes(self, inputs["image"], *self.axes, "channels", port="image")
        return single((*inputs["boxes"].shape[:-1], CORNERS))

    def passes_gradient(self, port: str) -> bool:
        return port == "boxes"
