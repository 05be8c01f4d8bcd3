"""Image transforms. The classes are named as in a spec."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field, model_validator

from nnspec.data.image_files import INTERPOLATIONS, Interpolation, load_pillow
from nnspec.data.image_frames import Resized, padded_size, padding_before
from nnspec.data.kinds import Column, DataError
from nnspec.data.transforms.base import Learned, Transform, require_numbers
from nnspec.layers.scalars import Flag, Number, PositiveInt

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[Any]


class resize(Transform):  # noqa: N801
    """Resizes images to a height and width; downsampling averages over the source pixels."""

    main_argument: ClassVar[str | None] = "size"
    sets_size: ClassVar[bool] = True

    size: Annotated[list[PositiveInt], Field(min_length=2, max_length=2)] = Field(
        description="Height and width.", examples=[[224, 224]]
    )
    interpolation: Interpolation = Field("bilinear", description="The interpolation method.")
    pad_to_aspect_ratio: Flag = Field(
        False,
        description="Whether to keep the aspect ratio: an image is resized to the largest size that fits, and padded to `size` "
        "on both sides. Boxes are moved with it, and detections are moved back.",
    )
    fill_value: Number = Field(0.0, description="The value of the padding, in each channel.")

    @model_validator(mode="after")
    def _used(self) -> resize:
        if "fill_value" in self.model_fields_set and self.fill_value and not self.pad_to_aspect_ratio:
            raise ValueError("`fill_value` is the value of the padding: write `pad_to_aspect_ratio: true`, or remove it")
        return self

    @property
    def pads_images(self) -> bool:
        return self.pad_to_aspect_ratio

    def infer(self, column: Column) -> Column:
        require_numbers("resize", column)
        if column.dtype == "uint8" and not (0 <= self.fill_value <= 255 and self.fill_value == int(self.fill_value)):
            reason = f"`fill_value` is {self.fill_value:g}, but the pixels are integers from 0 to 255"
            raise DataError(reason, help="write such an integer, or put `rescale` before `resize`")
        if len(column.shape) not in (2, 3):
            reason = f"`resize` requires images (height, width, channels), but the values have shape {column.shape_text}"
            raise DataError(reason)
        return Column((*self.size, *column.shape[2:]), column.dtype if column.dtype == "uint8" else "float32")

    def apply(self, values: Values, learned: Learned) -> Values:
        del learned
        import numpy as np

        image = load_pillow()
        to = Resized.of(self.size, padded=self.pad_to_aspect_ratio)
        resampling = getattr(image.Resampling, INTERPOLATIONS[self.interpolation])
        byte = values.dtype == np.uint8
        planes = values if values.ndim == 4 else values[..., None]
        height, width = padded_size(planes.shape[1], planes.shape[2], to) if to.padded else self.size
        top, left = padding_before(height, width, to)
        shape, dtype = (len(values), *self.size, planes.shape[-1]), np.uint8 if byte else np.float32
        made = np.full(shape, self.fill_value, dtype) if to.padded else np.empty(shape, dtype)
        for row, pixels in enumerate(planes):
            for channel in range(pixels.shape[-1]):
                plane = np.ascontiguousarray(pixels[..., channel], made.dtype)
                resized = np.asarray(image.fromarray(plane).resize((width, height), resampling))
                made[row, top : top + height, left : left + width, channel] = resized
        return made if values.ndim == 4 else made[..., 0]


class rgb(Transform):  # noqa: N801
    """Gives gray images three equal channels, as networks for color images need; images with three channels are unchanged."""

    def infer(self, column: Column) -> Column:
        require_numbers("rgb", column)
        if len(column.shape) != 3 or column.shape[-1] not in (1, 3):
            reason = f"`rgb` requires images with 1 or 3 channels, but the values have shape {column.shape_text}"
            raise DataError(reason, help="images are (height, width, channels)")
        return Column((*column.shape[:2], 3), column.dtype)

    def apply(self, values: Values, learned: Learned) -> Values:
        del learned
        return values if values.shape[-1] == 3 else values.repeat(3, axis=-1)
