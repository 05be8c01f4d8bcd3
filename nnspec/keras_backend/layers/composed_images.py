"""Augmentations that Keras does not have: resized crops, and mosaics of four images."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops


class _Random(keras.layers.Layer):  # type: ignore[misc]
    """The base class of random image layers that are called as Keras's are."""

    def __init__(self, seed: int | None = None, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.generator = keras.random.SeedGenerator(seed)

    def transform_segmentation_masks(self, masks: Any, drawn: Any, training: bool = True) -> Any:
        """The labels, which are not interpolated, with the same change."""
        return self._transformed(masks, drawn, "nearest") if training else masks

    def transform_images(self, images: Any, drawn: Any, training: bool = True) -> Any:
        """The images, (N, H, W, C)."""
        return self._transformed(images, drawn, self.interpolation) if training else images

    def _uniform(self, shape: tuple[Any, ...], low: float, high: float) -> Any:
        return keras.random.uniform(shape, low, high, seed=self.generator)

    def _transformed(self, images: Any, drawn: Any, interpolation: str) -> Any:
        raise NotImplementedError


def affine(scale_x: Any, shift_x: Any, scale_y: Any, shift_y: Any) -> Any:
    """The matrices, (N, 8), that map pixels of the output to pixels of the input, of maps of coordinates.

    The center of pixel i is at i + 1/2.

    Args:
        scale_x: How far the input moves when x of the output moves by one, (N,).
        shift_x: The coordinate in the input of 0 in the output, (N,).
        scale_y: The same along the height.
        shift_y: The same along the height.
    """
    zero = ops.zeros_like(scale_x)
    x, y = (shift + 0.5 * scale - 0.5 for scale, shift in ((scale_x, shift_x), (scale_y, shift_y)))
    return ops.stack([scale_x, zero, x, zero, scale_y, y, zero, zero], axis=1)


class RandomResizedCrop(_Random):
    """Crops a random part of each image and resizes it to the size of the image."""

    def __init__(self, area: Any = (0.3, 1.0), aspect_ratio: Any = (0.75, 4 / 3), interpolation: str = "bilinear", **more: Any):
        super().__init__(**more)
        self.area, self.aspect_ratio, self.interpolation = area, aspect_ratio, interpolation

    def get_random_transformation(self, images: Any, training: bool = True) -> dict[str, Any]:
        """The matrices of a batch of images."""
        del training
        count, height, width = ops.shape(images)[0], images.shape[1], images.shape[2]
        area = self._uniform((count,), *self.area)
        ratio = ops.exp(self._uniform((count,), *(float(np.log(value)) for value in self.aspect_ratio)))
        wide = ops.minimum(ops.sqrt(area * ratio), 1.0)
        tall = ops.minimum(ops.sqrt(area / ratio), 1.0)
        left, top = (self._uniform((count,), 0.0, 1.0) * (1 - share) for share in (wide, tall))
        return {"matrix": affine(wide, left * width, tall, top * height)}

    def _transformed(self, images: Any, drawn: Any, interpolation: str) -> Any:
        return ops.image.affine_transform(
            ops.cast(images, self.compute_dtype),
            drawn["matrix"],
            interpolation=interpolation,
            fill_mode="nearest",
            data_format="channels_last",
        )


class RandomMosaic(_Random):
    """Composes each image of four, which meet at a random point."""

    interpolation = "bilinear"

    def __init__(
        self, factor: float = 1.0, center: Any = (0.3, 0.7), scale: Any = (0.5, 1.0), fill_value: float = 0.0, **more: Any
    ) -> None:
        super().__init__(**more)
        self.factor, self.fill_value = factor, fill_value
        self.center, self.scale = (pair if isinstance(pair, tuple) else (pair, pair) for pair in (center, scale))

    def get_random_transformation(self, images: Any, training: bool = True) -> dict[str, Any]:
        """What is drawn for a batch of images.

        Returns:
            ``order``, (4, N): the image in each quarter. ``matrices``, (4, N, 8): the pixel of that image at each pixel.
            ``regions``, (4, N, 4): the quarters, ``x1 y1 x2 y2``; an unchanged image is the first, and the others are empty.
        """
        del training
        count, height, width = ops.shape(images)[0], images.shape[1], images.shape[2]
        own = ops.arange(count)
        order = [own, *(keras.random.shuffle(own, seed=self.generator) for _ in range(3))]
        x = ops.round(self._uniform((count,), *self.center) * width)
        y = ops.round(self._uniform((count,), *self.center) * height)
        scales = self._uniform((4, count), *self.scale)
        changed = self._uniform((count,), 0.0, 1.0) < self.factor
        zero, ones = ops.zeros_like(x), ops.ones_like(x)
        matrices, regions = [], []
        for quarter in range(4):
            scale = scales[quarter]
            # The corner of the image that is at the point, in pixels of the image.
            corner_x, corner_y = float(width * (quarter % 2 == 0)), float(height * (quarter < 2))
            matrix = affine(1 / scale, corner_x - x / scale, 1 / scale, corner_y - y / scale)
            region = [zero, zero, x, y] if quarter == 0 else [x, zero, zero + width, y] if quarter == 1 else None
            region = region or ([zero, y, x, zero + height] if quarter == 2 else [x, y, zero + width, zero + height])
            same = [zero, zero, zero + width, zero + height] if quarter == 0 else [zero] * 4
            regions.append(ops.where(changed[:, None], ops.stack(region, 1), ops.stack(same, 1)))
            matrices.append(ops.where(changed[:, None], matrix, affine(ones, zero, ones, zero)))
        return {"order": ops.stack(order), "matrices": ops.stack(matrices), "regions": ops.stack(regions)}

    def _transformed(self, images: Any, drawn: Any, interpolation: str) -> Any:
        images = ops.cast(images, self.compute_dtype)
        height, width = images.shape[1], images.shape[2]
        columns = ops.arange(width, dtype="float32")[None, None, :, None] + 0.5
        rows = ops.arange(height, dtype="float32")[None, :, None, None] + 0.5
        made = ops.full_like(images, self.fill_value)
        for quarter in range(4):
            order, matrix, region = (drawn[key][quarter] for key in ("order", "matrices", "regions"))
            part = ops.image.affine_transform(
                ops.take(images, order, axis=0),
                matrix,
                interpolation=interpolation,
                fill_mode="constant",
                fill_value=self.fill_value,
                data_format="channels_last",
            )
            x1, y1, x2, y2 = (region[:, i][:, None, None, None] for i in range(4))
            made = ops.where((columns > x1) & (columns < x2) & (rows > y1) & (rows < y2), part, made)
        return made
