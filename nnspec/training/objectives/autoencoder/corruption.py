"""What an autoencoder's input is corrupted by: Keras's own layers, on every backend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from nnspec.keras_backend.objects import keras_object
from nnspec.keras_backend.seeds import Seeds
from nnspec.training.objectives.autoencoder import autoencoder
from nnspec.training.objectives.autoencoder.check import corruptions_of
from nnspec.training.plan import TrainingPlan

__all__ = ["Corruption"]

Tensors = Mapping[str, Any]


class Corruption:
    """Corrupts inputs, never the targets that are made of them.

    What is watched is corrupted too, by layers of their own whose draws begin anew each time: the figures of two epochs, and of
    two runs with one seed, are of the same corrupted examples.

    Args:
        plan: A training whose objective is ``autoencoder``.
    """

    def __init__(self, plan: TrainingPlan) -> None:
        objective = cast("autoencoder", plan.section.objective)
        inputs = list(dict.fromkeys(source.input for source in plan.target_sources.values()))
        asked = corruptions_of(objective, inputs)
        self._layers = {
            training: {name: _built(layers, plan.section.seed, f"{when}/{name}") for name, layers in asked.items()}
            for training, when in ((True, "corrupt"), (False, "corrupt_watched"))
        }
        self._first = [(variable, variable.numpy()) for variable in self._states(False)]

    @property
    def variables(self) -> list[Any]:
        return [*self._states(True), *self._states(False)]

    def __call__(self, inputs: Tensors, targets: Tensors, *, training: bool) -> tuple[Tensors, Tensors]:
        changed = dict(inputs)
        for name, layers in self._layers[training].items():
            for layer in layers:
                changed[name] = layer(changed[name], training=True)
        return changed, targets

    def begin(self) -> None:
        for variable, value in self._first:
            variable.assign(value)

    def _states(self, training: bool) -> list[Any]:
        return [variable for layers in self._layers[training].values() for layer in layers for variable in layer.variables]


def _built(layers: list[Any], seed: int, place: str) -> list[Any]:
    return [
        keras_object(layer, Seeds(seed, f"{place}/{i}"), name=f"{place.replace('/', '.')}.{i}")
        for i, layer in enumerate(layers)
    ]
