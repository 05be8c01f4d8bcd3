"""The training task of a program: its draws, updates and averages, stateful Keras code that runs on every backend."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import keras
import numpy as np
from keras import ops

from nnspec.data.prepare import Prepared
from nnspec.graph.model import Ref
from nnspec.keras_backend.seeds import Seeds
from nnspec.keras_backend.weights import variables as weights_of
from nnspec.training.batches.augmenter import Augmenter
from nnspec.training.batches.fit_statistics import fit_statistics
from nnspec.training.batches.random_layers import RandomLayers
from nnspec.training.catalogue.optimizers.base import Optimizer
from nnspec.training.loop.keras_objects import keras_optimizer, keras_weight
from nnspec.training.loop.learner import (
    Batch,
    Learner,
    Task,
    Tensors,
    TrainableGroup,
    Update,
    batch_size,
    parts_of,
    with_layer_losses,
)
from nnspec.training.loop.networks import Networks
from nnspec.training.objectives.program.draws import tokens, view
from nnspec.training.objectives.program.plan import Entry, ProgramPlan
from nnspec.training.objectives.program.run import ProgramModels, ProgramRun
from nnspec.training.plan import PhasePlan, TrainingPlan

_ROWS = 4096
"""The number of examples of which tokens are counted at once."""


class ProgramTask(Task):
    """Trains the networks of a program.

    Args:
        networks: The networks' models.
        plan: The training plan.
        prepared: The data.
        augmenter: Augments the training examples; None for no augmentation.
    """

    def __init__(self, networks: Networks, plan: TrainingPlan, prepared: Prepared, augmenter: Augmenter | None) -> None:
        own: ProgramPlan = plan.own
        self._plan, self._augmenter = own, augmenter
        self._models = ProgramModels(own, networks.models, plan.section.seed)
        for name, graph in own.networks.items():
            fit_statistics(networks.models[name], graph, {}, prepared.train)
        self._averages = [_Averaged(own, networks, name) for name in own.averages if name in own.networks]
        for average in self._averages:
            average.copy()
        self._draws = _Draws(own, prepared, plan.section.seed)

    def learner(self, phase: PhasePlan) -> Learner:
        return ProgramLearner(self._plan, self._models, self._draws, self._averages, phase, self._augmenter)


class _Draws:
    """Draws random values for a batch. Validation draws the same values each time.

    Args:
        plan: The program.
        prepared: The data.
        seed: The seed of the training.
    """

    def __init__(self, plan: ProgramPlan, prepared: Prepared, seed: int) -> None:
        self._draws = plan.objective.draw
        seeds = Seeds(seed, "train").within("program")
        self._generators = {
            training: {name: keras.random.SeedGenerator(seeds.within(name).of(what)) for name in self._draws}
            for training, what in ((True, "training"), (False, "watching"))
        }
        self._views = {
            name: RandomLayers({draw.draw.of: draw.layers or ()}, seed, f"program/{name}")
            for name, draw in self._draws.items()
            if isinstance(draw.draw, view)
        }
        self._shares = {
            name: ops.convert_to_tensor(draw.draw.shares(_counts(prepared, plan.columns.get(draw.draw.of, draw.draw.of))))
            for name, draw in self._draws.items()
            if isinstance(draw.draw, tokens)
        }
        self._first = [(generator.state, generator.state.numpy()) for generator in self._generators[False].values()]

    @property
    def variables(self) -> list[Any]:
        """The states of the random generators."""
        own = [generator.state for generators in self._generators.values() for generator in generators.values()]
        return own + [variable for each in self._views.values() for variable in each.variables]

    def restart(self) -> None:
        """Restarts the draws of validation."""
        for variable, value in self._first:
            variable.assign(value)
        for each in self._views.values():
            each.restart()

    def sample(self, name: str, fields: Tensors, size: int, training: bool) -> Any:
        """The values of a draw.

        Args:
            name: The draw.
            fields: The data fields.
            size: The number of examples.
            training: Whether the batch is trained on.
        """
        draw, seed = self._draws[name].draw, self._generators[training][name]
        if isinstance(draw, view):
            return self._views[name]({draw.of: fields[draw.of]}, training=training)[draw.of]
        if isinstance(draw, tokens):
            return draw.sample_from(self._shares[name], size, fields, seed)
        return draw.sample(size, fields, seed)  # type: ignore[attr-defined]


def _counts(prepared: Prepared, field: str) -> Any:
    """How often each token occurs in a field of the training data."""
    counts = np.zeros(0, np.int64)
    for start in range(0, len(prepared.train), _ROWS):
        values = np.asarray(prepared.train.batch(np.arange(start, min(start + _ROWS, len(prepared.train)))).inputs[field])
        found = np.bincount(values[values >= 0].ravel())
        counts = np.pad(counts, (0, max(len(found) - len(counts), 0)))
        counts[: len(found)] += found
    return counts


class _Averaged:
    """A moving average of a network.

    Args:
        plan: The program.
        networks: The networks.
        name: The average.
    """

    def __init__(self, plan: ProgramPlan, networks: Networks, name: str) -> None:
        average = plan.averages[name]
        graphs = plan.networks[name], plan.networks[average.of]
        own, theirs = (list(weights_of(networks.models[graph.name], graph).values()) for graph in graphs)
        self._pairs = list(zip(own, theirs, strict=True))
        self._decay = keras_weight(average.decay)  # type: ignore[arg-type]

    def copy(self) -> None:
        """Sets it to the weights of its network."""
        for own, other in self._pairs:
            own.assign(other.value)

    def follow(self, step: Any) -> None:
        """Moves it toward its network.

        Args:
            step: The number of completed steps.
        """
        decay = self._decay(step) if callable(self._decay) else self._decay
        for own, other in self._pairs:
            share = ops.cast(decay, own.dtype)
            own.assign(own.value * share + ops.cast(other.value, own.dtype) * (1 - share))


class ProgramLearner(Learner):
    """Runs the entries of ``minimize`` in order, each on a batch of its own if it is repeated.

    Args:
        plan: The program.
        models: Its models.
        draws: Its draws.
        averages: Its averages.
        phase: The phase of the training.
        augmenter: Augments the training examples; None for no augmentation.
    """

    def __init__(
        self,
        plan: ProgramPlan,
        models: ProgramModels,
        draws: _Draws,
        averages: Sequence[_Averaged],
        phase: PhasePlan,
        augmenter: Augmenter | None,
    ) -> None:
        self._plan, self._programs, self._draws, self._averages = plan, models, draws, averages
        self.batches = max(entry.section.times for entry in plan.entries)
        self._groups = {
            id(entry): TrainableGroup(
                "_".join(entry.section.networks), _trainable(models, entry), _optimizer(phase, entry), entry.section.optimizer
            )
            for entry in plan.entries
        }
        trainable = [group for group in self._groups.values() if group.variables]
        super().__init__(models.networks.values(), trainable, plan.metrics, augmenter)
        self._shown = _shown_with(plan, [entry for entry in plan.entries if self._groups[id(entry)].variables])

    @property
    def needs_full_batches(self) -> bool:
        return self._plan.full_batches

    @property
    def random_variables(self) -> list[Any]:
        return [*self._programs.random_variables, *self._draws.variables, *super().random_variables]

    def updates(self, batch: Batch) -> Sequence[Update]:
        parts = parts_of(batch, self.batches)
        # A phase may freeze all weights of an entry.
        return [
            Update(self._groups[id(entry)], partial(self._loss, entry), parts[i % len(parts)])
            for entry in self._plan.entries
            if self._groups[id(entry)].variables
            for i in range(entry.section.times)
        ]

    def after_step(self) -> None:
        step = self._programs.step
        step.assign(step.value + 1)
        for average in self._averages:
            average.follow(step.value)

    def validate(self, batch: Batch) -> Any:
        run = self._run(batch, training=False)
        return sum((self._computed(entry, run) for entry in self._plan.entries), start=0.0)

    def reset(self) -> None:
        super().reset()
        self._draws.restart()

    def results(self) -> dict[str, Any]:
        # The loss of an entry that the phase leaves out is known in validation only.
        found = super().results()
        return {name: value for name, value in found.items() if float(self.means[name].count.value) > 0}

    def _loss(self, entry: Entry, batch: Batch) -> Any:
        return self._computed(entry, self._run(batch, training=True))

    def _run(self, batch: Batch, *, training: bool) -> ProgramRun:
        size = batch_size(batch[0])
        fields = {name: batch[0][self._plan.columns.get(name, name)] for name in self._plan.fields}
        given = {
            name: ops.cast(fields[name], "int32") if kind.is_integer else fields[name]
            for name, kind in self._plan.fields.items()
        }
        return _Drawing(self._programs, given, size, self._draws, training=training)

    def _computed(self, entry: Entry, run: ProgramRun) -> Any:
        """The loss of an entry with the regularizers of its networks; updates the metrics."""
        loss = run.mean(entry.loss)
        total = loss
        for name in entry.section.networks:
            total = with_layer_losses(total, self._programs.networks[name])
        if entry.name != "loss":
            self.means[entry.name].update_state(loss, sample_weight=run.size)
        if len(self._plan.entries) == 1 or entry.name == "loss":
            self.means["loss"].update_state(total, sample_weight=run.size)
        for name in self._shown.get(id(entry), ()):
            self.means[name].update_state(ops.stop_gradient(run.mean(self._plan.shown[name])), sample_weight=run.size)
        return total


class _Drawing(ProgramRun):
    """A run that draws a random value when it is first needed."""

    def __init__(self, models: ProgramModels, fields: Tensors, size: int, draws: _Draws, *, training: bool) -> None:
        super().__init__(models, fields, size, training=training)
        self._fields, self._draws = fields, draws

    def value(self, ref: Ref) -> Any:
        if ref not in self._values and ref.source in self.models.plan.objective.draw:
            self._keep(ref, self._draws.sample(ref.source, self._fields, self.size, self.training), None)
        return super().value(ref)


def _trainable(models: ProgramModels, entry: Entry) -> list[Any]:
    """The weights that an entry updates, each once."""
    found = [variable for name in entry.section.networks for variable in models.networks[name].trainable_variables]
    return list({id(variable): variable for variable in found}.values())


def _optimizer(phase: PhasePlan, entry: Entry) -> Any:
    own = entry.section.optimizer
    assert own is None or isinstance(own, Optimizer)
    return keras_optimizer(phase.section, entry.section.networks[0], config=own)


def _shown_with(plan: ProgramPlan, entries: Sequence[Entry]) -> dict[int, list[str]]:
    """The values that each entry shows: the first that computes them anyway, else the first of all.

    Args:
        plan: The program.
        entries: The entries that the phase runs.
    """
    entries = entries or plan.entries
    computed = {id(entry): {unit.name for unit in plan.typed.needed([entry.loss])} for entry in entries}
    found: dict[int, list[str]] = {id(entry): [] for entry in entries}
    for name, ref in plan.shown.items():
        needed = {unit.name for unit in plan.typed.needed([ref])}
        chosen = next((entry for entry in entries if needed <= computed[id(entry)]), entries[0])
        found[id(chosen)].append(name)
    return found
