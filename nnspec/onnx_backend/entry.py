"""What stands around a graph: the numeric transforms of data, so that an exported model takes and gives raw values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from nnspec.onnx_backend.builder import Builder
from nnspec.runtime.session import Arrays, Run
from nnspec.types import TensorType

__all__ = ["Entries", "Entry", "Exit"]


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
class Exit:
    """What stands behind one output.

    Attributes:
        dtype: The element type of what goes out, under the output's name.
        lower: Writes its nodes: from the output's tensor to the one that goes out, of the same shape.
        apply: The same in NumPy.
    """

    dtype: str
    lower: Callable[[Builder, str], str]
    apply: Callable[[NDArray[Any]], NDArray[Any]]


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
