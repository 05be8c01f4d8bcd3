"""The argument and the result of a lowering."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import keras
from keras.src.backend.common.masking import get_keras_mask

from nnspec.keras_backend.objects import keras_object
from nnspec.keras_backend.seeds import Seeds
from nnspec.layers.base import Layer
from nnspec.types import TensorType

Call = Callable[..., Any]
"""Maps the tensors at the ports, and the layer's arguments at this call (``Layer.at_call``), to the output tensor, or to a
sequence of tensors in the order of the layer's outputs."""

L = TypeVar("L", bound=Layer, covariant=True)


@dataclass(frozen=True)
class Build(Generic[L]):
    """One layer to build.

    Attributes:
        layer: Its arguments.
        name: The name of its Keras layer.
        seeds: The seeds of its initial weights.
        wrap: Wraps the Keras layer that has the weights.
        body: Builds the model of the graph that the layer runs, with layers shared with other models.
        types: The types of its inputs at each use; empty if they are unknown.
    """

    layer: L
    name: str
    seeds: Seeds
    wrap: Callable[[Any], Any] = lambda keras_layer: keras_layer
    body: Callable[[], keras.Model] | None = None
    types: tuple[Mapping[str, TensorType], ...] = ()

    def call(self, kind: Any = None, /, **given: Any) -> Call:
        """Builds the Keras layer and returns its call.

        Args:
            kind: Its class; by default that of the layer's name.
            **given: Arguments that replace the layer's own.
        """
        keras_layer = keras_object(self.layer, self.seeds, kind, **{"name": self.name, **given})
        return plain(self.wrap(keras_layer), self.layer)


Lowering = Callable[[Build[Any]], Call]
"""Builds the Keras layers of a layer once, and returns a call that may run several times on the same weights."""


def plain(keras_layer: Any, layer: Layer) -> Call:
    """Calls a Keras layer on its input, or on the list of its inputs.

    A mask that the Keras layer would drop is removed first, because Keras warns otherwise. Keras's image layers assume
    training if a call does not specify it, unlike its other layers: the call specifies inference.
    """
    training = inspect.signature(keras_layer.call).parameters.get("training")
    inference = {"training": False} if training is not None and training.default is True else {}

    def call(tensors: Mapping[str, Any], **at_call: Any) -> Any:
        taken = [
            tensor if keras_layer.supports_masking or mask_of(tensor) is None else keras.ops.copy(tensor)
            for tensor in tensors.values()
        ]
        return keras_layer(taken if layer.ports.variadic or len(taken) > 1 else taken[0], **inference, **at_call)

    return call


def on_first_call(make: Callable[[Any], Call]) -> Call:
    """A call whose Keras layers are built from its first input.

    Args:
        make: Builds them, given the first symbolic tensor.
    """
    made: list[Call] = []

    def call(tensors: Mapping[str, Any], **at_call: Any) -> Any:
        if not made:
            made.append(make(tensors["x"]))
        return made[0](tensors, **at_call)

    return call


def mask_for(type_: TensorType, values: Any, mask: Any) -> Any:
    """The mask that a model takes beside an input: the tensor's own, or true everywhere.

    Args:
        type_: The input's type, which has a mask.
        values: The tensor.
        mask: Its mask; None if it has none.
    """
    assert type_.mask is not None
    return keras.ops.ones(keras.ops.shape(values)[: 1 + len(type_.mask)], "bool") if mask is None else mask


def mask_of(tensor: Any) -> Any:
    """The mask of a tensor, or None."""
    # JAX's tensors take no attributes: Keras keeps their masks apart, and only this private function returns them.
    return get_keras_mask(tensor)
