"""Random Keras layers that are applied to the inputs of a batch, on every backend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nnspec.keras_backend.objects import keras_object
from nnspec.keras_backend.seeds import Seeds
from nnspec.types import Config

Tensors = Mapping[str, Any]


class RandomLayers:
    """Applies random layers to inputs.

    In validation the layers draw the same random numbers each time: metrics of two epochs, and of two runs with one seed, are
    computed on the same examples.

    Args:
        layers: The layers, in order, by input.
        seed: The seed of the training.
        name: A name for the purpose of the layers; other names draw other random numbers.
    """

    def __init__(self, layers: Mapping[str, Sequence[Config]], seed: int, name: str) -> None:
        self._layers = {
            training: {input_: _built(own, seed, f"{place}/{input_}") for input_, own in layers.items()}
            for training, place in ((True, name), (False, f"{name}_watched"))
        }
        self._first = [(variable, variable.numpy()) for variable in self._states(False)]

    @property
    def variables(self) -> list[Any]:
        """The states of the random generators."""
        return [*self._states(True), *self._states(False)]

    def __call__(self, inputs: Tensors, *, training: bool) -> dict[str, Any]:
        """Applies the layers.

        Args:
            inputs: The inputs of a batch, by name.
            training: Whether the batch is trained on.
        """
        changed = dict(inputs)
        for name, layers in self._layers[training].items():
            for layer in layers:
                changed[name] = layer(changed[name], training=True)
        return changed

    def restart(self) -> None:
        """Restarts the draws of validation."""
        for variable, value in self._first:
            variable.assign(value)

    def _states(self, training: bool) -> list[Any]:
        return [variable for layers in self._layers[training].values() for layer in layers for variable in layer.variables]


def _built(layers: Sequence[Config], seed: int, place: str) -> list[Any]:
    return [
        keras_object(layer, Seeds(seed, f"{place}/{i}"), name=f"{place.replace('/', '.')}.{i}")
        for i, layer in enumerate(layers)
    ]
