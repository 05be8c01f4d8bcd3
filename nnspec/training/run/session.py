"""The session of a training: the models, their phases and the run folder."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from nnspec.data.examples import Examples
from nnspec.data.kinds import DataError
from nnspec.data.prepare import Prepared
from nnspec.diagnostics import NnspecError, SpecError
from nnspec.generation.sampler_check import describes_sampler, sampling_of
from nnspec.graph import compile
from nnspec.spec import Spec
from nnspec.spec.ignores import silence
from nnspec.training.backends.devices import Devices
from nnspec.training.backends.selection import steps_for
from nnspec.training.batches.augmenter import Augmenter, outside_range
from nnspec.training.batches.bucketing import in_buckets
from nnspec.training.catalogue.schedules import Schedule
from nnspec.training.loop.backend import Steps
from nnspec.training.loop.class_order import ClassSampling, grouped
from nnspec.training.loop.data_guard import DataGuard
from nnspec.training.loop.interruption import interruptible
from nnspec.training.loop.keras_objects import keras_weight
from nnspec.training.loop.learner import Learner, TrainableGroup, averaged_weights
from nnspec.training.loop.loop import Loop, NotFiniteLoss, Status
from nnspec.training.loop.networks import Networks
from nnspec.training.loop.not_finite import Diverged, explanation
from nnspec.training.loop.order import Order
from nnspec.training.loop.position import Position
from nnspec.training.loop.progress import Progress
from nnspec.training.loop.sample_sheets import SampleSheets
from nnspec.training.loop.split_metrics import SplitMetrics
from nnspec.training.loop.stopping import Plateau
from nnspec.training.objectives.plugin import guarded, guarding
from nnspec.training.plan import Monitor, PhasePlan, TrainingPlan
from nnspec.training.processes.group import current
from nnspec.training.run.checkpoints import Checkpoint, Checkpoints, read_checkpoint
from nnspec.training.run.initial_weights import starting
from nnspec.training.run.word_vectors import join_vectors
from nnspec.training.run.writer import RunWriter
from nnspec.training.section import TrainSection


@dataclass(frozen=True)
class _Phase:
    """The learner and the steps of a phase."""

    plan: PhasePlan
    learner: Learner
    steps: Steps


class Session:
    """A training in this process.

    Args:
        spec: The spec.
        plan: The training plan.
        prepared: The data.
        progress: Reports progress.
        devices: The devices that each compute a part of every batch; None for one device.

    Attributes:
        taken: What initial weights were taken from each file.
        vectors: The embeddings that start from word vectors, by weight.
    """

    def __init__(self, spec: Spec, plan: TrainingPlan, prepared: Prepared, progress: Progress, devices: Devices = None) -> None:
        self._plan, self._prepared, self._progress, self._devices = plan, prepared, progress, devices
        with _precision(plan.section.precision):
            self._networks = Networks(plan.networks, plan.section.seed, plan.composed)
        found = starting(spec, plan.graph)
        self.taken = found.taken
        for warning in silence([*found.warnings]):
            progress.print(f"{warning.span}: {warning.severity}[{warning.code}]: {warning.message}")
        self._networks.set_weights(found.weights)
        self.vectors = join_vectors(spec, plan.graph, prepared.state, self._networks.weights())
        self._networks.set_weights({name: joined.weights for name, joined in self.vectors.items()})
        self._augmenter = self._made_augmenter()
        self._warned_of_boxes = False
        self._task = guarded(plan.objective, plan.objective.task, self._networks, plan, prepared, self._augmenter)
        sampling = sampling_of(spec, compile(spec)) if describes_sampler(spec) else None
        self._sheets = None if sampling is None else SampleSheets(sampling, prepared, plan.section.seed)
        self._guard = DataGuard(prepared, progress)
        self._position = Position()
        self._parts = self._bucketed()
        self._phase = self._begin_phase()

    def restore(self, checkpoint: Checkpoint, writer: RunWriter, checkpoints: Checkpoints) -> None:
        """Restores a checkpoint, and undoes what was written to the run folder after it.

        Args:
            checkpoint: The checkpoint.
            writer: Writes the run.
            checkpoints: All checkpoints of the run.

        Raises:
            NnspecError: If the checkpoint is of another model.
        """
        at = checkpoint.position
        # A process killed between a checkpoint and the weights of its epoch has not written them.
        if at.best_epoch and writer.weights_epoch() != at.best_epoch:
            best = checkpoints.of_epoch(at.best_epoch)
            if best is None:
                self._progress.print(f"the weights of the best epoch, {at.best_epoch}, are lost: the best value is reset")
                at.best, at.best_epoch = None, 0
            else:
                self._load(read_checkpoint(best))
                with self._averaged():
                    self._keep(writer)
                self._progress.print(f"weights.safetensors is restored from {best.name}: it is damaged, missing or older")
        self._load(checkpoint)
        writer.restore_log(checkpoint.history)

    def run(self, writer: RunWriter, stop: Callable[[], bool] | None = None) -> Status:
        """Trains until the end or an interruption.

        Args:
            writer: Writes the run.
            stop: Called after each step; whether to interrupt the training. None for never.

        Raises:
            NnspecError: If the loss is not finite, an example cannot be read, or a file cannot be written.
        """
        with interruptible() as interrupted:
            while True:
                status = self._run_phase(writer, lambda: interrupted() or (stop is not None and stop()))
                if status == "interrupted" or self._position.phase + 1 == len(self._plan.phases):
                    break
                self._next_phase(writer)
            if not self._position.best_epoch:
                with self._averaged():
                    self._keep(writer)
        writer.stopped_by = interrupted.signal
        return status

    @property
    def parameters(self) -> int:
        """The number of weights of all networks, each counted once."""
        weights = {id(variable): variable for variable in self._networks.variables if "float" in str(variable.dtype)}
        return sum(math.prod(variable.shape) for variable in weights.values())

    @property
    def position(self) -> Position:
        """The position."""
        return self._position

    @property
    def monitor(self) -> Monitor:
        """The metric that selects the best weights in the current phase."""
        return self._phase.plan.monitor

    def _made_augmenter(self) -> Augmenter | None:
        data = self._plan.data
        if data is None or not data.augment:
            return None
        for warning in silence([*outside_range(data, self._prepared.train)]):
            self._progress.print(f"{warning.span}: {warning.severity}[{warning.code}]: {warning.message}")
        return Augmenter(data.augment, data.needs, self._plan.section.seed, data.target_sources)

    def _bucketed(self) -> tuple[Examples, ...]:
        """The training examples, by bucket if there are buckets."""
        data, prepared = self._plan.data, self._prepared
        if data is None:
            return (prepared.train,)
        return in_buckets(data, prepared.state, prepared.train, self._plan.graph.conditions)

    def _sampling(self, batch_size: int) -> ClassSampling | None:
        given = self._plan.data.section.batches if self._plan.data is not None else None
        return None if given is None else ClassSampling(self._prepared.classes["train"], given.each, batch_size)

    def _validation(self) -> Examples | None:
        """The validation examples; in batches by class too, if there are any."""
        data, examples, classes = self._plan.data, self._prepared.validation, self._prepared.classes.get("validation")
        if data is None or data.section.batches is None or examples is None or classes is None:
            return examples
        return examples.only(grouped(classes, data.section.batches.each))

    def _begin_phase(self) -> _Phase:
        plan = self._plan.phases[self._position.phase]
        self._networks.freeze(plan.frozen)
        with guarding(self._plan.objective, "the training"):
            learner = self._task.learner(plan)
            return _Phase(plan, learner, steps_for(keras.backend.backend(), learner, self._devices))

    def _next_phase(self, writer: RunWriter) -> None:
        """Starts the next phase: from the best weights if the last one had early stopping, else from its last weights."""
        at, before = self._position, self._phase.plan
        if before.section.early_stopping is not None and at.best_epoch:
            self._networks.set_weights(writer.weights())
        at.next_phase(comparable=before.comparable(self._plan.phases[at.phase + 1]))
        self._phase = self._begin_phase()

    def _run_phase(self, writer: RunWriter, interrupted: Callable[[], bool]) -> Status:
        phase, section = self._phase, self._phase.plan.section
        due, processes = _Timer(writer.every_minutes), current()
        groups = phase.learner.trainable
        size, sampling = section.batch_size * phase.learner.batches, self._sampling(section.batch_size)
        order = Order(self._parts, size, section.seed, sampling, full=phase.learner.needs_full_batches)

        def save() -> None:
            writer.save(Checkpoint(self._position, writer.records, writer.conditions, arrays_of(self._variable_groups())))
            due.reset()

        def logged() -> None:
            writer.write_metrics()
            self._guard.after_epoch()
            self._warn(writer.records)
            self._warn_of_lost_boxes(writer.records[-1]["epoch"])

        rule, monitored = section.reduce_on_plateau, phase.plan.plateau
        plateau = Plateau(rule, monitored, groups[0].inner) if rule is not None and monitored is not None else None
        loop = Loop(
            steps=phase.steps,
            learner=phase.learner,
            order=order,
            validation=self._validation(),
            split_metrics=SplitMetrics(self._plan.split_metrics, self._networks.predictors),
            last_step=section.steps or (section.epochs or 1) * order.steps,
            monitor=phase.plan.monitor,
            stopping=section.early_stopping,
            evaluating=self._averaged,
            examine=lambda epoch: self._examine(epoch, writer),
            save=save,
            due=lambda: bool(processes.first(due())),
            keep=lambda: self._keep(writer),
            log=writer.records.append,
            logged=logged,
            progress=self._progress,
            interrupted=lambda: processes.any(interrupted()),
            agreed=processes.first,
            plateau=plateau,
            rates=lambda: _changing_rates(section, groups, plateau is not None) | _changing_weights(phase.plan, groups),
            position=self._position,
        )
        try:
            with guarding(self._plan.objective, "the training"):
                return loop.run()
        except NotFiniteLoss as error:
            raise Diverged(explanation(error, self._position, section, self._prepared.train)) from None
        except (DataError, SpecError) as error:
            # The steps before the unreadable example are complete.
            save()
            reason = error.message if isinstance(error, DataError) else f"\n{error}"
            raise NnspecError(f"after step {self._position.step:,}, an example could not be read: {reason}") from None
        finally:
            self._progress.end()

    def _warn(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Prints the warnings about the last epoch that are new."""
        with guarding(self._plan.objective, "`warnings`"):
            warnings, earlier = self._task.warnings(records), self._task.warnings(records[:-1]) if len(records) > 1 else ()
        before = {warning.partition(":")[0] for warning in earlier}
        for warning in warnings:
            if warning.partition(":")[0] not in before:
                self._progress.print(f"epoch {records[-1]['epoch']}: warning: {warning}")

    def _warn_of_lost_boxes(self, epoch: int) -> None:
        """Prints once that composed images had more boxes than rows."""
        if self._augmenter is None or self._warned_of_boxes:
            return
        counts = self._augmenter.boxes
        if counts.lost:
            self._warned_of_boxes = True
            reason = f"{counts.lost:,} of {counts.whole:,} boxes of composed images had no row, and are left out"
            self._progress.print(f"epoch {epoch}: warning: {reason}; an image had {counts.most:,}: write `pad: {counts.most}`")

    def _examine(self, epoch: int, writer: RunWriter) -> dict[str, Any]:
        """Computes further metrics of the networks, and writes generated samples."""
        if self._sheets is not None:
            self._sheets.write(epoch, writer.run.path, self._networks.weights())
        return self._task.examine(epoch, writer.run.path)

    def _variable_groups(self) -> dict[str, list[Any]]:
        learner = self._phase.learner
        return {
            "model": self._networks.variables,
            "optimizer": [variable for group in learner.trainable for variable in group.optimizer.variables],
            "metrics": [variable for metric in learner.metrics for variable in metric.variables],
            "random": learner.random_variables,
        }

    def _load(self, checkpoint: Checkpoint) -> None:
        phase = checkpoint.position.phase
        if phase >= len(self._plan.phases):
            raise NnspecError(f"the checkpoint is of phase {phase + 1}, and the training has {len(self._plan.phases)}")
        changed, self._position = phase != self._position.phase, Position(**checkpoint.position.as_json())
        if changed:
            self._phase = self._begin_phase()
        set_arrays(self._variable_groups(), checkpoint.arrays)

    def _averaged(self) -> AbstractContextManager[None]:
        return averaged_weights(self._phase.learner.trainable)

    def _keep(self, writer: RunWriter) -> None:
        writer.write_weights(self._networks.weights(), self._position.best_epoch)


