"""Scheduled sampling: a decoder trained partly on its own predictions (Bengio et al. 2015)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import keras
from keras import ops

from nnspec.data.targets.next_token import NextTokenTarget
from nnspec.keras_backend.seeds import Seeds
from nnspec.training.objectives.next_token import ScheduledSampling, sequence_to_sequence
from nnspec.training.plan import TrainingPlan

Tensors = Mapping[str, Any]


class ScheduledTokens:
    """Replaces some of the decoder's input tokens by the model's own predictions.

    A step then takes two passes (Mihaylova and Martins 2019): the first predicts from the true tokens; the second reads, at
    positions drawn at random, the most likely token of the first. Only the second is differentiated. Start tokens and padding
    are kept.

    Args:
        plan: A training whose objective is ``sequence_to_sequence``, with ``scheduled_sampling``.
        model: The model.
    """

    def __init__(self, plan: TrainingPlan, model: keras.Model) -> None:
        objective = cast("sequence_to_sequence", plan.section.objective)
        assert objective.scheduled_sampling is not None
        self._schedule: ScheduledSampling = objective.scheduled_sampling
        self._model = model
        [(self._output, source)] = plan.target_sources.items()
        self._input, self._padding = source.input, cast("NextTokenTarget", source).padding
        self._draws = keras.random.SeedGenerator(Seeds(plan.section.seed, "train").of("scheduled_sampling"))
        self._step = keras.Variable(0, dtype="int32", trainable=False, name="scheduled_sampling_step")

    @property
    def variables(self) -> list[Any]:
        """The random state and the step of the schedule."""
        return [self._draws.state, self._step]

    def __call__(self, inputs: Tensors, targets: Tensors, *, training: bool) -> tuple[Tensors, Tensors]:
        if not training:
            return inputs, targets
        tokens = inputs[self._input]
        predictions = ops.argmax(ops.stop_gradient(self._model(dict(inputs), training=False)[self._output]), -1)
        # The prediction at a position is the token of the next one.
        predicted = ops.concatenate([tokens[:, :1], ops.cast(predictions[:, :-1], tokens.dtype)], 1)
        drawn = keras.random.uniform(ops.shape(tokens), seed=self._draws) < self._share()
        valid = ops.logical_and(ops.not_equal(tokens, self._padding), ops.not_equal(predicted, self._padding))
        self._step.assign(self._step + 1)
        return {**inputs, self._input: ops.where(ops.logical_and(drawn, valid), predicted, tokens)}, targets

    def restart(self) -> None:
        """Does nothing: validation reads the true tokens."""

    def _share(self) -> Any:
        schedule = self._schedule
        passed = ops.cast(self._step - schedule.begin, "float32")
        share = ops.clip(passed / schedule.steps, 0.0, 1.0) if schedule.steps else ops.cast(passed >= 0, "float32")
        return schedule.probability * share
