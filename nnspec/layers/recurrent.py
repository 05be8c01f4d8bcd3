"""Recurrent layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from nnspec.layers.arguments import Flag
from nnspec.layers.base import Inputs, LayerError, Outputs, Ports
from nnspec.layers.initializers import Zeros
from nnspec.layers.recurrence import Recurrent, RecurrentStep
from nnspec.types import TensorType, Weight
from nnspec.types.activation_names import ActivationName


class SimpleRNNStep(RecurrentStep):
    """The arguments and weights of one step of `SimpleRNN`."""

    gates: ClassVar[int] = 1


class SimpleRNN(SimpleRNNStep, Recurrent):
    """A simple recurrent layer: ``state = activation(x · kernel + state · recurrent_kernel + bias)`` (Elman 1990)."""

    ports: ClassVar[Ports] = Ports(optional=("state",))


class GRUStep(RecurrentStep):
    """The arguments and weights of one step of `GRU`."""

    gates: ClassVar[int] = 3

    recurrent_activation: ActivationName | None = Field("sigmoid", description="Applied to the gates; null: none.")
    reset_after: Flag = Field(
        True, description="Whether the reset gate is applied after the recurrent kernel (with its own bias) or before it."
    )

    @property
    def bias_shape(self) -> tuple[int, ...]:
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)


class GRU(GRUStep, Recurrent):
    """Gated recurrent unit (Cho et al. 2014)."""

    ports: ClassVar[Ports] = Ports(optional=("state",))


class LSTMStep(RecurrentStep):
    """The arguments and weights of one step of `LSTM`."""

    gates: ClassVar[int] = 4
    states: ClassVar[tuple[str, ...]] = ("state_h", "state_c")
    beyond_keras: ClassVar[frozenset[str]] = frozenset({"peephole", "coupled_gates"})
    recurrent_activation: ActivationName | None = Field("sigmoid", description="Applied to the gates; null: none.")
    unit_forget_bias: Flag = Field(True, description="Whether the forget gate's bias starts at 1 (Jozefowicz et al. 2015).")
    peephole: Flag = Field(False, description="Whether the gates depend on the cell state (Gers and Schmidhuber 2000).")
    coupled_gates: Flag = Field(False, description="Whether the forget gate is 1 minus the input gate.")

    def infer(self, inputs: Inputs) -> Outputs:
        if self.coupled_gates and "unit_forget_bias" in self.model_fields_set:
            raise LayerError(
                "`unit_forget_bias` has no effect with `coupled_gates`: there is no forget gate",
                help="remove `unit_forget_bias`",
                argument="unit_forget_bias",
            )
        return super().infer(inputs)

    @property
    def gate_count(self) -> int:
        return 3 if self.coupled_gates else 4

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        """Return also the peephole kernel, initialized to 0, with ``peephole``."""
        own = super().weights(inputs)
        return (*own, Weight("peephole_kernel", (self.gate_count - 1, self.units), True, Zeros())) if self.peephole else own

    def step_macs(self, x: TensorType) -> int:
        peepholes = (self.gate_count - 1) * self.units if self.peephole else 0
        return super().step_macs(x) + peepholes


class LSTM(LSTMStep, Recurrent):
    """Long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000).

    With ``peephole`` each unit's gates also depend on its cell state through ``peephole_kernel``, whose rows belong to the
    input, forget and output gates; the output gate uses the new cell state. With ``coupled_gates`` the forget gate is 1 minus
    the input gate (Greff et al. 2017, section 5) and has no weights.
    """

    ports: ClassVar[Ports] = Ports(optional=("state_h", "state_c"))
    unsupported: ClassVar[Mapping[str, str]] = {
        **Recurrent.unsupported,
        "stateful": "pass the states explicitly: write `return_state: true` and `from: {x: …, state_h: …, state_c: …}`",
    }