def _changing_rates(section: TrainSection, trainable: Sequence[TrainableGroup], lowered: bool) -> dict[str, float]:
    """The learning rates that change, by their names in the log."""
    return {
        "learning_rate" if len(trainable) == 1 else f"{group.network}_learning_rate": float(group.inner.learning_rate)
        for group in trainable
        if lowered or isinstance(getattr(group.config or section.optimizer_of(group.network), "learning_rate", None), Schedule)
    }


def _changing_weights(phase: PhasePlan, trainable: Sequence[TrainableGroup]) -> dict[str, float]:
    """The loss weights that change, by their names in the log."""
    changing = {name: output.weight for name, output in phase.outputs.items() if isinstance(output.weight, Schedule)}
    step = int(trainable[0].inner.iterations) if changing else 0
    return {f"{name}_loss_weight": float(keras_weight(weight)(step)) for name, weight in changing.items()}


class _Timer:
    """Whether a number of minutes has passed since the last reset."""

    def __init__(self, minutes: float) -> None:
        self._seconds = minutes * 60
        self.reset()

    def reset(self) -> None:
        self._since = time.monotonic()

    def __call__(self) -> bool:
        return time.monotonic() - self._since >= self._seconds


@contextmanager
def _precision(policy: str) -> Iterator[None]:
    """Sets the dtype policy while a model is built."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


Groups = Mapping[str, Sequence[Any]]
"""Keras variables by group, in the same order each time a spec is built."""


def arrays_of(groups: Groups) -> dict[str, NDArray[Any]]:
    """The values of variables by group and number, such as ``model/0003``.

    Keras's own names are neither stable nor unique.
    """
    return {name: np.array(variable.numpy(), order="C") for name, variable in _named(groups).items()}


def set_arrays(groups: Groups, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Sets variables. None is set unless all arrays fit.

    Raises:
        NnspecError: If a value is missing or unknown, or its shape or dtype differs from that of its variable.
    """
    own = _named(groups)
    for name in sorted({*own, *arrays}):
        if name not in arrays or name not in own:
            raise NnspecError(
                f"the checkpoint is of another model: it has {len(arrays)} variables, and this model has {len(own)}"
            )
        theirs, ours = arrays[name], own[name]
        kinds = [(tuple(x.shape), str(x.dtype)) for x in (theirs, ours)]
        if kinds[0] != kinds[1]:
            raise NnspecError(
                f"the checkpoint is of another model: `{ours.path}` is {kinds[1]}, and {kinds[0]} in the checkpoint"
            )
    for name, variable in own.items():
        variable.assign(arrays[name])


def _named(groups: Groups) -> dict[str, Any]:
    return {f"{group}/{i:04}": variable for group, variables in groups.items() for i, variable in enumerate(variables)}
