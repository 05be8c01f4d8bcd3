"""Numeric preprocessing of inputs and postprocessing of outputs that an exported model contains."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from nnspec.onnx_backend.builder import Builder
from nnspec.runtime.session import Arrays, Run
from nnspec.types import TensorType


@dataclass(frozen=True)
class InputPreprocessing:
    """The preprocessing of one input.

    Attributes:
        type: The type of the model's input, under the same name.
        lower: Writes the nodes: from the model's input to a tensor of the graph's type, its axes in the spec's order.
    """

    type: TensorType
    lower: Callable[[Builder, str], str]


@dataclass(frozen=True)
class OutputPostprocessing:
    """The postprocessing of one output.

    Attributes:
        dtype: The element type of the model's output, under the same name.
        lower: Writes the nodes: from the graph's output to the model's, of the same shape.
        apply: The same in NumPy.
    """

    dtype: str
    lower: Callable[[Builder, str], str]
    apply: Callable[[NDArray[Any]], NDArray[Any]]


@dataclass(frozen=True)
class Preprocessing:
    """The preprocessing of the inputs of a graph, and the cases it is checked on.

    Attributes:
        inputs: The preprocessing by input; other inputs are passed unchanged.
        apply: The same in NumPy: from raw inputs to the graph's inputs.
        cases: Batches of raw inputs.
    """

    inputs: Mapping[str, InputPreprocessing]
    apply: Run
    cases: Sequence[Arrays]
