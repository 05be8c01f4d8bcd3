"""The training of two networks against each other: what learns, and what is looked at after each epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from nnspec.data.prepare import Prepared
from nnspec.files import write_whole
from nnspec.runtime.sheets import SHEETS, is_image, sheet
from nnspec.training.batches.augmenter import Augmenter
from nnspec.training.batches.fit_statistics import adapt
from nnspec.training.catalogue.keras_objects import keras_optimizer
from nnspec.training.loop.learner import Learner
from nnspec.training.loop.networks import Networks
from nnspec.training.objectives.gan.diversity import apart, nearest, warnings_of
from nnspec.training.objectives.gan.learner import GanLearner
from nnspec.training.objectives.gan.plan import GanPlan
from nnspec.training.objectives.gan.samples import samples_of, spread
from nnspec.training.plan import PhasePlan, TrainingPlan

__all__ = ["GanTask"]

_JUDGED = 256
"""Examples by which it is judged how varied they are."""
_SHOWN = 64


class GanTask:
    """Two networks against each other.

    Args:
        networks: The networks' models.
        plan: What is trained, and how.
        prepared: The data.
        augmenter: Changes the data's examples at random; None for nothing.
    """

    def __init__(self, networks: Networks, plan: TrainingPlan, prepared: Prepared, augmenter: Augmenter | None) -> None:
        pair: GanPlan = plan.own
        self._models, self._pair, self._seed, self._augmenter = networks.models, pair, plan.section.seed, augmenter
        adapt(networks.models[pair.discriminator.name], pair.discriminator, {}, prepared.train)
        some = prepared.train.batch(spread(len(prepared.train), _JUDGED)).inputs
        self._samples = samples_of(pair, prepared)
        self._conditions = {name: np.asarray(some[name]) for name in pair.conditions}
        real = np.asarray(some[pair.judged], np.float64)
        self._count = len(real)
        self._real = (apart(real), nearest(real)) if self._count > 2 else (0.0, 0.0)

    def learner(self, phase: PhasePlan) -> Learner:
        section, pair = phase.section, self._pair
        optimizers = {name: keras_optimizer(section, name, averages=name == pair.generator.name) for name in pair.networks}
        noise = section.input_noise.get(pair.judged, 0.0) if isinstance(section.input_noise, dict) else section.input_noise
        labels = section.label_noise if isinstance(section.label_noise, float) else 0.0
        return GanLearner(
            pair,
            self._models,
            optimizers,
            self._seed,
            input_noise=noise or 0.0,
            label_noise=labels,
            augmenter=self._augmenter,
        )

    def examine(self, epoch: int, folder: Path) -> dict[str, Any]:
        """How varied what is made is, and a sheet of it: of the same noise each time."""
        if is_image(self._pair.generator.output_types[self._pair.made].shape):
            count = _SHOWN if self._samples.columns is None else self._samples.columns * 8
            content = sheet(self._made(count, self._shown_conditions(count), 0), *self._range, columns=self._samples.columns)
            (folder / SHEETS).mkdir(exist_ok=True)
            write_whole(folder / SHEETS / f"epoch-{epoch:04}.png", content)
        made = self._made(self._count, self._conditions, 1)
        if not all(self._real):
            return {}
        figures = zip(("diversity", "distinctness"), (apart(made), nearest(made)), self._real, strict=True)
        return {name: round(value / real, 6) for name, value, real in figures}

    def warnings(self, records: Sequence[Mapping[str, Any]]) -> list[str]:
        return warnings_of(records)

    @property
    def _range(self) -> tuple[float, float]:
        return self._samples.low, self._samples.high

    def _shown_conditions(self, count: int) -> dict[str, NDArray[Any]]:
        """One of each condition in turn; where there are too many, those of some examples."""
        if self._samples.choices or not self._conditions:
            return self._samples.chosen({}, count)
        return {name: np.resize(values, (count, *values.shape[1:])) for name, values in self._conditions.items()}

    def _made(self, count: int, conditions: Mapping[str, NDArray[Any]], which: int) -> NDArray[np.float64]:
        pair = self._pair
        types = pair.generator.inputs
        given = {name: ops.convert_to_tensor(values.astype(types[name].dtype)) for name, values in conditions.items()}
        given[pair.noise] = ops.convert_to_tensor(self._samples.drawn(count, [self._seed, which]))
        made = self._models[pair.generator.name](given, training=False)[pair.made]
        found: NDArray[np.float64] = ops.convert_to_numpy(ops.cast(made, "float32")).astype(np.float64)
        return found
