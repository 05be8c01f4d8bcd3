"""The training task of a GAN: its learner, and the samples and metrics after each epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from nnspec.data.prepare import Prepared
from nnspec.generation.draws import Draw, normal, uniform
from nnspec.runtime.samples import RandomInput, Samples
from nnspec.runtime.sheets import is_image
from nnspec.training.batches.augmenter import Augmenter
from nnspec.training.batches.fit_statistics import fit_statistics
from nnspec.training.loop.keras_objects import keras_optimizer
from nnspec.training.loop.learner import Learner, Task
from nnspec.training.loop.networks import Networks
from nnspec.training.loop.sample_sheets import MOST_EXAMPLES, choices_among, names_of, shown_conditions, spread, write_sheet
from nnspec.training.objectives.gan.diversity import log_warnings, mean_distance, mean_nearest_distance
from nnspec.training.objectives.gan.learner import GanLearner
from nnspec.training.objectives.gan.plan import GanPlan
from nnspec.training.plan import PhasePlan, TrainingPlan

_COMPARED = 256
"""The number of examples for measuring diversity."""
_SHOWN = 64


class GanTask(Task):
    """Trains a generator and a discriminator.

    Args:
        networks: The networks' models.
        plan: The training plan.
        prepared: The data.
        augmenter: Augments the real examples; None for no augmentation.
    """

    def __init__(self, networks: Networks, plan: TrainingPlan, prepared: Prepared, augmenter: Augmenter | None) -> None:
        own: GanPlan = plan.own
        self._models, self._plan, self._seed, self._augmenter = networks.models, own, plan.section.seed, augmenter
        fit_statistics(networks.models[own.discriminator.name], own.discriminator, {}, prepared.train)
        some = prepared.train.batch(spread(len(prepared.train), _COMPARED)).inputs
        self._samples = samples_of(own, prepared)
        self._conditions = {name: np.asarray(some[name]) for name in own.conditions}
        real = np.asarray(some[own.example_input], np.float64)
        self._count = len(real)
        self._real = (mean_distance(real), mean_nearest_distance(real)) if self._count > 2 else (0.0, 0.0)

    def learner(self, phase: PhasePlan) -> Learner:
        section, plan = phase.section, self._plan
        optimizers = {name: keras_optimizer(section, name, averages=name == plan.generator.name) for name in plan.networks}
        given = section.input_noise
        noise = given.get(plan.example_input, 0.0) if isinstance(given, dict) else given
        labels = section.label_noise if isinstance(section.label_noise, float) else 0.0
        return GanLearner(
            plan,
            self._models,
            optimizers,
            self._seed,
            input_noise=noise or 0.0,
            label_noise=labels,
            augmenter=self._augmenter,
        )

    def examine(self, epoch: int, folder: Path) -> dict[str, Any]:
        """Writes a sheet of generated examples and measures their diversity, from the same noise each time."""
        if is_image(self._plan.generator.output_types[self._plan.generator_output].shape):
            count = _SHOWN if self._samples.columns is None else self._samples.columns * 8
            conditions = shown_conditions(self._samples, self._conditions, count)
            write_sheet(self._samples, self._generate(count, conditions, 0), epoch, folder)
        generated = self._generate(self._count, self._conditions, 1)
        if not all(self._real):
            return {}
        found = (mean_distance(generated), mean_nearest_distance(generated))
        metrics = zip(("diversity", "distinctness"), found, self._real, strict=True)
        return {name: round(value / real, 6) for name, value, real in metrics}

    def warnings(self, records: Sequence[Mapping[str, Any]]) -> list[str]:
        return log_warnings(records)

    def _generate(self, count: int, conditions: Mapping[str, NDArray[Any]], which: int) -> NDArray[np.float64]:
        plan = self._plan
        types = plan.generator.inputs
        given = {name: ops.convert_to_tensor(values.astype(types[name].dtype)) for name, values in conditions.items()}
        given |= {name: ops.convert_to_tensor(array) for name, array in self._samples.drawn(count, [self._seed, which]).items()}
        generated = self._models[plan.generator.name](given, training=False)[plan.generator_output]
        found: NDArray[np.float64] = ops.convert_to_numpy(ops.cast(generated, "float32")).astype(np.float64)
        return found


def samples_of(plan: GanPlan, prepared: Prepared) -> Samples:
    """Describes how the generator is sampled."""
    some = prepared.train.batch(spread(len(prepared.train), MOST_EXAMPLES)).inputs
    values = some[plan.example_input]
    return Samples(
        network=plan.generator.name,
        draws={plan.noise: RandomInput(_noise(plan))},
        output=plan.generator_output,
        low=float(values.min()),
        high=float(values.max()),
        choices=tuple(choices_among({name: some[name] for name in plan.conditions})),
        names=names_of(plan.conditions, prepared),
        conditions=plan.conditions,
    )


def _noise(plan: GanPlan) -> Draw:
    shape = list(plan.noise_shape)
    return uniform(shape=shape, low=-1.0, high=1.0) if plan.objective.noise.distribution == "uniform" else normal(shape=shape)
