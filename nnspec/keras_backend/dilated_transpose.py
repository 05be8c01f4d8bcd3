"""Transposed convolutions with dilation, which TensorFlow's own kernels refuse on a CPU.

TensorFlow 2.21 runs them by oneDNN alone, which it leaves off on processors without AVX-512: "Current CPU implementations do
not yet support dilation rates larger than 1". A dilated kernel is the same as a larger one with zeros in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

__all__ = ["DILATED"]


def _spread(kernel: Any, rates: Sequence[int]) -> Any:
    """The kernel with ``rate - 1`` zeros between two neighbours on each spatial axis."""
    for axis, rate in enumerate(rates):
        shape = kernel.shape
        apart = ops.expand_dims(kernel, axis + 1)
        zeros = [(0, 0)] * len(apart.shape)
        zeros[axis + 1] = (0, rate - 1)
        wide = ops.reshape(ops.pad(apart, zeros), (*shape[:axis], shape[axis] * rate, *shape[axis + 1 :]))
        kernel = wide[(slice(None),) * axis + (slice((shape[axis] - 1) * rate + 1),)]
    return kernel


class _Dilated:
    """Keras's layer of the same weights, arguments and output, its kernel spread before it is used."""

    def call(self: Any, inputs: Any) -> Any:
        outputs = ops.conv_transpose(
            inputs,
            _spread(self.kernel, self.dilation_rate),
            strides=list(self.strides),
            padding=self.padding,
            output_padding=self.output_padding,
        )
        if self.use_bias:
            outputs = ops.add(outputs, self.bias)
        return outputs if self.activation is None else self.activation(outputs)


@keras.saving.register_keras_serializable("nnspec")
class DilatedConv1DTranspose(_Dilated, keras.layers.Conv1DTranspose):  # type: ignore[misc]
    """``Conv1DTranspose`` with dilation."""


@keras.saving.register_keras_serializable("nnspec")
class DilatedConv2DTranspose(_Dilated, keras.layers.Conv2DTranspose):  # type: ignore[misc]
    """``Conv2DTranspose`` with dilation."""


@keras.saving.register_keras_serializable("nnspec")
class DilatedConv3DTranspose(_Dilated, keras.layers.Conv3DTranspose):  # type: ignore[misc]
    """``Conv3DTranspose`` with dilation."""


DILATED = {1: DilatedConv1DTranspose, 2: DilatedConv2DTranspose, 3: DilatedConv3DTranspose}
"""By the number of spatial axes."""
