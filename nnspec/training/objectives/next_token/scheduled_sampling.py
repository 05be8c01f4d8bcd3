"""Scheduled sampling: a decoder that is trained on what it says itself (Bengio et al. 2015)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import keras
from keras import ops

from nnspec.keras_backend.seeds import Seeds
from nnspec.training.objectives.next_token.fields import ScheduledSampling, sequence_to_sequence
from nnspec.training.plan import TrainingPlan

__all__ = ["SampledInput"]

Tensors = Mapping[str, Any]


class SampledInput:
    """Puts what the model says in place of some of the tokens that it reads.

    A step then takes two passes (Mihaylova and Martins 2019): in the first the model answers to the true tokens, in the second
    it reads, at each position that is drawn, what it said was most likely there. Only the second is learned from. What begins
    a sequence, and what fills it up, stays.

    Args:
        plan: A training whose objective is ``sequence_to_sequence``, with ``scheduled_sampling``.
        model: The model.
    """

    def __init__(self, plan: TrainingPlan, model: keras.Model) -> None:
        objective = cast("sequence_to_sequence", plan.section.objective)
        assert objective.scheduled_sampling is not None
        self._schedule: ScheduledSampling = objective.scheduled_sampling
        self._model = model
        self._output, self._made = next((name, made) for name, made in plan.derived.items() if made.next)
        self._draws = keras.random.SeedGenerator(Seeds(plan.section.seed, "train").of("scheduled_sampling"))
        self._step = keras.Variable(0, dtype="int32", trainable=False, name="scheduled_sampling_step")

    @property
    def variables(self) -> list[Any]:
        """The random state, and the step that the schedule is at."""
        return [self._draws.state, self._step]

    def __call__(self, inputs: Tensors, targets: Tensors, *, training: bool) -> tuple[Tensors, Tensors]:
        if not training:
            return inputs, targets
        tokens = inputs[self._made.input]
        answers = ops.argmax(ops.stop_gradient(self._model(dict(inputs), training=False)[self._output]), -1)
        # What is said at a position is the token of the next one.
        said = ops.concatenate([tokens[:, :1], ops.cast(answers[:, :-1], tokens.dtype)], 1)
        drawn = keras.random.uniform(ops.shape(tokens), seed=self._draws) < self._share()
        there = ops.logical_and(ops.not_equal(tokens, self._made.padding), ops.not_equal(said, self._made.padding))
        self._step.assign(self._step + 1)
        return {**inputs, self._made.input: ops.where(ops.logical_and(drawn, there), said, tokens)}, targets

    def begin(self) -> None:
        """What is watched reads the true tokens."""

    def _share(self) -> Any:
        schedule = self._schedule
        passed = ops.cast(self._step - schedule.begin, "float32")
        risen = ops.clip(passed / schedule.steps, 0.0, 1.0) if schedule.steps else ops.cast(passed >= 0, "float32")
        return schedule.probability * risen
