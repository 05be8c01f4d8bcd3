"""The layers in Keras: ordinary Keras layers, on ``keras.ops`` alone, so that they run on each of its backends."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

__all__ = ["GatedLinearUnit", "LocalResponseNormalization"]


@keras.saving.register_keras_serializable("nnspec_example_layers")
class GatedLinearUnit(keras.layers.Layer):
    """The two halves of one product, one the gate of the other."""

    def __init__(
        self,
        units: int,
        activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        self.supports_masking = True
        self.units = units
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)

    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight(
            name="kernel",
            shape=(input_shape[-1], 2 * self.units),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
        )
        if self.use_bias:
            self.bias = self.add_weight(name="bias", shape=(2 * self.units,), initializer=self.bias_initializer)

    def call(self, inputs: Any) -> Any:
        both = ops.matmul(inputs, self.kernel)
        if self.use_bias:
            both = both + self.bias
        value, gate = ops.split(both, 2, axis=-1)
        return value * self.activation(gate)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
        }


@keras.saving.register_keras_serializable("nnspec_example_layers")
class LocalResponseNormalization(keras.layers.Layer):
    """Each channel over what its neighbours amount to."""

    def __init__(self, size: int = 5, k: float = 2.0, alpha: float = 1e-4, beta: float = 0.75, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.supports_masking = True
        self.size, self.k, self.alpha, self.beta = size, k, alpha, beta

    def call(self, inputs: Any) -> Any:
        channels, beside = inputs.shape[-1], self.size // 2
        around = [[0, 0]] * (len(inputs.shape) - 1) + [[beside, beside]]
        squares = ops.pad(ops.square(inputs), around)
        total = sum(squares[..., first : first + channels] for first in range(self.size))
        return inputs / ops.power(self.k + self.alpha * total, self.beta)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size, "k": self.k, "alpha": self.alpha, "beta": self.beta}
