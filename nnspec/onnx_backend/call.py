"""The arguments and results of a lowering."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from nnspec.layers.base import Layer
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.value import Value
from nnspec.types import TensorType

Array = NDArray[np.float32]

L = TypeVar("L", bound=Layer, covariant=True)


@dataclass(frozen=True)
class Call(Generic[L]):
    """A layer with its inputs, output types and weights.

    Attributes:
        layer: The layer's arguments.
        inputs: The inputs, by port; their axis order is that of the producer (see `layout.arrange`).
        outputs: The required output types, by output.
        weights: The layer's arrays, by Keras's names.
        body: Writes the graph that the layer runs, from its inputs by name to its outputs; None if it runs none.
    """

    layer: L
    inputs: Mapping[str, Value]
    outputs: Mapping[str, TensorType]
    weights: Mapping[str, Array]
    body: Callable[[Mapping[str, Value]], Mapping[str, Value]] | None = None

    @property
    def x(self) -> Value:
        """The first input."""
        return next(iter(self.inputs.values()))

    @property
    def output(self) -> TensorType:
        """The type of the first output."""
        return next(iter(self.outputs.values()))


Lowering = Callable[[Builder, Call[Any]], "Value | Mapping[str, Value]"]
"""Writes a layer into the graph; returns its output, or its outputs by name.

A mask that the layer passes on is handled by the caller; a mask that it creates or changes is returned in `Value.mask`.
"""
