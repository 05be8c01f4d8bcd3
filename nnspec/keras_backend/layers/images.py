"""Image layers of Keras 3.15.1 with fixes."""

from __future__ import annotations

from typing import Any

import keras


@keras.saving.register_keras_serializable("nnspec")
class CenterCrop(keras.layers.CenterCrop):  # type: ignore[misc]
    """Crops a batch of images of any size that is large enough.

    Keras 3.15.1 loses the output's size in a compiled function if the input's size is not known.
    """

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Any:
        part = super().transform_images(images, transformation, training)
        return self.backend.numpy.reshape(part, (-1, self.height, self.width, self.backend.shape(images)[-1]))


@keras.saving.register_keras_serializable("nnspec")
class RandomCrop(keras.layers.RandomCrop):  # type: ignore[misc]
    """Crops a batch of images of known height and width as Keras documents it.

    In inference Keras 3.15.1 returns the whole image instead of its center, and it handles smaller images differently.
    """

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        images = data["images"] if isinstance(data, dict) else data
        height, width = images.shape[1:3]
        if training and height >= self.height and width >= self.width:
            seed = seed or self._get_seed_generator(self.backend._backend)
            begin = []
            for room in (height - self.height, width - self.width):
                start = self.backend.cast(self.backend.random.uniform((), 0.0, float(room + 1), seed=seed), "int32")
                # A draw just below a large bound is rounded up to the bound.
                begin.append(self.backend.numpy.minimum(start, room))
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


@keras.saving.register_keras_serializable("nnspec")
class RandomShear(keras.layers.RandomShear):  # type: ignore[misc]
    """Saves the factors as given. Keras 3.15.1 saves a single factor f as (−f, f), and rejects that when it loads."""

    def __init__(self, x_factor: Any = 0.0, y_factor: Any = 0.0, **arguments: Any) -> None:
        super().__init__(x_factor=x_factor, y_factor=y_factor, **arguments)
        self.given = {"x_factor": x_factor, "y_factor": y_factor}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.given}


@keras.saving.register_keras_serializable("nnspec")
class UpSampling2D(keras.layers.UpSampling2D):  # type: ignore[misc]
    """Interpolates a batch of images of any size linearly.

    Keras 3.15.1 fails in a compiled function if the input's size is not known.
    """

    def call(self, inputs: Any) -> Any:
        for axis, factor in enumerate(self.size, 1):
            inputs = _linearly_upsampled(inputs, axis, factor)
        return inputs


def _linearly_upsampled(x: Any, axis: int, factor: int) -> Any:
    """Upsample one axis: each position becomes ``factor``, between it and the neighbor on their side; the ends are repeated."""
    ops = keras.ops

    sizes = list(ops.shape(x))

    def part(first: Any, last: Any) -> Any:
        inside = [slice(None)] * len(sizes)
        inside[axis] = slice(first, last)
        return x[tuple(inside)]

    before = ops.concatenate([part(None, 1), part(None, -1)], axis)
    behind = ops.concatenate([part(1, None), part(-1, None)], axis)
    phases = []
    for phase in range(factor):
        offset = (phase + 0.5) / factor - 0.5
        low, high, distance = (before, x, offset + 1) if offset < 0 else (x, behind, offset)
        phases.append(low + (high - low) * distance)
    sizes[axis] = sizes[axis] * factor
    return ops.reshape(ops.stack(phases, axis + 1), sizes)
