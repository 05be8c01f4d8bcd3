"""Matching of anchors with the boxes of objects, and sampling of matched rows: the targets of detectors."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from nnspec.layers.base import EVERYTHING, Inputs, LayerError, Outputs, Ports, Window
from nnspec.layers.boxes import CORNERS
from nnspec.layers.checks import require_boxes
from nnspec.layers.interfaces import Labels, TakesBoxes
from nnspec.layers.scalars import Flag, Fraction, NotNegative, PositiveInt, PositiveNumber, WholeNumber
from nnspec.types import Dim, TensorType, same_size

BACKGROUND = -1
"""The class of an anchor that no box matches."""

IGNORED = -2
"""The class of an anchor that a loss leaves out."""

SAME_SHAPE = 1e-4
"""The difference up to which two intersections over union of shapes count as equal: anchors of one shape differ by rounding."""

Range = Annotated[list[NotNegative], Field(min_length=2, max_length=2)]


def require_labels(layer: TakesBoxes, inputs: Inputs, port: str, rows: str) -> None:
    """Check that an input has an integer for each row of another.

    Raises:
        LayerError: If it has not.
    """
    if port not in inputs:
        return
    given = inputs[port]
    if not given.is_integer:
        raise LayerError(
            f"{type(layer).__name__} takes integers as `{port}`, got {given.dtype}",
            help="encode the names of classes: `label_encode`",
            port=port,
        )
    if given.rank != 1 or same_size(given.shape[0], inputs[rows].shape[0]) is False:
        raise LayerError(
            f"`{port}` must have one integer for each row of `{rows}`, got {given} and {inputs[rows]}",
            help="pad both to the same number of rows: `{pad: 50}`",
            port=port,
        )


class MatchBoxes(TakesBoxes, Labels):
    """Finds the box that each anchor should predict: the targets of a detector.

    `iou` matches an anchor with the box of the largest intersection over union, if it is at least ``foreground``; with
    ``keep_best``, the best anchor of each box is matched with it as well (Ren et al. 2015, Liu et al. 2016, Lin et al. 2017).
    `center` matches an anchor with the smallest box that contains its center and has a suitable size (Tian et al. 2019). `grid`
    matches a box with one anchor: that whose center is the nearest, of those whose width and height are the most similar
    (Redmon and Farhadi 2017).

    An anchor that no box matches is background, of class −1. It is ignored, of class −2, if it is not valid, if it overlaps a
    box by ``background`` or more (not with `center`), or if at least half of it is in a box of ``crowd``; those match no
    anchor. Only valid boxes match. Without ``class``, every box has class 0.

    Outputs, a row for each anchor: ``boxes`` (the matched box, else −1), ``class``, ``row`` (the number of the matched box,
    else −1), and ``weight`` (0.0 if ignored, else 1.0). The memory needed is proportional to the number of anchors, whatever
    the number of boxes. No gradient passes.
    """

    ports: ClassVar[Ports] = Ports(("anchors", "boxes"), ("class", "crowd"))
    box_ports: ClassVar[frozenset[str]] = frozenset({"anchors", "boxes"})
    no_classes: ClassVar[tuple[int, ...]] = (BACKGROUND, IGNORED)
    main_argument: ClassVar[str | None] = "by"

    by: Literal["iou", "center", "grid"] = Field("iou", description="How anchors and boxes are matched.")
    foreground: Fraction = Field(0.5, description="`iou`: the smallest intersection over union of a matched anchor.")
    background: Fraction = Field(
        0.4,
        description="`iou`, `grid`: the smallest intersection over union with a box of an unmatched anchor to ignore.",
    )
    keep_best: Flag = Field(True, description="`iou`: whether each box is also matched with its best anchor.")
    scales: Range | None = Field(
        None,
        description="`center`: a box matches anchors whose center is at most `scales[1]` and more than `scales[0]` times the "
        "anchor's size from the farthest edge of the box; the smallest anchors have no lower bound, and the largest no upper "
        "bound. The size of an anchor is the square root of its area. FCOS: 4, 8 and anchors of the size of the stride.",
    )
    radius: PositiveNumber | None = Field(
        None, description="`center`: the largest distance from the center of a box along each axis, in sizes of the anchor."
    )

    @model_validator(mode="after")
    def _ordered(self) -> MatchBoxes:
        if self.by == "iou" and self.background > self.foreground:
            raise ValueError(f"`background` must be at most `foreground`, {self.foreground:g}; got {self.background:g}")
        if self.scales is not None and self.scales[0] >= self.scales[1]:
            raise ValueError(f"the first of `scales` must be smaller than the second; got {self.scales}")
        only = {"keep_best": "iou", "foreground": "iou", "background": "iou grid", "scales": "center", "radius": "center"}
        for name, by in only.items():
            if self.by not in by.split() and getattr(self, name) != type(self).model_fields[name].default:
                raise ValueError(f"`{name}` has no meaning with `by: {self.by}`; remove it")
        return self

    def infer(self, inputs: Inputs) -> Outputs:
        anchors = inputs["anchors"]
        for port in ("anchors", "boxes"):
            require_boxes(self, inputs[port], port)
        for port in ("class", "crowd"):
            require_labels(self, inputs, port, "boxes")
        rows = anchors.shape[0]
        return {
            "boxes": TensorType((rows, CORNERS)),
            "class": TensorType((rows,), "int32"),
            "row": TensorType((rows,), "int32"),
            "weight": TensorType((rows,)),
        }

    def agreeing_sizes(self, inputs: Inputs) -> tuple[tuple[int | Dim, int | Dim], ...]:
        return tuple((inputs[port].shape[0], inputs["boxes"].shape[0]) for port in ("class", "crowd") if port in inputs)

    def passes_gradient(self, port: str) -> bool:
        del port
        return False

    def is_discontinuous(self, inputs: Inputs) -> bool:
        del inputs
        return True

    def receptive_field(self, inputs: Inputs) -> Window | None:
        """The whole input: each anchor is compared with all boxes."""
        return EVERYTHING


class SampleProposals(TakesBoxes, Labels):
    """Chooses a fixed number of matched rows, with a share of positive ones (Girshick 2015, section 2.3).

    A row is positive if its ``class`` is 0 or more, as from `MatchBoxes`, and negative if it is −1; others are not chosen. In
    training the rows are chosen at random: up to ``share`` of them positive, and negative ones up to ``count``. At inference
    the first rows of each kind are chosen, in the same way. ``rows`` are the numbers of the chosen rows, positive ones first,
    and −1 where there are not enough.

    Outputs: ``rows`` (count), ``boxes`` (count, 4), the proposals of these rows, and ``class`` (count). Where a row is missing,
    the class is −2 and the box −1. No gradient passes. Match the chosen boxes again with `MatchBoxes` for their targets.
    """

    ports: ClassVar[Ports] = Ports(("boxes", "class"))
    box_ports: ClassVar[frozenset[str]] = frozenset({"boxes"})
    no_classes: ClassVar[tuple[int, ...]] = (BACKGROUND, IGNORED)
    main_argument: ClassVar[str | None] = "count"
    is_random: ClassVar[bool] = True

    count: PositiveInt = Field(128, description="The number of rows.")
    share: Fraction = Field(0.25, description="The largest share of positive rows.")
    seed: WholeNumber | None = Field(None, description="Seed of the random choices; null: derived from the seed of the build.")

    @property
    def most_positive(self) -> int:
        """The largest number of positive rows."""
        return round(self.count * self.share)

    def infer(self, inputs: Inputs) -> Outputs:
        require_boxes(self, inputs["boxes"], "boxes")
        require_labels(self, inputs, "class", "boxes")
        return {
            "rows": TensorType((self.count,), "int32"),
            "boxes": TensorType((self.count, CORNERS)),
            "class": TensorType((self.count,), "int32"),
        }

    def agreeing_sizes(self, inputs: Inputs) -> tuple[tuple[int | Dim, int | Dim], ...]:
        return ((inputs["class"].shape[0], inputs["boxes"].shape[0]),)

    def passes_gradient(self, port: str) -> bool:
        del port
        return False

    def receptive_field(self, inputs: Inputs) -> Window | None:
        """The whole input: any row can be chosen."""
        return EVERYTHING
