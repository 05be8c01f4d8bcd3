"""Where the pixels of images are after they are resized, with or without padding."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nnspec.data.kinds import Column, DataError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nnspec.data.readers.base import Table
    from nnspec.data.transforms import Transform


@dataclass(frozen=True)
class Resized:
    """The size to which images are resized.

    Attributes:
        height: In pixels, with the padding.
        width: In pixels, with the padding.
        padded: Whether images keep their aspect ratio and are padded to the size.
    """

    height: int
    width: int
    padded: bool = False

    @classmethod
    def of(cls, size: Sequence[int], *, padded: bool) -> Resized:
        """Return the step to a size that is written as a list of the height and the width."""
        height, width = size
        return cls(height, width, padded)


def padded_size(height: Any, width: Any, to: Resized) -> tuple[Any, Any]:
    """Return the height and width of images that are resized with their aspect ratio, without the padding.

    Each is the largest that fits, rounded to whole pixels.

    Args:
        height: An integer, or an array of integers.
        width: The same.
        to: The size with the padding.

    Example:
        >>> padded_size(480, 640, Resized(128, 128, True))
        (96, 128)
    """
    is_array = hasattr(height, "dtype")
    high = height * to.width >= width * to.height
    across = (2 * width * to.height + height) // (2 * height)
    down = (2 * height * to.width + width) // (2 * width)
    if not is_array:
        return (to.height, max(1, across)) if high else (max(1, down), to.width)
    import numpy as np

    return np.where(high, to.height, np.maximum(down, 1)), np.where(high, np.maximum(across, 1), to.width)


def padding_before(height: Any, width: Any, to: Resized) -> tuple[Any, Any]:
    """Return the padding above and left of images; the image is in the middle.

    Example:
        >>> padding_before(96, 128, Resized(128, 128, True))
        (16, 0)
    """
    return (to.height - height) // 2, (to.width - width) // 2


@dataclass(frozen=True)
class ImageFrames:
    """The places of images as stored in the images that a network takes: ``position · scale + offset``, for x and y.

    Attributes:
        stored: The height and width of each image as stored, (N, 2).
        size: Those of the image that the network takes, (N, 2).
        scale: The scale along x and y, (N, 2).
        offset: The offset along x and y, in pixels of the network's image, (N, 2).
    """

    stored: NDArray[np.int64]
    size: NDArray[np.int64]
    scale: NDArray[np.float64]
    offset: NDArray[np.float64]

    @classmethod
    def unchanged(cls, stored: NDArray[np.int64]) -> ImageFrames:
        """Return the frames of images that are not resized.

        Args:
            stored: Their height and width, (N, 2).
        """
        import numpy as np

        return cls(stored, stored, np.ones(stored.shape), np.zeros(stored.shape))

    def __len__(self) -> int:
        return len(self.stored)

    def rows(self, some: Any) -> ImageFrames:
        """Return the frames of some images, by a slice, a mask or indices."""
        return ImageFrames(self.stored[some], self.size[some], self.scale[some], self.offset[some])

    def resized(self, to: Resized) -> ImageFrames:
        """Return the frames after a further step.

        Args:
            to: The size to which all images are resized.

        Example:
            >>> import numpy as np
            >>> frames = ImageFrames.unchanged(np.array([[480, 640]])).resized(Resized(128, 128, padded=True))
            >>> frames.scale.tolist(), frames.offset.tolist()
            ([[0.2, 0.2]], [[0.0, 16.0]])
        """
        import numpy as np

        height, width = self.size[:, 0], self.size[:, 1]
        made = np.broadcast_to(np.array([to.height, to.width], np.int64), self.size.shape)
        shown = made if not to.padded else np.stack(padded_size(height, width, to), -1)
        scale = (shown / self.size)[:, ::-1]
        before = np.zeros(self.size.shape)
        if to.padded:
            before = np.stack(padding_before(shown[:, 0], shown[:, 1], to), -1)[:, ::-1].astype(np.float64)
        return ImageFrames(self.stored, made, self.scale * scale, self.offset * scale + before)

    def to_network(self, corners: NDArray[np.float64], rows: Any) -> NDArray[np.float64]:
        """Move boxes of images as stored to those that the network takes.

        Args:
            corners: The boxes ``x1 y1 x2 y2``, (…, 4).
            rows: The image of each box, (…).
        """
        points = corners.reshape(*corners.shape[:-1], 2, 2)
        made: NDArray[np.float64] = points * self.scale[rows][..., None, :] + self.offset[rows][..., None, :]
        return made.reshape(corners.shape)

    def to_stored(self, corners: NDArray[np.float64], rows: Any) -> NDArray[np.float64]:
        """Move boxes of images that the network takes to those as stored, without clipping them.

        Args:
            corners: The boxes ``x1 y1 x2 y2``, (…, 4).
            rows: The image of each box, (…).
        """
        points = corners.reshape(*corners.shape[:-1], 2, 2)
        made: NDArray[np.float64] = (points - self.offset[rows][..., None, :]) / self.scale[rows][..., None, :]
        return made.reshape(corners.shape)


def image_frames(table: Table, column: str, transforms: Iterable[Transform]) -> ImageFrames | None:
    """Return the places of the images of a table, as stored, in those after transforms; None if they are not known.

    Args:
        table: The table.
        column: Its column of images.
        transforms: The transforms of the column.
    """
    frames, steps = table.image_frames(column), resizing_steps(transforms, table.columns[column])
    if frames is None or steps is None:
        return None
    for step in steps:
        frames = frames.resized(step)
    return frames


def resizing_steps(transforms: Iterable[Transform], column: Column) -> list[Resized] | None:
    """Return the sizes to which transforms resize images, in order; None if a transform does not accept the column.

    Args:
        transforms: The transforms.
        column: The column of images before them.
    """
    found = []
    for step in transforms:
        try:
            column = step.infer(column)
        except DataError:
            return None
        if step.sets_size:
            height, width = column.shape[:2]
            assert height is not None
            assert width is not None
            found.append(Resized(height, width, step.pads_images))
    return found
