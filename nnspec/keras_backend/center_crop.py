"""The middle of pictures whose size is free. Keras 3.15.1 forgets, in a compiled function, how large what it cuts out is."""

from __future__ import annotations

from typing import Any

import keras

__all__ = ["CenterCrop"]


@keras.saving.register_keras_serializable("nnspec")
class CenterCrop(keras.layers.CenterCrop):  # type: ignore[misc]
    """Keras's layer, on a batch of pictures of any size that has room, whose output's size is known before it runs."""

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Any:
        part = super().transform_images(images, transformation, training)
        return self.backend.numpy.reshape(part, (-1, self.height, self.width, self.backend.shape(images)[-1]))
