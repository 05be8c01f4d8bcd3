"""The epoch loop, independent of the backend: batches, metrics, best weights, early stopping."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

from nnspec.data.examples import Examples
from nnspec.diagnostics import NnspecError
from nnspec.training.loop.backend import Rows, Steps
from nnspec.training.loop.learner import Learner
from nnspec.training.loop.order import Order, whole_calls
from nnspec.training.loop.position import Position
from nnspec.training.loop.prefetch import AHEAD
from nnspec.training.loop.progress import Progress
from nnspec.training.loop.split_metrics import SplitMetrics
from nnspec.training.loop.stopping import Plateau, should_stop
from nnspec.training.plan import Monitor
from nnspec.training.section import EarlyStopping

_SECONDS_PER_CALL = 0.2
_MOST_STEPS_PER_CALL = 512
_INITIAL_STEPS_PER_CALL = 8
_BYTES_PER_CALL = 2**24  # the allocator reuses arrays up to about this size; larger ones cost more to allocate than to fill

Status = Literal["finished", "stopped early", "interrupted"]


class NotFiniteLoss(NnspecError):
    """The loss became NaN or infinite.

    Attributes:
        loss: The loss.
        before: The loss of the previous step; NaN if that was in another call.
        rows: The table rows of the batch.
    """

    def __init__(self, loss: float, before: float, rows: Rows) -> None:
        super().__init__("the loss is not finite")
        self.loss, self.before, self.rows = loss, before, rows


@dataclass
class Loop:
    """Trains one phase until it ends, stops early or is interrupted.

    Attributes:
        steps: Runs the steps.
        learner: Computes the losses and metrics.
        order: The training examples and their batches.
        validation: The validation examples; None for no validation.
        last_step: The number of steps of the phase.
        monitor: The metric that selects the best weights.
        stopping: When to stop early; None for never.
        evaluating: A context manager around validation, which replaces weights by their moving averages.
        examine: Computes further metrics of the networks after an epoch.
        save: Saves a checkpoint: after each epoch, before the rest of it is written; on interruption; and when one is due.
        due: Whether to save in the middle of an epoch.
        keep: Called after the checkpoint if the weights are the best so far.
        log: Called with the record of each epoch, before the checkpoint.
        logged: Called after the checkpoint.
        progress: Reports progress.
        interrupted: Whether to stop after the step.
        split_metrics: The metrics of the whole validation split; None for none.
        plateau: Lowers the learning rate; None for never.
        rates: The learning rates that change, by their names in the log.
        agreed: A number on which the processes of the training agree, in place of one that each measured.
        position: The position to start from, which may be in the middle of an epoch.
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
    agreed: Callable[[float], float] = float
    split_metrics: SplitMetrics | None = None
    plateau: Plateau | None = None
    position: Position = field(default_factory=Position)

    def __post_init__(self) -> None:
        parts = self.order.parts
        self._pace = _Pace(min(_most_steps(part, self.order.batch_size) for part in parts))

    def run(self) -> Status:
        """Trains from the current position.

        Raises:
            NotFiniteLoss: If the loss becomes NaN or infinite.
        """
        at = self.position
        epoch_steps = self.order.steps
        self.progress.begin(
            at.epoch - at.phase_epoch + math.ceil(self.last_step / epoch_steps), epoch_steps, self.order.batch_size
        )
        # An epoch that was interrupted after its last step still needs its validation.
        while not at.over and (at.phase_step < self.last_step or at.in_epoch):
            if self.interrupted():
                return "interrupted"
            if not at.in_epoch:
                self.learner.reset()
            self._train_epoch(epoch_steps)
            if self.interrupted():
                self.save()
                return "interrupted"
            self._end_epoch()
        return "stopped early" if at.over else "finished"

    def _train_epoch(self, epoch_steps: int) -> None:
        """Trains the rest of an epoch, or until an interruption."""
        at = self.position
        end = min(epoch_steps, at.in_epoch + self.last_step - at.phase_step)
        examples, started = 0, time.perf_counter()
        lap = started
        for part, rows in _prepared(self.steps, self.order.calls(at.epoch, at.in_epoch, end, self._pace)):
            began = time.perf_counter()
            done = self.steps.train(part, rows)
            self._pace.update(done.steps, self.agreed(time.perf_counter() - began))
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
        with self.evaluating(), _metrics_kept_on_failure(self.learner):
            if self.validation is not None:
                group = 1 if self.order.sampling is None else self.order.sampling.each
                size = self.order.batch_size
                metrics = validate(self.steps, self.learner, self.validation, size, self.split_metrics, group)
                record |= {f"val_{name}": value for name, value in metrics.items()}
            record |= self.examine(at.epoch + 1)
        record |= self.rates()
        record["examples_per_second"] = round(at.epoch_examples / max(at.epoch_seconds, 1e-9), 1)
        seconds = at.epoch_seconds + time.perf_counter() - began
        record["seconds"] = round(seconds, 3)
        self._advance(seconds)
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
        self.progress.epoch_ended({**record, "best": better})

    def _advance(self, seconds: float) -> None:
        at = self.position
        at.epoch += 1
        at.phase_epoch += 1
        at.in_epoch = at.epoch_examples = 0
        at.epoch_seconds = 0.0
        at.seconds += seconds


