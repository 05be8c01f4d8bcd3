"""The corruption of an autoencoder's inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from nnspec.training.batches.random_layers import RandomLayers
from nnspec.training.objectives.autoencoder import autoencoder
from nnspec.training.objectives.autoencoder.check import corruptions_of
from nnspec.training.plan import TrainingPlan

Tensors = Mapping[str, Any]


class Corruption:
    """Corrupts inputs, in validation too, but not the targets that are computed from them.

    Args:
        plan: A training whose objective is ``autoencoder``.
    """

    def __init__(self, plan: TrainingPlan) -> None:
        inputs = list(dict.fromkeys(source.input for source in plan.target_sources.values()))
        layers = corruptions_of(cast("autoencoder", plan.section.objective), inputs)
        self._corrupt = RandomLayers(layers, plan.section.seed, "corrupt")

    @property
    def variables(self) -> list[Any]:
        return self._corrupt.variables

    def __call__(self, inputs: Tensors, targets: Tensors, *, training: bool) -> tuple[Tensors, Tensors]:
        return self._corrupt(inputs, training=training), targets

    def restart(self) -> None:
        self._corrupt.restart()
