"""Transposed convolutions with dilation, which TensorFlow's own kernels reject on a CPU.

TensorFlow 2.21 only runs them with oneDNN, which it disables on processors without AVX-512: "Current CPU implementations do
not yet support dilation rates larger than 1". A dilated kernel equals a larger one with zeros in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


def _spread(kernel: Any, rates: Sequence[int]) -> Any:
    """Inserts ``rate - 1`` zeros between neighboring positions of a kernel on each spatial axis."""
    for axis, rate in enumerate(rates):
        shape = kernel.shape
        apart = ops.expand_dims(kernel, axis + 1)
        zeros = [(0, 0)] * len(apart.shape)
        zeros[axis + 1] = (0, rate - 1)
        wide = ops.reshape(ops.pad(apart, zeros), (*shape[:axis], shape[axis] * rate, *shape[axis + 1 :]))
        kernel = wide[(slice(None),) * axis + (slice((shape[axis] - 1) * rate + 1),)]
    return kernel


class _Dilated:
    """Has the weights, arguments and output of Keras's layer, and dilates its kernel before it uses it."""

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
