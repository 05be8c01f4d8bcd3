"""Image transforms. The classes are named as in a spec."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from nnspec.data.image_files import INTERPOLATIONS, Interpolation, load_pillow
from nnspec.data.kinds import Column, DataError
from nnspec.data.transforms.base import Learned, Transform, require_numbers
from nnspec.layers.scalars import PositiveInt

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

    def infer(self, column: Column) -> Column:
        require_numbers("resize", column)
        if len(column.shape) not in (2, 3):
            reason = f"`resize` requires images (height, width, channels), but the values have shape {column.shape_text}"
            raise DataError(reason)
        return Column((*self.size, *column.shape[2:]), column.dtype if column.dtype == "uint8" else "float32")

    def apply(self, values: Values, learned: Learned) -> Values:
        del learned
        import numpy as np

        image = load_pillow()
        height, width = self.size
        resampling = getattr(image.Resampling, INTERPOLATIONS[self.interpolation])
        byte = values.dtype == np.uint8
        planes = values if values.ndim == 4 else values[..., None]
        made = np.empty((len(values), height, width, planes.shape[-1]), np.uint8 if byte else np.float32)
        for row, pixels in enumerate(planes):
            for channel in range(pixels.shape[-1]):
                plane = np.ascontiguousarray(pixels[..., channel], made.dtype)
                made[row, ..., channel] = np.asarray(image.fromarray(plane).resize((width, height), resampling))
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
