"""Boxes of images. The Python class is named as in a spec."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, PrivateAttr, Strict

from nnspec.data.image_frames import Resized
from nnspec.data.kinds import Column, DataError
from nnspec.data.transforms.base import Learned, Transform
from nnspec.layers.scalars import Flag, PositiveInt

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nnspec.data.readers.base import Table

    Values = NDArray[Any]

_ROUNDING = 1.0
"""How far a box may exceed its image, in pixels."""

_FRACTIONS = 1e-3
"""How far a fraction may exceed 1."""


class BoxError(DataError):
    """A box that cannot be used.

    Attributes:
        row: The row of its image.
        item: Its number in the row.
    """

    def __init__(self, row: int, item: int, message: str, *, help: str) -> None:
        super().__init__(message, help=help)
        self.row, self.item = row, item


class boxes(Transform):  # noqa: N801
    """Declares rows of four numbers as boxes of an image, ``x1 y1 x2 y2`` in pixels of the image as the network takes it.

    The boxes are moved with the image: by the reader's `image_size`, by `resize`, and by the augmentations. The readers `coco`,
    `yolo` and `voc` have boxes already.
    """

    main_argument: ClassVar[str | None] = "of"
    takes_ragged: ClassVar[bool] = True

    of: Annotated[str, Strict()] | None = Field(
        None,
        description="The input with the image, or its column if one input uses it. Default: the image of the reader's boxes, "
        "or the only image.",
        examples=["image"],
    )
    format: Literal["xyxy", "xywh", "cxcywh"] = Field(
        "xyxy", description="Two corners, a corner and a size, or the center and a size."
    )
    relative: Flag = Field(False, description="Whether the numbers are fractions of the image's width and height.")
    size: Annotated[list[PositiveInt], Field(min_length=2, max_length=2)] | None = Field(
        None, description="Height and width of the image as the network takes it. Default: derived from the input's `resize`."
    )
    pad_to_aspect_ratio: Flag = Field(
        False, description="Whether the image is padded to `size`. Default: derived from the input's `resize`."
    )

    _frames: Any = PrivateAttr(None)

    def infer(self, column: Column) -> Column:
        rows = column.shape[1:] in ((4,), (None,)) or column.shape in ((None,), (0,))
        if column.is_text or not rows:
            got = "text" if column.is_text else f"values of shape {column.shape_text}"
            help = "name a column with a list of boxes for each image: [[x1, y1, x2, y2], …]"
            raise DataError(f"`boxes` requires rows of four numbers, but the column has {got}", help=help)
        return Column((None, 4), "float32", ragged=True, fill=-1, boxes_of=self.of or column.boxes_of)

    def in_table(self, table: Table) -> Transform:
        assert self.of is not None
        if self.of not in table.columns:
            raise DataError(f"the image of the boxes, the column `{self.of}`, is not in the data", help="add it")
        frames = table.image_frames(self.of)
        if frames is None:
            raise DataError(f"the size of the images in `{self.of}` is not known")
        made = self.model_copy()
        made._frames = frames if self.size is None else frames.resized(Resized.of(self.size, padded=self.pad_to_aspect_ratio))
        return made

    def apply(self, values: Values, learned: Learned) -> Values:
        """Return the boxes of each row, an object array of arrays of shape (boxes, 4), float32.

        Raises:
            BoxError: If a box is not in its image.
        """
        del learned
        import numpy as np

        lengths = np.array([len(value) for value in values], np.int64)
        parts = [np.asarray(value, np.float64).reshape(-1, 4) for value in values if len(value)]
        flat = np.concatenate(parts) if parts else np.zeros((0, 4))
        rows = np.repeat(np.arange(len(values)), lengths)
        stored = self._frames.stored[rows][:, ::-1].astype(np.float64)
        corners = self._corners(flat, stored, rows, lengths)
        moved = self._frames.to_network(np.clip(corners.reshape(-1, 2, 2), 0, stored[:, None]).reshape(-1, 4), rows)
        made = np.empty(len(values), object)
        ends = np.cumsum(lengths)
        for row, (start, end) in enumerate(zip(ends - lengths, ends, strict=True)):
            made[row] = moved[start:end].astype(np.float32)
        return made

    def _corners(
        self, flat: Values, stored: Values, rows: NDArray[np.int64], lengths: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return the corners in pixels of the image as stored."""
        import numpy as np

        def refuse(bad: Any, reason: str, help: str) -> None:
            if bad.any():
                first = int(bad.argmax())
                row = int(rows[first])
                box = "[" + ", ".join(f"{value:g}" for value in flat[first]) + "]"
                size = f"{stored[first, 0]:g}×{stored[first, 1]:g}"
                item = first - int(lengths[:row].sum())
                raise BoxError(row, item, f"the box {box} of an image of {size} {reason}", help=help)

        refuse(~np.isfinite(flat).all(1), "has a number that is not finite", "write four numbers")
        limit = 1 + _FRACTIONS
        if self.relative:
            refuse((np.abs(flat) > limit).any(1), "has a number above 1", "remove `relative`, or write fractions of the image")
        elif len(flat) and np.abs(flat).max() <= 1 and stored.min() > 4:
            small = np.ones(len(flat), bool)
            refuse(
                small,
                "is smaller than a pixel, as are all others",
                "if the numbers are fractions of the image, write `relative: true`",
            )
        values = flat * np.tile(stored, 2) if self.relative else flat
        if self.format == "xyxy":
            corners = values
        elif self.format == "xywh":
            corners = np.concatenate([values[:, :2], values[:, :2] + values[:, 2:]], 1)
        else:
            corners = np.concatenate([values[:, :2] - values[:, 2:] / 2, values[:, :2] + values[:, 2:] / 2], 1)
        reversed_ = (corners[:, 2:] < corners[:, :2]).any(1)
        outside = ((corners[:, :2] < -_ROUNDING) | (corners[:, 2:] > stored + _ROUNDING)).any(1)
        help = self._other_format(values, stored) if reversed_.any() or outside.any() else ""
        refuse(reversed_, "has corners in the wrong order" if self.format == "xyxy" else "has a negative size", help)
        refuse(outside, "exceeds it", help)
        return corners

    def _other_format(self, values: Values, stored: Values) -> str:
        """Return the format in which all boxes are in their image, as a help."""
        import numpy as np

        starts, ends = values[:, :2], values[:, 2:]
        readings = {"xyxy": (starts, ends), "xywh": (starts, starts + ends), "cxcywh": (starts - ends / 2, starts + ends / 2)}
        for name, (low, high) in readings.items():
            if name != self.format and (low >= -_ROUNDING).all() and (high <= stored + _ROUNDING).all() and (low <= high).all():
                return f"in the format `{name}`, all boxes are in their images: write `format: {name}`"
        return "correct the box; the numbers are pixels of the image as stored" if np.size(values) else ""
