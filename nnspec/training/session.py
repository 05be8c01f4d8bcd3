"""A training in this process: the model and what trains it, phase by phase, into a run folder."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import keras

from nnspec.data.examples import Examples
from nnspec.data.kinds import DataError
from nnspec.data.prepare import Prepared
from nnspec.diagnostics import NnspecError, SpecError
from nnspec.keras_backend import set_weight_arrays, to_keras, weight_arrays
from nnspec.spec import Spec
from nnspec.spec.ignores import silence
from nnspec.training.adapting import adapt
from nnspec.training.augmenter import Augmenter, outside_range
from nnspec.training.backend import steps_for
from nnspec.training.bucketing import in_buckets
from nnspec.training.checkpoints import Checkpoint, read_checkpoint
from nnspec.training.class_weights import class_weights
from nnspec.training.data_guard import DataGuard
from nnspec.training.freezing import freeze
from nnspec.training.interruption import Interruption, interruptible
from nnspec.training.loop import Loop, NotFiniteLoss, Status
from nnspec.training.noise import Noise
from nnspec.training.not_finite import Diverged, explanation
from nnspec.training.objects import keras_optimizer
from nnspec.training.order import Order
from nnspec.training.patience import Plateau
from nnspec.training.plan import Monitor, PhasePlan, TrainingPlan
from nnspec.training.position import Position
from nnspec.training.progress import Progress
from nnspec.training.schedules import Schedule
from nnspec.training.starting import starting_arrays
from nnspec.training.steps import Steps, averaged_weights
from nnspec.training.supervised import Supervised
from nnspec.training.variables import arrays_of, set_arrays
from nnspec.training.writing import RunWriter

__all__ = ["Session"]


@dataclass(frozen=True)
class _Phase:
    """What trains the model in one phase."""

    plan: PhasePlan
    objective: Supervised
    optimizer: Any
    steps: Steps

    @property
    def inner(self) -> Any:
        """The optimizer whose learning rate it is: the one inside, where the loss is scaled."""
        return getattr(self.optimizer, "inner_optimizer", self.optimizer)


class Session:
    """A training in this process.

    Args:
        spec: The spec.
        plan: What is trained, and how.
        prepared: The data.
        progress: Shows how it goes.
        devices: What computes a part of every batch each; none where there is one.
    """

    def __init__(
        self, spec: Spec, plan: TrainingPlan, prepared: Prepared, progress: Progress, devices: Sequence[str] = ()
    ) -> None:
        self._plan, self._prepared, self._progress, self._devices = plan, prepared, progress, devices
        with _precision(plan.section.precision):
            self._model = to_keras(plan.graph, seed=plan.section.seed)
        if started := starting_arrays(spec, plan.graph):
            set_weight_arrays(self._model, plan.graph, {**weight_arrays(self._model, plan.graph), **started})
        adapt(self._model, plan, prepared.train)
        self._class_weights = class_weights(plan, prepared.train, prepared.state)
        self._noise = Noise(plan) if plan.section.input_noise or plan.section.label_noise else None
        self._augmenter = self._augmenting()
        self._guard = DataGuard(prepared, progress)
        self._position = Position()
        self._parts = self._in_parts()
        self._phase = self._begin_phase()

    def restore(self, checkpoint: Checkpoint, writer: RunWriter) -> None:
        """Goes to where a checkpoint was taken, and brings the run folder there: what was written after it is undone.

        Raises:
            NnspecError: Where the checkpoint is of another model.
        """
        at = checkpoint.position
        # What was killed between a checkpoint and the weights of its epoch wants them written.
        if at.best_epoch and writer.weights_of() != at.best_epoch:
            best = writer.checkpoints.of_epoch(at.best_epoch)
            if best is None:
                self._progress.say(f"the weights of epoch {at.best_epoch}, the best so far, are lost: it is counted anew")
                at.best, at.best_epoch = None, 0
            else:
                self._load(read_checkpoint(best))
                with self._averaged():
                    self._keep(writer)
        self._load(checkpoint)
        writer.begin_again(checkpoint.history)

    def run(self, writer: RunWriter) -> Status:
        """Trains until the end, or until it is interrupted.

        Raises:
            NnspecError: Where the loss is no longer finite, an example cannot be read, or something cannot be written.
        """
        with interruptible() as interrupted:
            while True:
                status = self._run_phase(writer, interrupted)
                if status == "interrupted" or self._position.phase + 1 == len(self._plan.phases):
                    break
                self._next_phase(writer)
            if not self._position.best_epoch:
                with self._averaged():
                    self._keep(writer)
        writer.stopped_by = interrupted.signal
        return status

    @property
    def position(self) -> Position:
        """Where it stands."""
        return self._position

    @property
    def monitor(self) -> Monitor:
        """The figure that says which weights are best, in the phase where it stands."""
        return self._phase.plan.monitor

    def _augmenting(self) -> Augmenter | None:
        data = self._plan.data
        if data is None or not data.augment:
            return None
        for warning in silence([*outside_range(data, self._prepared.train)]):
            self._progress.say(f"{warning.span}: {warning.severity}[{warning.code}]: {warning.message}")
        return Augmenter(data.augment, data.needs, self._plan.section.seed)

    def _in_parts(self) -> tuple[Examples, ...]:
        """What is trained on: all of it together, or by length."""
        data, prepared = self._plan.data, self._prepared
        if data is None:
            return (prepared.train,)
        return in_buckets(data, prepared.state, prepared.train, self._plan.graph.conditions)

    def _begin_phase(self) -> _Phase:
        plan = self._plan.phases[self._position.phase]
        freeze(self._model, self._plan.graph, plan.frozen)
        objective = Supervised(self._model, plan.outputs, self._class_weights, self._augmenter, self._noise)
        optimizer = keras_optimizer(plan.section)
        first = self._prepared.train.batch(slice(0, 1))
        objective.build(first.inputs, first.targets)
        return _Phase(plan, objective, optimizer, steps_for(keras.backend.backend(), objective, optimizer, self._devices))

    def _next_phase(self, writer: RunWriter) -> None:
        """A phase that could stop early hands on its best weights, as Keras's ``restore_best_weights``; others their last."""
        at, before = self._position, self._phase.plan
        if before.section.early_stopping is not None and at.best_epoch:
            set_weight_arrays(self._model, self._plan.graph, writer.weights())
        at.next_phase(comparable=before.comparable(self._plan.phases[at.phase + 1]))
        self._phase = self._begin_phase()

    def _run_phase(self, writer: RunWriter, interrupted: Interruption) -> Status:
        phase, section = self._phase, self._phase.plan.section
        due = _Clock(writer.every_minutes)
        order = Order(self._parts, section.batch_size, section.seed)

        def save() -> None:
            writer.save(Checkpoint(self._position, writer.records, writer.conditions, arrays_of(self._groups())))
            due.reset()

        def logged() -> None:
            writer.write_metrics()
            self._guard.after_epoch()

        rule, watched = section.reduce_on_plateau, phase.plan.plateau
        plateau = Plateau(rule, watched, phase.inner) if rule is not None and watched is not None else None
        changes = plateau is not None or isinstance(getattr(section.optimizer, "learning_rate", None), Schedule)
        loop = Loop(
            steps=phase.steps,
            objective=phase.objective,
            order=order,
            validation=self._prepared.validation,
            last_step=section.steps or (section.epochs or 1) * order.steps,
            monitor=phase.plan.monitor,
            stopping=section.early_stopping,
            evaluating=self._averaged,
            save=save,
            due=due,
            keep=lambda: self._keep(writer),
            log=writer.records.append,
            logged=logged,
            progress=self._progress,
            interrupted=interrupted,
            plateau=plateau,
            rate=(lambda: float(phase.inner.learning_rate)) if changes else None,
            position=self._position,
        )
        try:
            return loop.run()
        except NotFiniteLoss as error:
            raise Diverged(explanation(error, self._position, section, self._prepared.train)) from None
        except (DataError, SpecError) as error:
            # The steps before the example that cannot be read are whole.
            save()
            reason = error.message if isinstance(error, DataError) else f"\n{error}"
            raise NnspecError(f"after step {self._position.step:,}, an example could not be read: {reason}") from None
        finally:
            self._progress.end()

    def _groups(self) -> dict[str, list[Any]]:
        objective = self._phase.objective
        return {
            "model": self._model.variables,
            "optimizer": self._phase.optimizer.variables,
            "metrics": [variable for metric in objective.metrics for variable in metric.variables],
            "random": objective.random_variables,
        }

    def _load(self, checkpoint: Checkpoint) -> None:
        phase = checkpoint.position.phase
        if phase >= len(self._plan.phases):
            raise NnspecError(f"the checkpoint is of phase {phase + 1}, and the training has {len(self._plan.phases)}")
        changed, self._position = phase != self._position.phase, Position(**checkpoint.position.as_json())
        if changed:
            self._phase = self._begin_phase()
        set_arrays(self._groups(), checkpoint.arrays)

    def _averaged(self) -> AbstractContextManager[None]:
        return averaged_weights(self._phase.objective, self._phase.optimizer)

    def _keep(self, writer: RunWriter) -> None:
        writer.write_weights(weight_arrays(self._model, self._plan.graph), self._position.best_epoch)


class _Clock:
    """Whether so many minutes have passed."""

    def __init__(self, minutes: float) -> None:
        self._seconds = minutes * 60
        self.reset()

    def reset(self) -> None:
        self._since = time.monotonic()

    def __call__(self) -> bool:
        return time.monotonic() - self._since >= self._seconds


@contextmanager
def _precision(policy: str) -> Iterator[None]:
    """What layers compute in while a model is built."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
