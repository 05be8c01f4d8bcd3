"""Random geometric augmentations of images."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, ClassVar, Literal

from pydantic import Field, Strict

from nnspec.layers.augmentation import FillMode, Geometric, Interpolation, Share, Shares, Signed, ValueRange
from nnspec.layers.base import Inputs, LayerError, Outputs, Window, single
from nnspec.layers.scalars import Number, PositiveInt
from nnspec.types import TensorType

_FILL = "The value outside the image if `fill_mode` is `constant`."

_Zoom = Annotated[float, Strict(), Field(gt=-1, le=1)]


class RandomFlip(Geometric):
    """Randomly flips images horizontally, vertically or both."""

    main_argument: ClassVar[str | None] = "mode"

    mode: Literal["horizontal", "vertical", "horizontal_and_vertical"] = Field(
        "horizontal_and_vertical", description="The direction of the flips."
    )


class RandomRotation(Geometric):
    """Randomly rotates images about their center."""

    main_argument: ClassVar[str | None] = "factor"

    factor: Signed = Field(
        description="The maximum rotation in either direction as a fraction of a full turn; or [low, high] to draw from."
    )
    fill_mode: FillMode = "reflect"
    interpolation: Interpolation = "bilinear"
    fill_value: Number = Field(0.0, description=_FILL)


class RandomZoom(Geometric):
    """Randomly zooms images in or out."""

    main_argument: ClassVar[str | None] = "height_factor"

    height_factor: _Zoom | tuple[_Zoom, _Zoom] = Field(
        description="The maximum zoom in either direction, positive for zooming out; or [low, high] to draw from."
    )
    width_factor: _Zoom | tuple[_Zoom, _Zoom] | None = Field(
        None, description="The zoom of the width; null: the same as the height."
    )
    fill_mode: FillMode = "reflect"
    interpolation: Interpolation = "bilinear"
    fill_value: Number = Field(0.0, description=_FILL)


class RandomTranslation(Geometric):
    """Randomly shifts images."""

    height_factor: Signed = Field(
        description="The maximum vertical shift as a fraction of the height; or [low, high] to draw from."
    )
    width_factor: Signed = Field(
        description="The maximum horizontal shift as a fraction of the width; or [low, high] to draw from."
    )
    fill_mode: FillMode = "reflect"
    interpolation: Interpolation = "bilinear"
    fill_value: Number = Field(0.0, description=_FILL)


class RandomShear(Geometric):
    """Randomly shears images."""

    x_factor: Shares = Field(0.0, description="The maximum shear along the width; or [low, high] to draw from.")
    y_factor: Shares = Field(0.0, description="The maximum shear along the height; or [low, high] to draw from.")
    interpolation: Interpolation = "bilinear"
    fill_mode: FillMode = "reflect"
    fill_value: Number = Field(0.0, description=_FILL)


class RandomPerspective(Geometric):
    """Applies a random perspective transformation to images."""

    main_argument: ClassVar[str | None] = "factor"

    factor: Shares = Field(1.0, description="The probability of changing an image; or [low, high] to draw from.")
    scale: Share = Field(1.0, description="How far the corners may move.")
    interpolation: Interpolation = "bilinear"
    fill_value: Number = Field(0.0, description="The value outside the image.")


class RandomElasticTransform(Geometric):
    """Applies a random elastic deformation to images (Simard et al. 2003)."""

    moves_boxes: ClassVar[bool] = False

    main_argument: ClassVar[str | None] = "factor"

    factor: Shares = Field(1.0, description="The probability of changing an image; or [low, high] to draw from.")
    scale: Shares = Field(1.0, description="The strength of the deformation; or [low, high] to draw from.")
    interpolation: Interpolation = "bilinear"
    fill_mode: FillMode = "reflect"
    fill_value: Number = Field(0.0, description=_FILL)
    value_range: ValueRange = (0, 255)


class RandomCrop(Geometric):
    """Crops images to a given size, at a random position in training.

    At inference, and for smaller images, it takes the largest centered crop with the same aspect ratio and resizes it.
    """

    height: PositiveInt = Field(description="The output height.")
    width: PositiveInt = Field(description="The output width.")

    def infer(self, inputs: Inputs) -> Outputs:
        super().infer(inputs)
        self.window(inputs["x"])
        return single((self.height, self.width, inputs["x"].shape[-1]))

    def window(self, x: TensorType) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return the start and size of the crop at inference, along the height and along the width.

        Raises:
            LayerError: If the size of the image is not fixed.

        Example:
            >>> RandomCrop(height=4, width=4).window(TensorType((8, 12, 3)))
            ((0, 8), (2, 8))
        """
        height, width = x.shape[:2]
        if not isinstance(height, int) or not isinstance(width, int):
            raise LayerError(
                f"RandomCrop needs images with fixed height and width, got {x}",
                help="declare them as numbers under `inputs`",
                port="x",
            )
        tall = max(min(height, width * self.height // self.width), 1)
        wide = max(min(width, height * self.width // self.height), 1)
        return ((height - tall) // 2, tall), ((width - wide) // 2, wide)

    def receptive_field(self, inputs: Inputs) -> Window | None:
        """Output p is at ``(p + 1/2) · step − 1/2`` in the crop, and depends on positions at a distance below 1."""
        parts = self.window(inputs["x"])
        steps = [Fraction(size, target) for (_, size), target in zip(parts, (self.height, self.width), strict=True)]
        between = [1 - Fraction(1, step.denominator) if step != 1 else Fraction(0) for step in steps]
        sizes = tuple(1 + 2 * reach if step != 1 else Fraction(1) for step, reach in zip(steps, between, strict=True))
        starts = tuple(begin + (step - 1) / 2 - reach for (begin, _), step, reach in zip(parts, steps, between, strict=True))
        return Window(sizes, tuple(steps), starts)
