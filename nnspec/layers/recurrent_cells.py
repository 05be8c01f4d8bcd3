"""One step of the recurrent layers: cells for `RNN`, which can also be used inside other cells."""

from __future__ import annotations

from typing import ClassVar

from nnspec.layers.base import Inputs, LayerError, Outputs, Ports
from nnspec.layers.checks import require_axes, require_float
from nnspec.layers.recurrence import RecurrentStep, check_states
from nnspec.layers.recurrent import GRUStep, LSTMStep, SimpleRNNStep
from nnspec.types import Dim, Family, TensorType

CELLS = Family(
    kind="recurrent cell", modules=dict.fromkeys(("GRUCell", "LSTMCell", "SimpleRNNCell"), "nnspec.layers.recurrent_cells")
)
"""The layers that can be the cell of `RNN`."""


class RecurrentCell(RecurrentStep):
    """Base class of the cells: inputs ``x`` and the states, outputs ``output`` and the new states.

    Unlike in the recurrent layers, dropout draws anew at each step.
    """

    def state_types(self) -> dict[str, TensorType]:
        """Return the types of the states."""
        return {state: TensorType((self.units,)) for state in self.states}

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        if x.rank != 1:
            raise LayerError(
                f"{type(self).__name__} computes one step and takes (features,), got {x}",
                help=f"write `RNN: {{cell: {{{type(self).__name__}: …}}}}` for a sequence",
                port="x",
            )
        require_axes(self, x, "features")
        require_float(self, x)
        check_states(self, inputs, self.states, self.units)
        return {"output": TensorType((self.units,)), **self.state_types()}

    def macs(self, inputs: Inputs) -> int | Dim:
        return self.step_macs(inputs["x"])


class SimpleRNNCell(SimpleRNNStep, RecurrentCell):
    """One step of `SimpleRNN` (Elman 1990)."""

    ports: ClassVar[Ports] = Ports(("x", "state"))


class GRUCell(GRUStep, RecurrentCell):
    """One step of `GRU` (Cho et al. 2014)."""

    ports: ClassVar[Ports] = Ports(("x", "state"))


class LSTMCell(LSTMStep, RecurrentCell):
    """One step of `LSTM` (Hochreiter and Schmidhuber 1997), also with peepholes and coupled gates."""

    ports: ClassVar[Ports] = Ports(("x", "state_h", "state_c"))
