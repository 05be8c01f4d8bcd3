"""Transforms of pictures. The classes have the names that a spec uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from nnspec.data.kinds import Column, DataError
from nnspec.data.pictures import INTERPOLATIONS, Interpolation, load_pillow
from nnspec.data.transforms.base import Learned, Transform, require_numbers
from nnspec.layers.scalars import PositiveInt

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[Any]

__all__ = ["resize"]


class resize(Transform):  # noqa: N801
    """Pictures of another size: height and width; making smaller averages over what is left out."""

    main_argument: ClassVar[str | None] = "size"
    sets_size: ClassVar[bool] = True

    size: Annotated[list[PositiveInt], Field(min_length=2, max_length=2)] = Field(description="Height and width.")
    interpolation: Interpolation = Field("bilinear", description="How a pixel comes from those around it.")

    def infer(self, column: Column) -> Column:
        require_numbers("resize", column)
        if len(column.shape) not in (2, 3):
            reason = f"`resize` takes pictures (height, width, channels), and the values have the shape {column.shape_text}"
            raise DataError(reason)
        return Column((*self.size, *column.shape[2:]), column.dtype if column.dtype == "uint8" else "float32")

    def apply(self, values: Values, learned: Learned) -> Values:
        del learned
        import numpy as np

        image = load_pillow()
        height, width = self.size
        way = getattr(image.Resampling, INTERPOLATIONS[self.interpolation])
        byte = values.dtype == np.uint8
        planes = values if values.ndim == 4 else values[..., None]
        made = np.empty((len(values), height, width, planes.shape[-1]), np.uint8 if byte else np.float32)
        for row, picture in enumerate(planes):
            for channel in range(picture.shape[-1]):
                plane = np.ascontiguousarray(picture[..., channel], made.dtype)
                made[row, ..., channel] = np.asarray(image.fromarray(plane).resize((width, height), way))
        return made if values.ndim == 4 else made[..., 0]
