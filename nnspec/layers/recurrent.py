"""Recurrent layers: a state is carried along the time axis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from nnspec.layers.activation_names import ActivationName
from nnspec.layers.arguments import Flag
from nnspec.layers.base import Inputs, LayerError, Outputs, Ports
from nnspec.layers.initializers import Zeros
from nnspec.layers.recurrence import Recurrent
from nnspec.types import Dim, Weight

__all__ = ["GRU", "LSTM", "SimpleRNN"]


class SimpleRNN(Recurrent):
    """``state = activation(x · kernel + state · recurrent_kernel + bias)`` (Elman 1990)."""

    ports: ClassVar[Ports] = Ports(optional=("state",))
    gates: ClassVar[int] = 1


class GRU(Recurrent):
    """Gated recurrent unit (Cho et al. 2014)."""

    ports: ClassVar[Ports] = Ports(optional=("state",))
    gates: ClassVar[int] = 3

    recurrent_activation: ActivationName | None = Field("sigmoid", description="Applied to the gates; null: none.")
    reset_after: Flag = Field(
        True, description="Whether the reset gate acts after the recurrent kernel (with a bias of its own) or before it."
    )

    @property
    def bias_shape(self) -> tuple[int, ...]:
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)


class LSTM(Recurrent):
    """Long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000).

    With ``peephole`` the gates see the cell too, each unit its own, by ``peephole_kernel``, whose rows are the input, the
    forget and the output gate's; the output gate sees the new cell. With ``coupled_gates`` there is no forget gate: it is
    1 less the input gate (Greff et al. 2017, section 5), and the weights have no part for it.
    """

    ports: ClassVar[Ports] = Ports(optional=("state_h", "state_c"))
    gates: ClassVar[int] = 4
    states: ClassVar[tuple[str, ...]] = ("state_h", "state_c")
    beyond_keras: ClassVar[frozenset[str]] = frozenset({"peephole", "coupled_gates"})
    unsupported: ClassVar[Mapping[str, str]] = {
        **Recurrent.unsupported,
        "stateful": "carry the states yourself: `return_state: true`, and feed them back in by "
        "`from: {x: …, state_h: …, state_c: …}`",
    }

    recurrent_activation: ActivationName | None = Field("sigmoid", description="Applied to the gates; null: none.")
    unit_forget_bias: Flag = Field(True, description="Whether the forget gate's bias starts at 1 (Jozefowicz et al. 2015).")
    peephole: Flag = Field(False, description="Whether the gates see the cell (Gers and Schmidhuber 2000).")
    coupled_gates: Flag = Field(False, description="Whether the forget gate is 1 less the input gate.")

    def infer(self, inputs: Inputs) -> Outputs:
        if self.coupled_gates and "unit_forget_bias" in self.model_fields_set:
            raise LayerError(
                "with `coupled_gates` there is no forget gate whose bias could start at 1",
                help="leave `unit_forget_bias` out",
                argument="unit_forget_bias",
            )
        return super().infer(inputs)

    @property
    def gate_count(self) -> int:
        return 3 if self.coupled_gates else 4

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        """With ``peephole`` one more, which starts at 0."""
        own = super().weights(inputs)
        return (*own, Weight("peephole_kernel", (self.gate_count - 1, self.units), True, Zeros())) if self.peephole else own

    def macs(self, inputs: Inputs) -> int | Dim:
        peepholes = (self.gate_count - 1) * self.units if self.peephole else 0
        return super().macs(inputs) + inputs["x"].shape[0] * peepholes
