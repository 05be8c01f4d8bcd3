"""A network before it is written: its steps in order, what each is called and reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nnspec.keras_import.model import KerasLayer, KerasModel, Tensor
from nnspec.keras_import.parts import Inside
from nnspec.layers.base import Layer
from nnspec.types import TensorType

__all__ = ["PlannedNetwork", "PlannedStep"]


@dataclass(frozen=True)
class PlannedStep:
    """One step.

    Attributes:
        name: What it is called.
        layer: Its layer; None where it uses a network.
        network: The network that it uses.
        share: The step whose layer, with its weights, it applies again.
        sources: What it reads, by port: the names of steps and inputs, with ``.OUTPUT`` where that must be said.
        frozen: Whether its weights are kept from training.
        keras: The layer that it comes from.
        call: Which call of it; -1 for a part that gives nothing of what the layer gives.
        inside: Where its weights are within that layer; None if they are its own.
        gives: The number of each of its outputs among that layer's.
        calling: What `share` changes of the layer's call arguments.
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


@dataclass
class PlannedNetwork:
    """One network.

    Attributes:
        name: ``main`` for the model itself.
        keras: The model that it comes from.
        inputs: The types of its inputs, by name.
        steps: In order.
        outputs: What it gives, by name.
        input_names: What each input of the Keras model is called here.
        types: The type of every tensor of the Keras model that is known.
    """

    name: str
    keras: KerasModel
    inputs: dict[str, TensorType] = field(default_factory=dict)
    steps: list[PlannedStep] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)
    input_names: dict[str, str] = field(default_factory=dict)
    types: dict[Tensor, TensorType] = field(default_factory=dict)
