"""Planned networks and their steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nnspec.keras_import.model import KerasLayer, KerasModel, Tensor
from nnspec.keras_import.parts import Inside
from nnspec.layers.base import Layer
from nnspec.types import TensorType

__all__ = ["PlannedNetwork", "PlannedStep"]


@dataclass(frozen=True)
class PlannedStep:
    """One step.

    Attributes:
        name: Its name.
        layer: Its layer; None if it uses a network.
        network: The network that it uses.
        share: The step whose layer and weights it shares.
        sources: Its inputs by port: names of steps and inputs, with ``.OUTPUT`` if needed.
        frozen: Whether its weights are frozen.
        keras: Its Keras layer.
        call: The index of the layer's call; -1 for a part that computes none of the layer's outputs.
        inside: The location of its weights in that layer; None if they are the layer's own.
        gives: The index of each of its outputs in that layer's outputs.
        every_step: Whether it applies the network at every time step.
        calling: The call arguments that `share` overrides.
        value: The value of its only weight, if it is a constant or a variable of the model.
        block: The block that it uses, in a folded spec.
        arguments: The arguments that are params there, or those of the block.
        repeat: How often it runs in a row.
        counts: Whether its arguments read the counter `i`.
    """

    name: str
    layer: Layer | None
    network: str | None
    share: str | None
    sources: Mapping[str, str]
    frozen: bool
    keras: KerasLayer
    call: int
    inside: Inside | None = None
    gives: Mapping[str, int] = field(default_factory=dict)
    calling: Mapping[str, object] = field(default_factory=dict)
    every_step: bool = False
    value: Any = None
    block: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    repeat: int = 1
    counts: bool = False


@dataclass
class PlannedNetwork:
    """A planned network.

    Attributes:
        name: ``main`` for the model itself.
        keras: Its Keras model.
        inputs: The types of its inputs, by name.
        steps: Its steps, in order.
        outputs: Its outputs, by name.
        input_names: The name of each input, by its name in Keras.
        types: The known types of the Keras model's tensors.
        shared: Those that all examples share: their shapes in Keras have no batch axis.
    """

    name: str
    keras: KerasModel
    inputs: dict[str, TensorType] = field(default_factory=dict)
    steps: list[PlannedStep] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)
    input_names: dict[str, str] = field(default_factory=dict)
    types: dict[Tensor, TensorType] = field(default_factory=dict)
    shared: set[Tensor] = field(default_factory=set)
