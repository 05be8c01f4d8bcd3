"""A random part of a picture. Keras 3.15.1 documents the middle of it in inference, and gives the whole picture."""

from __future__ import annotations

from typing import Any

import keras

__all__ = ["RandomCrop"]


@keras.saving.register_keras_serializable("nnspec")
class RandomCrop(keras.layers.RandomCrop):  # type: ignore[misc]
    """Keras's layer, with the inference, and the treatment of smaller pictures, that it documents.

    It takes a batch of pictures whose height and width are known.
    """

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        images = data["images"] if isinstance(data, dict) else data
        height, width = images.shape[1:3]
        if training and height >= self.height and width >= self.width:
            seed = seed or self._get_seed_generator(self.backend._backend)
            begin = [
                self.backend.cast(self.backend.random.uniform((), 0.0, float(room + 1), seed=seed), "int32")
                for room in (height - self.height, width - self.width)
            ]
            # A draw just below the bound is rounded up to it where the bound is large.
            begin = [
                self.backend.numpy.minimum(start, room)
                for start, room in zip(begin, (height - self.height, width - self.width), strict=True)
            ]
            return (*begin, self.height, self.width)
        tall = max(min(height, width * self.height // self.width), 1)
        wide = max(min(width, height * self.width // self.height), 1)
        return (height - tall) // 2, (width - wide) // 2, tall, wide

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> Any:
        del training
        top, left, tall, wide = transformation
        images = self.backend.cast(images, self.compute_dtype)
        part = images[:, top : top + tall, left : left + wide, :]
        if (tall, wide) == (self.height, self.width):
            return part
        return self.backend.image.resize(part, (self.height, self.width), data_format="channels_last")
