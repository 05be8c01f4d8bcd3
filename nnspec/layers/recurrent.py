"""Recurrent layers: a state is carried along the time axis."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from nnspec.layers.activation_names import ActivationName
from nnspec.layers.arguments import Flag
from nnspec.layers.base import Ports
from nnspec.layers.recurrence import Recurrent

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
    """Long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000)."""

    ports: ClassVar[Ports] = Ports(optional=("state_h", "state_c"))
    gates: ClassVar[int] = 4
    states: ClassVar[tuple[str, ...]] = ("state_h", "state_c")

    recurrent_activation: ActivationName | None = Field("sigmoid", description="Applied to the gates; null: none.")
    unit_forget_bias: Flag = Field(True, description="Whether the forget gate's bias starts at 1 (Jozefowicz et al. 2015).")
