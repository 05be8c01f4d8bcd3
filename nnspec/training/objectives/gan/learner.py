"""A generator against a discriminator. Ordinary stateful Keras code, for every backend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from nnspec.keras_backend.seeds import Seeds
from nnspec.training.batches.augmenter import Augmenter
from nnspec.training.loop.learner import Batch, Tensors, TrainableGroup, Update, part_of
from nnspec.training.objectives.gan import Distribution
from nnspec.training.objectives.gan.input_gradient import input_gradient
from nnspec.training.objectives.gan.losses import LOSSES
from nnspec.training.objectives.gan.plan import GanPlan

__all__ = ["GanLearner", "drawn_noise"]


class GanLearner:
    """Each step the discriminator changes, and then the generator, as often as the objective says.

    Every change of the discriminator is on examples of its own: a step takes that many times ``batch_size`` of them. Every
    change draws new noise. Real and made examples are batches apart, which batch normalization sees (Radford et al. 2015).

    Args:
        pair: What is trained.
        models: The models of both networks, by name.
        optimizers: How each changes, by name.
        seed: Where the draws come from. They go on from ``random_variables``.
        input_noise: The deviation of noise that is added to what the discriminator sees, made or not.
        label_noise: The share of examples that the discriminator is told the contrary of.
        augmenter: Changes the data's examples at random; None for nothing.
    """

    def __init__(
        self,
        pair: GanPlan,
        models: Mapping[str, keras.Model],
        optimizers: Mapping[str, Any],
        seed: int,
        *,
        input_noise: float = 0.0,
        label_noise: float = 0.0,
        augmenter: Augmenter | None = None,
    ) -> None:
        self._pair, self._objective = pair, pair.objective
        self._losses = LOSSES[pair.objective.loss]
        self._generator, self._discriminator = models[pair.generator.name], models[pair.discriminator.name]
        self._critic, self._maker = (
            TrainableGroup(graph.name, models[graph.name].trainable_variables, optimizers[graph.name])
            for graph in (pair.discriminator, pair.generator)
        )
        self.trainable: Sequence[TrainableGroup] = (self._critic, self._maker)
        if pair.objective.weight_clip is not None:
            # A constraint: an optimizer heeds it after every change, on every backend.
            for variable in self._critic.variables:
                variable.constraint = _Clipped(pair.objective.weight_clip, variable.constraint)
        self.batches = pair.objective.steps.discriminator
        self._input_noise, self._label_noise = input_noise, label_noise
        self._augmenter = augmenter
        seeds = Seeds(seed, "train").within("gan")
        self._draws = keras.random.SeedGenerator(seeds.of("training"))
        self._watched_draws = keras.random.SeedGenerator(seeds.of("watching"))
        self._first_draw = self._watched_draws.state.numpy()
        self._means = {name: keras.metrics.Mean(name=name) for name in pair.validated}

    @property
    def variables(self) -> Sequence[Any]:
        return [*self._generator.variables, *self._discriminator.variables]

    @property
    def metrics(self) -> list[Any]:
        return list(self._means.values())

    @property
    def random_variables(self) -> list[Any]:
        augmenting = self._augmenter.variables if self._augmenter is not None else []
        return [self._draws.state, self._watched_draws.state, *augmenting]

    def augmented(self, batch: Batch) -> Batch:
        return batch if self._augmenter is None else self._augmenter(*batch)

    def updates(self, batch: Batch) -> Sequence[Update]:
        size = _size(batch[0])
        # The last batch of an epoch may have fewer examples than there are changes.
        count = min(self._objective.steps.discriminator, size)
        parts = [part_of(batch, size * i // count, size * (i + 1) // count) for i in range(count)]
        updates = [
            *(Update(self._critic, self._tell_apart, part) for part in parts),
            *(Update(self._maker, self._fool, parts[i % count]) for i in range(self._objective.steps.generator)),
        ]
        # A phase may freeze all of one group.
        return [update for update in updates if update.group.variables]

    def watch(self, batch: Batch) -> Any:
        return self._tell_apart(batch, training=False) + self._fool(batch, training=False)

    def reset(self) -> None:
        for metric in self.metrics:
            metric.reset_state()
        # What is watched is watched with the same noise each time.
        self._watched_draws.state.assign(self._first_draw)

    def figures(self) -> dict[str, Any]:
        return {name: float(ops.convert_to_numpy(metric.result())) for name, metric in self._means.items()}

    # --- the two losses ---------------------------------------------------------------------------------------------------

    def _tell_apart(self, batch: Batch, training: bool = True) -> Any:
        """The discriminator's loss: of examples of the data, and of as many that are made."""
        inputs = batch[0]
        made = ops.stop_gradient(self._made(inputs, training))
        real = ops.cast(inputs[self._pair.judged], made.dtype)
        seen_real, seen_made = (self._blurred(examples, training) for examples in (real, made))
        of_real, of_made = (self._score(examples, inputs, training) for examples in (seen_real, seen_made))
        smoothing = self._objective.label_smoothing or 0.0
        as_real = [self._losses.real(scores, smoothing) for scores in (of_real, of_made)]
        as_made = [self._losses.made(scores) for scores in (of_real, of_made)]
        loss = ops.mean(self._told(as_real[0], as_made[0], training)) + ops.mean(self._told(as_made[1], as_real[1], training))
        size = _size(inputs)
        self._means["discriminator_loss"].update_state(loss, sample_weight=size)
        self._note_balance(of_real, of_made, size)
        if self._objective.gradient_penalty is not None:
            penalty = self._steepness(seen_real, seen_made, inputs, training)
            self._means["gradient_penalty"].update_state(penalty, sample_weight=size)
            loss = loss + self._objective.gradient_penalty * penalty
        return loss + _added(self._discriminator)

    def _fool(self, batch: Batch, training: bool = True) -> Any:
        """The generator's loss."""
        inputs = batch[0]
        scores = self._score(self._blurred(self._made(inputs, training), training), inputs, training)
        loss = ops.mean(self._losses.fool(scores))
        self._means["generator_loss"].update_state(loss, sample_weight=_size(inputs))
        return loss + _added(self._generator)

    def _steepness(self, real: Any, made: Any, inputs: Tensors, training: bool) -> Any:
        """How far the gradient's length is from 1, squared, between real examples and made ones (Gulrajani et al. 2017)."""
        share = keras.random.uniform((_size(inputs), *(1,) * (len(real.shape) - 1)), seed=self._seed(training))
        between = real + ops.cast(share, real.dtype) * (made - real)
        trainable, others = (
            [variable.value for variable in variables]
            for variables in (self._discriminator.trainable_variables, self._discriminator.non_trainable_variables)
        )

        def scores(examples: Any) -> Any:
            # What changes inside a gradient is no more than on the way there: nothing of it is kept.
            given = {**self._conditions(inputs), self._pair.judged: examples}
            return self._discriminator.stateless_call(trainable, others, given, training=training)[0][self._pair.verdict]

        gradient = ops.cast(input_gradient(scores, between), "float32")
        square = ops.sum(ops.square(gradient), axis=tuple(range(1, len(gradient.shape))))
        # The root has no gradient at 0.
        return ops.mean(ops.square(ops.sqrt(square + 1e-12) - 1.0))

    # --- what they are made of --------------------------------------------------------------------------------------------

    def _made(self, inputs: Tensors, training: bool) -> Any:
        pair = self._pair
        shape = (_size(inputs), *pair.noise_shape)
        noise = drawn_noise(pair.objective.noise.distribution, shape, self._seed(training))
        return self._generator({**self._conditions(inputs), pair.noise: noise}, training=training)[pair.made]

    def _score(self, examples: Any, inputs: Tensors, training: bool) -> Any:
        given = {**self._conditions(inputs), self._pair.judged: examples}
        scores = self._discriminator(given, training=training)[self._pair.verdict]
        return ops.cast(ops.reshape(scores, (-1,)), "float32")

    def _conditions(self, inputs: Tensors) -> dict[str, Any]:
        return {name: inputs[name] for name in self._pair.conditions}

    def _blurred(self, examples: Any, training: bool) -> Any:
        if not training or not self._input_noise:
            return examples
        noise = keras.random.normal(ops.shape(examples), 0.0, self._input_noise, examples.dtype, seed=self._draws)
        return examples + noise

    def _told(self, right: Any, wrong: Any, training: bool) -> Any:
        """The losses of the labels that the discriminator is told, of which some are wrong."""
        if not training or not self._label_noise:
            return right
        return ops.where(keras.random.uniform(ops.shape(right), seed=self._draws) < self._label_noise, wrong, right)

    def _note_balance(self, of_real: Any, of_made: Any, size: int) -> None:
        boundary = self._losses.boundary
        if boundary is None:
            self._means["score_gap"].update_state(ops.mean(of_real) - ops.mean(of_made), sample_weight=size)
            return
        self._means["real_accuracy"].update_state(ops.cast(of_real > boundary, "float32"))
        self._means["generated_accuracy"].update_state(ops.cast(of_made <= boundary, "float32"))

    def _seed(self, training: bool) -> keras.random.SeedGenerator:
        return self._draws if training else self._watched_draws


class _Clipped(keras.constraints.Constraint):  # type: ignore[misc]
    """Holds a weight within bounds, after what else holds it."""

    def __init__(self, largest: float, own: Any) -> None:
        self._largest, self._own = largest, own

    def __call__(self, weight: Any) -> Any:
        return ops.clip(weight if self._own is None else self._own(weight), -self._largest, self._largest)


def drawn_noise(distribution: Distribution, shape: tuple[int, ...], seed: Any) -> Any:
    """Noise for a generator, float32."""
    if distribution == "uniform":
        return keras.random.uniform(shape, -1.0, 1.0, "float32", seed=seed)
    return keras.random.normal(shape, dtype="float32", seed=seed)


def _size(inputs: Tensors) -> int:
    """How many examples a batch has: known when a step is compiled."""
    return int(next(iter(inputs.values())).shape[0])


def _added(model: keras.Model) -> Any:
    """What layers add to a loss."""
    total: Any = 0.0
    for added in model.losses:
        total = total + ops.sum(ops.cast(added, "float32"))
    return total