def _prepared(steps: Steps, calls: Iterator[tuple[Examples, Rows]]) -> Iterator[tuple[Examples, Rows]]:
    """Yields each call, and prefetches the examples of the next ones."""
    waiting: deque[tuple[Examples, Rows]] = deque()
    while True:
        for call in islice(calls, AHEAD + 1 - len(waiting)):
            if waiting:
                steps.prepare(*call)
            waiting.append(call)
        if not waiting:
            return
        yield waiting.popleft()


@contextmanager
def _metrics_kept_on_failure(learner: Learner) -> Iterator[None]:
    """Restores the metrics of the epoch if validation fails, since a resumed training needs them."""
    variables = [variable for metric in learner.metrics for variable in metric.variables]
    values = [variable.numpy() for variable in variables]
    try:
        yield
    except BaseException:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        raise


def validate(
    steps: Steps,
    learner: Learner,
    examples: Examples,
    batch_size: int,
    split_metrics: SplitMetrics | None = None,
    group: int = 1,
) -> dict[str, Any]:
    """Computes the metrics of all examples without training on them, those of the whole split among them.

    Args:
        steps: The steps.
        learner: What is validated.
        examples: The examples.
        batch_size: The number of examples of a batch.
        split_metrics: The metrics of the whole split; None for none.
        group: The number of successive examples that are in one batch, as those of a class.
    """
    learner.reset()
    pace = _Pace(_most_steps(examples, batch_size))
    calls = whole_calls(len(examples), batch_size, pace, even=learner.needs_full_batches, group=group)
    for part, rows in _prepared(steps, ((examples, rows) for rows in calls)):
        steps.validate(part, rows)
    return learner.results() | (split_metrics.results(examples, batch_size) if split_metrics is not None else {})


def _most_steps(examples: Examples, batch_size: int) -> int:
    """The most steps of a call: fewer if examples are read when they are used, since several calls are in memory."""
    if not examples.is_read_on_access:
        return _MOST_STEPS_PER_CALL
    return max(1, min(_MOST_STEPS_PER_CALL, int(_BYTES_PER_CALL / max(examples.row_bytes * batch_size, 1))))


class _Pace:
    """The number of steps of a call: enough to amortize its overhead, few enough to be interrupted soon.

    Args:
        most: The most steps.
    """

    def __init__(self, most: int) -> None:
        self._calls = 0
        self._most = most
        self.steps = min(_INITIAL_STEPS_PER_CALL, most)

    def update(self, steps: int, seconds: float) -> None:
        """Records the time of a call. The first call, which compiles, does not count."""
        self._calls += 1
        if self._calls > 1:
            self.steps = max(1, min(self._most, int(_SECONDS_PER_CALL * steps / max(seconds, 1e-9))))
