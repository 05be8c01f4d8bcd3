"""What a lowering is given, and what it gives back."""

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

__all__ = ["Array", "Call", "Lowering"]

Array = NDArray[np.float32]

L = TypeVar("L", bound=Layer, covariant=True)


@dataclass(frozen=True)
class Call(Generic[L]):
    """One layer in its place.

    Attributes:
        layer: Its arguments.
        inputs: Its inputs, by port; their axes lie as whoever made them left them (`layout.arrange`).
        outputs: The types it must give, by output.
        weights: Its arrays, by Keras's names.
    """

    layer: L
    inputs: Mapping[str, Value]
    outputs: Mapping[str, TensorType]
    weights: Mapping[str, Array]

    @property
    def x(self) -> Value:
        """The first input."""
        return next(iter(self.inputs.values()))

    @property
    def output(self) -> TensorType:
        """The type of the first output."""
        return next(iter(self.outputs.values()))


Lowering = Callable[[Builder, Call[Any]], "Value | Mapping[str, Value]"]
"""Writes a layer into the graph, and says where its output stands, or each of its outputs.

A layer that passes its mask need not speak of it; one that makes or changes it gives it with the output (`Value.mask`).
"""
