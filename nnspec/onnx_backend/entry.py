"""What stands before a graph's inputs: the numeric transforms of data, so that an exported model takes raw values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.parity import Arrays, Run
from nnspec.types import TensorType

__all__ = ["Entries", "Entry"]


@dataclass(frozen=True)
class Entry:
    """What stands before one input.

    Attributes:
        type: What comes in from outside, under the input's name.
        lower: Writes its nodes: from the tensor that comes in to one of the input's type, its axes in the spec's order.
    """

    type: TensorType
    lower: Callable[[Builder, str], str]


@dataclass(frozen=True)
class Entries:
    """What stands before the inputs of a graph, and what that is proven by.

    Attributes:
        inputs: The entries, by input; an input without one takes what the graph takes.
        apply: The same in NumPy: from raw inputs to the graph's.
        cases: Batches of raw inputs.
    """

    inputs: Mapping[str, Entry]
    apply: Run
    cases: Sequence[Arrays]
