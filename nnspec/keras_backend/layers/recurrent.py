"""An LSTM cell with peepholes and coupled gates, which Keras does not have."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("nnspec")
class GatedLSTMCell(keras.layers.LSTMCell):  # type: ignore[misc]
    """A cell for ``keras.layers.RNN``.

    Args:
        units: Size of the state.
        peephole: Whether the gates read the cell state: ``peephole_kernel`` has a row per gate, in the order of ``kernel``.
        coupled_gates: Whether the forget gate is 1 − the input gate; ``kernel`` then has input, candidate, output.
        **arguments: Arguments of Keras's ``LSTMCell``.
    """

    def __init__(self, units: int, peephole: bool = False, coupled_gates: bool = False, **arguments: Any) -> None:
        super().__init__(units, **arguments)
        self.dropout_mask_count = None  # one mask for all gates, where Keras may draw one for each
        self.peephole = peephole
        self.coupled_gates = coupled_gates

    def build(self, input_shape: Any) -> None:
        gates = 3 if self.coupled_gates else 4
        self.kernel = self._weight("kernel", (input_shape[-1], self.units * gates), self.kernel_initializer)
        self.recurrent_kernel = self._weight("recurrent_kernel", (self.units, self.units * gates), self.recurrent_initializer)
        self.bias = self._weight("bias", (self.units * gates,), self._first_bias) if self.use_bias else None
        if self.peephole:
            self.peephole_kernel = self.add_weight(name="peephole_kernel", shape=(gates - 1, self.units), initializer="zeros")

    def _weight(self, name: str, shape: tuple[int, ...], initializer: Any) -> Any:
        argument = name.replace("recurrent_kernel", "recurrent")
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=initializer,
            regularizer=getattr(self, f"{argument}_regularizer"),
            constraint=getattr(self, f"{argument}_constraint"),
        )

    def _first_bias(self, shape: tuple[int, ...], **arguments: Any) -> Any:
        if self.coupled_gates or not self.unit_forget_bias:
            return self.bias_initializer(shape, **arguments)
        parts = [self.bias_initializer((count * self.units,), **arguments) for count in (1, 2)]
        return ops.concatenate([parts[0], ops.ones((self.units,), **arguments), parts[1]])

    def call(self, inputs: Any, states: Any, training: bool = False) -> Any:
        state_h, state_c = states
        if training and 0.0 < self.dropout < 1.0:
            inputs = inputs * self.get_dropout_mask(inputs)
        if training and 0.0 < self.recurrent_dropout < 1.0:
            state_h = state_h * self.get_recurrent_dropout_mask(state_h)
        z = ops.matmul(inputs, self.kernel) + ops.matmul(state_h, self.recurrent_kernel)
        if self.bias is not None:
            z = z + self.bias
        gates = ops.split(z, 3 if self.coupled_gates else 4, axis=-1)
        i = self.recurrent_activation(self._with_peephole(gates[0], 0, state_c))
        f = 1 - i if self.coupled_gates else self.recurrent_activation(self._with_peephole(gates[1], 1, state_c))
        carry = f * state_c + i * self.activation(gates[-2])
        o = self.recurrent_activation(self._with_peephole(gates[-1], -1, carry))
        output = o * self.activation(carry)
        return output, [output, carry]

    def _with_peephole(self, gate: Any, row: int, cell: Any) -> Any:
        return gate + self.peephole_kernel[row] * cell if self.peephole else gate

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "peephole": self.peephole, "coupled_gates": self.coupled_gates}
