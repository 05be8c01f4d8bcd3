"""A cell that runs at each step of a sequence."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.layers.base import Layer
from nnspec.layers.rnn import RNN
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.recurrence.cell import run_cell
from nnspec.onnx_backend.value import Value

__all__ = ["TABLE"]


def _rnn(b: Builder, call: Call[RNN]) -> Mapping[str, Value]:
    return run_cell(b, call)


TABLE: Mapping[type[Layer], Lowering] = {RNN: _rnn}
