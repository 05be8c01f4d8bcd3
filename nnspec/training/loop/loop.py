"""The epoch loop: order of examples, metrics, the best weights, when to stop. It knows no backend."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from nnspec.data.examples import Examples
from nnspec.diagnostics import NnspecError
from nnspec.training.backends.base import Rows, Steps
from nnspec.training.loop.learner import Learner
from nnspec.training.loop.order import Order, calls_of
from nnspec.training.loop.position import Position
from nnspec.training.loop.progress import Progress
from nnspec.training.loop.stopping import Plateau, should_stop
from nnspec.training.plan import Monitor
from nnspec.training.section import EarlyStopping

__all__ = ["Loop", "NotFiniteLoss", "Status", "validate"]

_SECONDS_A_CALL = 0.2
_STEPS_A_CALL = 512
_STEPS_AT_FIRST = 8

Status = Literal["finished", "stopped early", "interrupted"]


class NotFiniteLoss(NnspecError):
    """The loss became NaN or infinite.

    Attributes:
        loss: What it became.
        before: What it was the step before; NaN where there was none in the same call.
        rows: The rows of the table that were in the batch.
    """

    def __init__(self, loss: float, before: float, rows: Rows) -> None:
        super().__init__("the loss is not finite")
        self.loss, self.before, self.rows = loss, before, rows


@dataclass
class Loop:
    """Trains through one phase, until its end is reached, it no longer gets better, or it is interrupted.

    Attributes:
        steps: Runs the steps.
        learner: Holds the metrics.
        order: What is trained on, in which batches.
        validation: What is watched after each epoch; None for nothing.
        last_step: How many steps the phase has in all.
        monitor: Which metric says what is best.
        stopping: When to stop early; None for never.
        evaluating: What is wrapped around validation: an average put in the weights' place.
        examine: Gives further metrics after an epoch, of the networks themselves.
        save: Called where the training could go on from: after each epoch, before anything is written of it, where it
            is interrupted, and where it is due.
        due: Whether to save in the middle of an epoch.
        keep: Called after that when the weights are the best so far.
        log: Called with each epoch's record, before that is saved.
        logged: Called once it is.
        progress: Is told how it goes.
        interrupted: Whether to stop after the step.
        plateau: Lowers the learning rate; None for never.
        rates: The learning rates that change, by the names they are logged under.
        position: Where it stands. It goes on from there, in the middle of an epoch too.
    """

    steps: Steps
    learner: Learner
    order: Order
    validation: Examples | None
    last_step: int
    monitor: Monitor
    stopping: EarlyStopping | None
    evaluating: Callable[[], Any]
    examine: Callable[[int], dict[str, Any]]
    save: Callable[[], None]
    due: Callable[[], bool]
    keep: Callable[[], None]
    log: Callable[[dict[str, Any]], None]
    logged: Callable[[], None]
    progress: Progress
    interrupted: Callable[[], bool]
    rates: Callable[[], dict[str, float]]
    plateau: Plateau | None = None
    position: Position = field(default_factory=Position)

    def __post_init__(self) -> None:
        self._pace = _Pace()

    def run(self) -> Status:
        """Goes on from where it stands.

        Raises:
            NotFiniteLoss: If the loss becomes NaN or infinite.
        """
        at = self.position
        a_epoch = self.order.steps
        self.progress.begin(at.epoch - at.phase_epoch + math.ceil(self.last_step / a_epoch), a_epoch, self.order.batch_size)
        # The last epoch may have been interrupted after its last step, and then wants only its end.
        while not at.over and (at.phase_step < self.last_step or at.in_epoch):
            if self.interrupted():
                return "interrupted"
            if not at.in_epoch:
                self.learner.reset()
            self._train_epoch(a_epoch)
            if self.interrupted():
                self.save()
                return "interrupted"
            self._end_epoch()
        return "stopped early" if at.over else "finished"

    def _train_epoch(self, a_epoch: int) -> None:
        """What is left of an epoch, or as much of it as is made before an interruption."""
        at = self.position
        end = min(a_epoch, at.in_epoch + self.last_step - at.phase_step)
        examples, started = 0, time.perf_counter()
        lap = started
        for part, rows in _prepared(self.steps, self.order.calls(at.epoch, at.in_epoch, end, self._pace)):
            began = time.perf_counter()
            done = self.steps.train(part, rows)
            self._pace.took(done.steps, time.perf_counter() - began)
            at.step += done.steps
            at.phase_step += done.steps
            at.in_epoch += done.steps
            at.epoch_examples += rows.size
            examples += rows.size
            if not math.isfinite(done.loss):
                raise NotFiniteLoss(done.loss, done.before, part.rows[rows[done.steps - 1]])
            now = time.perf_counter()
            at.epoch_seconds, lap = at.epoch_seconds + now - lap, now
            rate = examples / (now - started)
            self.progress.stepped(at.epoch + 1, at.in_epoch, rate, self.learner.results)
            if self.interrupted():
                break
            if self.due() and at.in_epoch < end:
                self.save()

    def _end_epoch(self) -> None:
        at, began = self.position, time.perf_counter()
        record = {"epoch": at.epoch + 1, "step": at.step, **self.learner.results()}
        with self.evaluating(), _kept_on_failure(self.learner):
            if self.validation is not None:
                metrics = validate(self.steps, self.learner, self.validation, self.order.batch_size)
                record |= {f"val_{name}": value for name, value in metrics.items()}
            record |= self.examine(at.epoch + 1)
        record |= self.rates()
        record["examples_per_second"] = round(at.epoch_examples / max(at.epoch_seconds, 1e-9), 1)
        seconds = at.epoch_seconds + time.perf_counter() - began
        record["seconds"] = round(seconds, 3)
        self._count(seconds)
        value = record[self.monitor.name]
        better = self.monitor.better(value, at.best)
        if better:
            at.best, at.best_epoch = value, at.epoch
        if self.stopping is not None:
            at.over = should_stop(self.stopping, self.monitor, at, value)
        if self.plateau is not None:
            self.plateau.after_epoch(at, record)
        self.log(record)
        self.save()
        if better:
            with self.evaluating():
                self.keep()
        self.logged()
        self.progress.epoch_ended(record)

    def _count(self, seconds: float) -> None:
        at = self.position
        at.epoch += 1
        at.phase_epoch += 1
        at.in_epoch = at.epoch_examples = 0
        at.epoch_seconds = 0.0
        at.seconds += seconds


def _prepared(steps: Steps, calls: Iterator[tuple[Examples, Rows]]) -> Iterator[tuple[Examples, Rows]]:
    """Each call, the values of the one after it begun."""
    coming = next(calls, None)
    while coming is not None:
        now, coming = coming, next(calls, None)
        if coming is not None:
            steps.prepare(*coming)
        yield now


@contextmanager
def _kept_on_failure(learner: Learner) -> Iterator[None]:
    """Puts the metrics of the epoch back where watching fails: what goes on from here wants them."""
    variables = [variable for metric in learner.metrics for variable in metric.variables]
    values = [variable.numpy() for variable in variables]
    try:
        yield
    except BaseException:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        raise


def validate(steps: Steps, learner: Learner, examples: Examples, batch_size: int) -> dict[str, Any]:
    """The metrics of examples that are not trained on."""
    learner.reset()
    calls = calls_of(np.arange(len(examples)), batch_size, 0, math.ceil(len(examples) / batch_size), _Pace())
    for part, rows in _prepared(steps, ((examples, rows) for rows in calls)):
        steps.validate(part, rows)
    return learner.results()


class _Pace:
    """How many steps a call makes, so that it takes long enough to be worth it and can be interrupted soon after."""

    def __init__(self) -> None:
        self._calls = 0
        self.steps = _STEPS_AT_FIRST

    def took(self, steps: int, seconds: float) -> None:
        """Notes what a call took. The first call compiles, and says nothing of the next."""
        self._calls += 1
        if self._calls > 1:
            self.steps = max(1, min(_STEPS_A_CALL, int(_SECONDS_A_CALL * steps / max(seconds, 1e-9))))
