"""The training step of a GAN: stateful Keras code that runs on every backend."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from nnspec.keras_backend.seeds import Seeds
from nnspec.training.backends.gradients import input_gradient
from nnspec.training.batches.augmenter import Augmenter
from nnspec.training.loop.learner import (
    Batch,
    Learner,
    Tensors,
    TrainableGroup,
    Update,
    batch_size,
    parts_of,
    with_layer_losses,
)
from nnspec.training.objectives.gan import Distribution
from nnspec.training.objectives.gan.plan import GanPlan

Score = Callable[[Any], Any]


@dataclass(frozen=True)
class AdversarialLosses:
    """The losses of a generator and a discriminator, each a function of the score of an example.

    Attributes:
        real: The discriminator's loss of real examples; its second argument is the label smoothing.
        generated: The discriminator's loss of generated examples.
        generator: The generator's loss of generated examples.
        boundary: The score above which an example is classified as real; None if scores have no threshold.
    """

    real: Callable[[Any, float], Any]
    generated: Score
    generator: Score
    boundary: float | None = 0.0


def _cross_entropy(scores: Any, label: float) -> Any:
    """The cross-entropy of logits with a label between 0 and 1."""
    return ops.softplus(scores) - label * scores


LOSSES: Mapping[str, AdversarialLosses] = {
    # Goodfellow et al. 2014, equation 1.
    "minimax": AdversarialLosses(
        real=lambda scores, smoothing: _cross_entropy(scores, 1.0 - smoothing),
        generated=ops.softplus,
        generator=lambda scores: -ops.softplus(scores),
    ),
    # The same, section 3: the generator maximizes log D(G(z)).
    "non_saturating": AdversarialLosses(
        real=lambda scores, smoothing: _cross_entropy(scores, 1.0 - smoothing),
        generated=ops.softplus,
        generator=lambda scores: ops.softplus(-scores),
    ),
    # Mao et al. 2016, equation 9: a = 0, b = c = 1.
    "least_squares": AdversarialLosses(
        real=lambda scores, smoothing: 0.5 * ops.square(scores - (1.0 - smoothing)),
        generated=lambda scores: 0.5 * ops.square(scores),
        generator=lambda scores: 0.5 * ops.square(scores - 1.0),
        boundary=0.5,
    ),
    # Lim and Ye 2017; Miyato et al. 2018, equations 16 and 17.
    "hinge": AdversarialLosses(
        real=lambda scores, smoothing: ops.relu(1.0 - scores),
        generated=lambda scores: ops.relu(1.0 + scores),
        generator=lambda scores: -scores,
    ),
    # Arjovsky et al. 2017, equation 2.
    "wasserstein": AdversarialLosses(
        real=lambda scores, smoothing: -scores,
        generated=lambda scores: scores,
        generator=lambda scores: -scores,
        boundary=None,
    ),
}
"""The losses by their names in specs."""


class GanLearner(Learner):
    """Updates the discriminator and then the generator in each step, as often as the objective states.

    Each update of the discriminator uses other examples, so a step takes that many times ``batch_size`` examples. Each update
    draws new noise. Real and generated examples are separate batches for batch normalization (Radford et al. 2015).

    Args:
        plan: The checked objective.
        models: The models of both networks, by name.
        optimizers: The optimizers, by network.
        seed: The seed of the random numbers; their state is in ``random_variables``.
        input_noise: The standard deviation of noise on the discriminator's real and generated inputs.
        label_noise: The share of flipped labels of the discriminator.
        augmenter: Augments the real examples; None for no augmentation.
    """

    def __init__(
        self,
        plan: GanPlan,
        models: Mapping[str, keras.Model],
        optimizers: Mapping[str, Any],
        seed: int,
        *,
        input_noise: float = 0.0,
        label_noise: float = 0.0,
        augmenter: Augmenter | None = None,
    ) -> None:
        self._discriminator_group, self._generator_group = groups = [
            TrainableGroup(graph.name, models[graph.name].trainable_variables, optimizers[graph.name])
            for graph in (plan.discriminator, plan.generator)
        ]
        self._generator, self._discriminator = models[plan.generator.name], models[plan.discriminator.name]
        super().__init__([self._generator, self._discriminator], groups, plan.validated, augmenter)
        self._plan, self._objective = plan, plan.objective
        self._losses = LOSSES[plan.objective.loss]
        if plan.objective.weight_clip is not None:
            # Optimizers apply constraints after each update, on every backend.
            for variable in self._discriminator_group.variables:
                variable.constraint = _Clipped(plan.objective.weight_clip, variable.constraint)
        self.batches = plan.objective.steps.discriminator
        self._input_noise, self._label_noise = input_noise, label_noise
        seeds = Seeds(seed, "train").within("gan")
        self._draws = keras.random.SeedGenerator(seeds.of("training"))
        self._validation_draws = keras.random.SeedGenerator(seeds.of("watching"))
        self._first_draw = self._validation_draws.state.numpy()

    @property
    def random_variables(self) -> list[Any]:
        return [self._draws.state, self._validation_draws.state, *super().random_variables]

    def updates(self, batch: Batch) -> Sequence[Update]:
        # The last batch of an epoch may have fewer examples than there are updates.
        parts = parts_of(batch, self._objective.steps.discriminator)
        updates = [
            *(Update(self._discriminator_group, self._discriminator_loss, part) for part in parts),
            *(
                Update(self._generator_group, self._generator_loss, parts[i % len(parts)])
                for i in range(self._objective.steps.generator)
            ),
        ]
        # A phase may freeze all weights of one network.
        return [update for update in updates if update.group.variables]

    def loss(self, batch: Batch, *, training: bool) -> Any:
        return self._discriminator_loss(batch, training) + self._generator_loss(batch, training)

    def reset(self) -> None:
        super().reset()
        # Validation uses the same noise in each epoch.
        self._validation_draws.state.assign(self._first_draw)

    # --- the two losses ---------------------------------------------------------------------------------------------------

    def _discriminator_loss(self, batch: Batch, training: bool = True) -> Any:
        """The discriminator's loss on real examples and as many generated ones."""
        inputs = batch[0]
        generated = ops.stop_gradient(self._generate(inputs, training))
        real = ops.cast(inputs[self._plan.example_input], generated.dtype)
        real, generated = (self._with_noise(examples, training) for examples in (real, generated))
        real_scores, generated_scores = (self._score(examples, inputs, training) for examples in (real, generated))
        smoothing = self._objective.label_smoothing or 0.0
        both = (real_scores, generated_scores)
        as_real = [self._losses.real(scores, smoothing) for scores in both]
        as_generated = [self._losses.generated(scores) for scores in both]
        real_loss = self._with_label_noise(as_real[0], as_generated[0], training)
        generated_loss = self._with_label_noise(as_generated[1], as_real[1], training)
        loss = ops.mean(real_loss) + ops.mean(generated_loss)
        size = batch_size(inputs)
        self.means["discriminator_loss"].update_state(loss, sample_weight=size)
        self._update_balance(real_scores, generated_scores, size)
        if self._objective.gradient_penalty is not None:
            penalty = self._gradient_penalty(real, generated, inputs, training)
            self.means["gradient_penalty"].update_state(penalty, sample_weight=size)
            loss = loss + self._objective.gradient_penalty * penalty
        return with_layer_losses(loss, self._discriminator)

    def _generator_loss(self, batch: Batch, training: bool = True) -> Any:
        """The generator's loss."""
        inputs = batch[0]
        scores = self._score(self._with_noise(self._generate(inputs, training), training), inputs, training)
        loss = ops.mean(self._losses.generator(scores))
        self.means["generator_loss"].update_state(loss, sample_weight=batch_size(inputs))
        return with_layer_losses(loss, self._generator)

    def _gradient_penalty(self, real: Any, generated: Any, inputs: Tensors, training: bool) -> Any:
        """The squared deviation of the gradient norm from 1, between real and generated examples (Gulrajani et al. 2017)."""
        share = keras.random.uniform((batch_size(inputs), *(1,) * (len(real.shape) - 1)), seed=self._seed(training))
        between = real + ops.cast(share, real.dtype) * (generated - real)
        trainable, others = (
            [variable.value for variable in variables]
            for variables in (self._discriminator.trainable_variables, self._discriminator.non_trainable_variables)
        )

        def scores(examples: Any) -> Any:
            # Updates of variables inside the gradient are discarded.
            given = {**self._conditions(inputs), self._plan.example_input: examples}
            return self._discriminator.stateless_call(trainable, others, given, training=training)[0][self._plan.score_output]

        gradient = ops.cast(input_gradient(scores, between), "float32")
        square = ops.sum(ops.square(gradient), axis=tuple(range(1, len(gradient.shape))))
        # The square root has no gradient at 0.
        return ops.mean(ops.square(ops.sqrt(square + 1e-12) - 1.0))

    # --- forward passes ------------------------------------------------------------------------------------------------

    def _generate(self, inputs: Tensors, training: bool) -> Any:
        plan = self._plan
        shape = (batch_size(inputs), *plan.noise_shape)
        noise = drawn_noise(plan.objective.noise.distribution, shape, self._seed(training))
        return self._generator({**self._conditions(inputs), plan.noise: noise}, training=training)[plan.generator_output]

    def _score(self, examples: Any, inputs: Tensors, training: bool) -> Any:
        given = {**self._conditions(inputs), self._plan.example_input: examples}
        scores = self._discriminator(given, training=training)[self._plan.score_output]
        return ops.cast(ops.reshape(scores, (-1,)), "float32")

    def _conditions(self, inputs: Tensors) -> dict[str, Any]:
        return {name: inputs[name] for name in self._plan.conditions}

    def _with_noise(self, examples: Any, training: bool) -> Any:
        if not training or not self._input_noise:
            return examples
        noise = keras.random.normal(ops.shape(examples), 0.0, self._input_noise, examples.dtype, seed=self._draws)
        return examples + noise

    def _with_label_noise(self, right: Any, wrong: Any, training: bool) -> Any:
        """The losses with the right labels, some replaced by those with the wrong label."""
        if not training or not self._label_noise:
            return right
        return ops.where(keras.random.uniform(ops.shape(right), seed=self._draws) < self._label_noise, wrong, right)

    def _update_balance(self, real_scores: Any, generated_scores: Any, size: int) -> None:
        boundary = self._losses.boundary
        if boundary is None:
            self.means["score_gap"].update_state(ops.mean(real_scores) - ops.mean(generated_scores), sample_weight=size)
            return
        self.means["real_accuracy"].update_state(ops.cast(real_scores > boundary, "float32"))
        self.means["generated_accuracy"].update_state(ops.cast(generated_scores <= boundary, "float32"))

    def _seed(self, training: bool) -> keras.random.SeedGenerator:
        return self._draws if training else self._validation_draws


class _Clipped(keras.constraints.Constraint):  # type: ignore[misc]
    """Clips a weight, after its own constraint."""

    def __init__(self, largest: float, own: Any) -> None:
        self._largest, self._own = largest, own

    def __call__(self, weight: Any) -> Any:
        return ops.clip(weight if self._own is None else self._own(weight), -self._largest, self._largest)


def drawn_noise(distribution: Distribution, shape: tuple[int, ...], seed: Any) -> Any:
    """Draws noise for a generator, float32."""
    if distribution == "uniform":
        return keras.random.uniform(shape, -1.0, 1.0, "float32", seed=seed)
    return keras.random.normal(shape, dtype="float32", seed=seed)
