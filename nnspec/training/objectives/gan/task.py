"""The training task of a GAN: its learner, and the samples and metrics after each epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from nnspec.data.prepare import Prepared
from nnspec.data.transforms.classes import class_names
from nnspec.files import write_whole
from nnspec.runtime.samples import MOST_CHOICES, Samples
from nnspec.runtime.sheets import SHEETS, is_image, sheet
from nnspec.training.batches.augmenter import Augmenter
from nnspec.training.batches.fit_statistics import fit_statistics
from nnspec.training.loop.keras_objects import keras_optimizer
from nnspec.training.loop.learner import Learner, Task
from nnspec.training.loop.networks import Networks
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
            content = sheet(
                self._generate(count, self._shown_conditions(count), 0), *self._range, columns=self._samples.columns
            )
            (folder / SHEETS).mkdir(exist_ok=True)
            write_whole(folder / SHEETS / f"epoch-{epoch:04}.png", content)
        generated = self._generate(self._count, self._conditions, 1)
        if not all(self._real):
            return {}
        found = (mean_distance(generated), mean_nearest_distance(generated))
        metrics = zip(("diversity", "distinctness"), found, self._real, strict=True)
        return {name: round(value / real, 6) for name, value, real in metrics}

    def warnings(self, records: Sequence[Mapping[str, Any]]) -> list[str]:
        return log_warnings(records)

    @property
    def _range(self) -> tuple[float, float]:
        return self._samples.low, self._samples.high

    def _shown_conditions(self, count: int) -> dict[str, NDArray[Any]]:
        """Each condition in turn; if there are too many, the conditions of some examples."""
        if self._samples.choices or not self._conditions:
            return self._samples.chosen({}, count)
        return {name: np.resize(values, (count, *values.shape[1:])) for name, values in self._conditions.items()}

    def _generate(self, count: int, conditions: Mapping[str, NDArray[Any]], which: int) -> NDArray[np.float64]:
        plan = self._plan
        types = plan.generator.inputs
        given = {name: ops.convert_to_tensor(values.astype(types[name].dtype)) for name, values in conditions.items()}
        given[plan.noise] = ops.convert_to_tensor(self._samples.drawn(count, [self._seed, which]))
        generated = self._models[plan.generator.name](given, training=False)[plan.generator_output]
        found: NDArray[np.float64] = ops.convert_to_numpy(ops.cast(generated, "float32")).astype(np.float64)
        return found


_MOST_EXAMPLES = 4096


def samples_of(plan: GanPlan, prepared: Prepared) -> Samples:
    """Describes how the generator is sampled."""
    some = prepared.train.batch(spread(len(prepared.train), _MOST_EXAMPLES)).inputs
    values = some[plan.example_input]
    learned = {name: class_names(prepared.state.get(f"inputs.{name}", [])) for name in plan.conditions}
    return Samples(
        network=plan.generator.name,
        noise=plan.noise,
        shape=plan.noise_shape,
        distribution=plan.objective.noise.distribution,
        output=plan.generator_output,
        low=float(values.min()),
        high=float(values.max()),
        choices=tuple(_choices({name: some[name] for name in plan.conditions})),
        names={name: list(names) for name, names in learned.items() if names is not None},
        conditions=plan.conditions,
    )


def spread(count: int, most: int) -> NDArray[np.int64]:
    """Indices of at most `most` of `count` examples, evenly spread, since tables are often sorted by class."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))


def _choices(conditions: Mapping[str, NDArray[Any]]) -> list[dict[str, Any]]:
    """The distinct conditions of examples, in order; empty if there are too many or they are too large."""
    if not conditions or any(values[:1].size > MOST_CHOICES for values in conditions.values()):
        return []
    columns = {name: values.reshape(len(values), -1) for name, values in conditions.items()}
    keys = np.concatenate([values.astype(np.float64) for values in columns.values()], 1)
    # This sorts one-hot vectors by class.
    found, first = np.unique(-keys if keys.shape[1] > 1 else keys, axis=0, return_index=True)
    if len(found) > MOST_CHOICES:
        return []
    return [{name: values[i].tolist() for name, values in conditions.items()} for i in first]
