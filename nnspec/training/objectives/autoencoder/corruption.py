"""The corruption of an autoencoder's inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from keras import ops

from nnspec.training.batches.random_layers import RandomLayers
from nnspec.training.objectives.autoencoder import autoencoder
from nnspec.training.objectives.autoencoder.check import corruptions_of, masked_inputs
from nnspec.training.objectives.autoencoder.masking import TokenMasking
from nnspec.training.plan import TrainingPlan

Tensors = Mapping[str, Any]


class Corruption:
    """Corrupts inputs, in validation too, but not the targets that are computed from them.

    Args:
        plan: A training whose objective is ``autoencoder``.
    """

    def __init__(self, plan: TrainingPlan) -> None:
        inputs = list(dict.fromkeys(source.input for source in plan.target_sources.values()))
        objective, seed = cast("autoencoder", plan.section.objective), plan.section.seed
        masked = masked_inputs(objective, inputs)
        layers = {name: own for name, own in corruptions_of(objective, inputs).items() if name not in masked}
        self._corrupt = RandomLayers(layers, seed, "corrupt")
        self._ignored: dict[str, tuple[str, int]] = {}
        self._masks: dict[str, TokenMasking] = {}
        for output, source in plan.target_sources.items():
            if source.input in masked:
                loss = plan.outputs[output].loss
                tokens = plan.outputs[output].type.shape[getattr(loss, "axis", -1)]
                assert isinstance(tokens, int)
                self._ignored[output] = source.input, int(getattr(loss, "ignore_class", 0))
                self._masks[source.input] = TokenMasking(masked[source.input], tokens, seed, f"corrupt/{source.input}")

    @property
    def selects(self) -> bool:
        """Whether only a part of the targets counts, also in metrics."""
        return bool(self._masks)

    @property
    def variables(self) -> list[Any]:
        return [*self._corrupt.variables, *(variable for mask in self._masks.values() for variable in mask.variables)]

    def __call__(self, inputs: Tensors, targets: Tensors, *, training: bool) -> tuple[Tensors, Tensors]:
        corrupted, chosen, left = self._corrupt(inputs, training=training), {}, dict(targets)
        for name, mask in self._masks.items():
            corrupted[name], chosen[name] = mask(corrupted[name], training=training)
        for output, (name, ignored) in self._ignored.items():
            left[output] = ops.where(chosen[name], left[output], ops.full_like(left[output], ignored))
        return corrupted, left

    def restart(self) -> None:
        self._corrupt.restart()
        for mask in self._masks.values():
            mask.restart()
