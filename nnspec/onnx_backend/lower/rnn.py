"""A cell that runs at each step of a sequence."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.layers.base import Layer
from nnspec.layers.rnn import RNN
from nnspec.onnx_backend.call import Lowering
from nnspec.onnx_backend.recurrence.cell import run_cell

TABLE: Mapping[type[Layer], Lowering] = {RNN: run_cell}
