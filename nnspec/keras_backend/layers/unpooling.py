"""Max pooling with indices and its inverse, for which Keras has no layers."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("nnspec")
class MaxPoolingWithIndices2D(keras.layers.Layer):  # type: ignore[misc]
    """Returns the largest value of each window, and its position in the image, counted row by row.

    Args:
        pool_size: The window's rows and columns.
        strides: Rows and columns between neighboring windows.
        padding: ``valid``, ``same``, or positions before and after the rows and the columns.
        **arguments: Arguments of Keras's ``Layer``.
    """

    def __init__(self, pool_size: Any, strides: Any, padding: Any = "valid", **arguments: Any) -> None:
        super().__init__(**arguments)
        self.pool_size, self.strides = tuple(pool_size), tuple(strides)
        self.padding: Any = padding if isinstance(padding, str) else tuple(tuple(sides) for sides in padding)

    def call(self, inputs: Any) -> tuple[Any, Any]:
        sizes = ops.shape(inputs)[1:3]
        rows, columns = (self._windows(axis, sizes[axis]) for axis in (0, 1))
        # With this much padding every window is inside for any size, so that only the windows' starts need to be computed.
        margin = [(size + step, size + step) for size, step in zip(self.pool_size, self.strides, strict=True)]
        x = ops.pad(inputs, ((0, 0), *margin, (0, 0)), constant_values=-float("inf"))
        best, where = None, None
        for row in range(self.pool_size[0]):
            for column in range(self.pool_size[1]):
                # The padding is never the largest, so that its positions may coincide with others.
                position = (rows + row)[:, None] * sizes[1] + (columns + column)[None, :]
                value = ops.take(ops.take(x, rows + row + margin[0][0], axis=1), columns + column + margin[1][0], axis=2)
                position = ops.broadcast_to(position[None, :, :, None], ops.shape(value))
                if best is None:
                    best, where = value, position
                else:
                    first = value > best
                    best, where = ops.where(first, value, best), ops.where(first, position, where)
        return best, ops.cast(where, "int32")

    def _windows(self, axis: int, size: Any) -> Any:
        """The first position of each window along an axis, negative in the padding."""
        span, step = self.pool_size[axis], self.strides[axis]
        if self.padding == "same":
            count = (size + step - 1) // step
            before = ops.maximum((count - 1) * step + span - size, 0) // 2
        else:
            before, after = (0, 0) if self.padding == "valid" else self.padding[axis]
            count = (size + before + after - span) // step + 1
        return ops.arange(count, dtype="int32") * step - ops.cast(before, "int32")

    def compute_output_spec(self, inputs: Any) -> Any:
        shape = (inputs.shape[0], *(self._count(axis, inputs.shape[axis + 1]) for axis in (0, 1)), inputs.shape[-1])
        return keras.KerasTensor(shape, dtype=self.compute_dtype), keras.KerasTensor(shape, dtype="int32")

    def _count(self, axis: int, size: Any) -> Any:
        if size is None:
            return None
        if self.padding == "same":
            return -(-size // self.strides[axis])
        around = 0 if self.padding == "valid" else sum(self.padding[axis])
        return (size + around - self.pool_size[axis]) // self.strides[axis] + 1

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "pool_size": self.pool_size, "strides": self.strides, "padding": self.padding}


@keras.saving.register_keras_serializable("nnspec")
class MaxUnpooling2D(keras.layers.Layer):  # type: ignore[misc]
    """Puts the values of x at the indices of an image of zeros, given ``[x, indices]`` or ``[x, indices, like]``.

    Args:
        factors: For each axis a factor and a summand that compute the image's size from that of x, if there is no ``like``.
        **arguments: Arguments of Keras's ``Layer``.
    """

    def __init__(self, factors: Any, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.factors = tuple(tuple(pair) for pair in factors)

    def call(self, inputs: Any) -> Any:
        x, indices, *like = inputs
        batch, *sizes, channels = ops.shape(x)
        rows, columns = ops.shape(like[0])[1:3] if like else self._sizes(sizes)
        area = rows * columns
        plane = ops.arange(batch, dtype="int32")[:, None, None, None] * area + ops.cast(indices, "int32")
        places = plane * channels + ops.arange(channels, dtype="int32")
        flat = ops.segment_sum(ops.reshape(x, (-1,)), ops.reshape(places, (-1,)), num_segments=batch * area * channels)
        return ops.reshape(flat, (batch, rows, columns, channels))

    def _sizes(self, sizes: Any) -> list[Any]:
        pairs = zip(sizes, self.factors, strict=True)
        return [added if not factor else None if size is None else size * factor + added for size, (factor, added) in pairs]

    def compute_output_shape(self, input_shape: Any) -> Any:
        x, _, *like = input_shape
        return (x[0], *(like[0][1:3] if like else self._sizes(x[1:3])), x[-1])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factors": self.factors}
