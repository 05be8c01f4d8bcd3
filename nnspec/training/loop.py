"""The epoch loop: order of examples, figures, the best weights, when to stop. It knows no backend."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from nnspec.data.examples import Examples
from nnspec.diagnostics import NnspecError
from nnspec.training.plan import Monitor
from nnspec.training.progress import Progress
from nnspec.training.section import EarlyStopping
from nnspec.training.steps import Rows, Steps

__all__ = ["Loop", "NotFiniteLoss", "Position", "order_of"]

_SECONDS_A_CALL = 0.2
_STEPS_A_CALL = 512
_STEPS_AT_FIRST = 8

Status = Literal["finished", "stopped early", "interrupted"]


class NotFiniteLoss(NnspecError):
    """The loss became NaN or infinite."""


@dataclass
class Position:
    """Where a training stands: all that the loop knows which the weights and the optimizer do not.

    Attributes:
        epoch: Epochs finished.
        step: Steps made, over all epochs.
        best: The best value of the figure that is watched.
        best_epoch: The epoch that had it, counted from 1.
        counted: The value that early stopping last counted as better.
        waited: Epochs since then.
        seconds: Time spent.
    """

    epoch: int = 0
    step: int = 0
    best: float | None = None
    best_epoch: int = 0
    counted: float | None = None
    waited: int = 0
    seconds: float = 0.0


@dataclass
class Loop:
    """Trains until its end is reached, it no longer gets better, or it is interrupted.

    Attributes:
        steps: Runs the steps.
        objective: Holds the figures: has ``reset()`` and ``figures()``.
        train: What is trained on.
        validation: What is watched after each epoch; None for nothing.
        batch_size: Examples of a step; the last of an epoch may have fewer.
        last_step: How many steps there are in all.
        seed: Which order the examples have.
        monitor: Which figure says what is best.
        stopping: When to stop early; None for never.
        evaluating: What is wrapped around validation and the keeping of weights: an average put in their place.
        keep: Called when the weights are the best so far.
        log: Called with each epoch's record.
        progress: Is told how it goes.
        interrupted: Whether to stop after the step.
    """

    steps: Steps
    objective: Any
    train: Examples
    validation: Examples | None
    batch_size: int
    last_step: int
    seed: int
    monitor: Monitor
    stopping: EarlyStopping | None
    evaluating: Callable[[], Any]
    keep: Callable[[], None]
    log: Callable[[dict[str, Any]], None]
    progress: Progress
    interrupted: Callable[[], bool]
    position: Position = field(default_factory=Position)

    def __post_init__(self) -> None:
        self._pace = _Pace()

    def run(self) -> Status:
        """Goes on from where it stands.

        Raises:
            NotFiniteLoss: Where the loss becomes NaN or infinite.
        """
        a_epoch = math.ceil(len(self.train) / self.batch_size)
        self.progress.begin(math.ceil(self.last_step / a_epoch), a_epoch, self.batch_size)
        while self.position.step < self.last_step:
            began = time.perf_counter()
            self.objective.reset()
            examples = self._train_epoch(a_epoch)
            seconds = time.perf_counter() - began
            if self.interrupted():
                self.position.seconds += seconds
                return "interrupted"
            rate = round(examples / seconds, 1)
            record = {"epoch": self.position.epoch + 1, "step": self.position.step, **self.objective.figures()}
            self._end_epoch(record, rate, began)
            if self._should_stop(record):
                return "stopped early"
        return "finished"

    def _train_epoch(self, a_epoch: int) -> int:
        """All batches of an epoch, or as many as are made before an interruption; how many examples they held."""
        order = order_of(len(self.train), self.seed, self.position.epoch)
        left = min(a_epoch, self.last_step - self.position.step)
        made, examples, started = 0, 0, time.perf_counter()
        for rows in _calls(order, self.batch_size, left, self._pace):
            began = time.perf_counter()
            done = self.steps.train(self.train, rows)
            self._pace.took(done.steps, time.perf_counter() - began)
            self.position.step += done.steps
            made += done.steps
            examples += rows.size
            rate = examples / (time.perf_counter() - started)
            if not math.isfinite(done.loss):
                raise NotFiniteLoss(self._why(done.loss, done.before))
            self.progress.stepped(self.position.epoch + 1, made, rate, self.objective.figures)
            if self.interrupted():
                break
        return examples

    def _why(self, loss: float, before: float) -> str:
        what = "not a number (NaN)" if math.isnan(loss) else "infinite"
        text = f"the loss became {what} at step {self.position.step}, in epoch {self.position.epoch + 1}. "
        if math.isfinite(before) and abs(before) > 1e4:
            text += f"It was {before:.3g} the step before: it grew without bound. "
            return text + "Lower `learning_rate`, or set `clip: {norm: 1}`."
        if self.position.step <= 1:
            return text + "It was so from the first step: look at the loss, and at the activation before it."
        return text + "Lower `learning_rate`, set `clip: {norm: 1}`, or look for a logarithm or a division by 0 in the loss."

    def _end_epoch(self, record: dict[str, Any], rate: float, began: float) -> None:
        with self.evaluating():
            if self.validation is not None:
                figures = watch(self.steps, self.objective, self.validation, self.batch_size)
                record |= {f"val_{name}": value for name, value in figures.items()}
            self.position.epoch += 1
            value = record[self.monitor.name]
            if self.monitor.better(value, self.position.best):
                self.position.best, self.position.best_epoch = value, self.position.epoch
                self.keep()
        record["examples_per_second"] = rate
        record["seconds"] = round(time.perf_counter() - began, 3)
        self.position.seconds += time.perf_counter() - began
        self.log(record)
        self.progress.epoch_ended(record)

    def _should_stop(self, record: dict[str, Any]) -> bool:
        """Whether the figure has not been better for long enough, counted as Keras's `EarlyStopping` counts."""
        rule, at = self.stopping, self.position
        if rule is None or at.epoch <= rule.start_from_epoch:
            return False
        value = record[self.monitor.name]
        at.waited += 1
        if self.monitor.better(value, at.counted, rule.min_delta):
            at.counted = value
            if rule.baseline is None or self.monitor.better(value, rule.baseline, rule.min_delta):
                at.waited = 0
            return False
        return at.waited >= rule.patience and at.epoch > 1


def order_of(count: int, seed: int, epoch: int) -> Rows:
    """The order of the examples in an epoch. It follows from the seed and the epoch alone, so a training can go on anywhere."""
    return np.random.default_rng([seed, epoch]).permutation(count).astype(np.int64)


def watch(steps: Steps, objective: Any, examples: Examples, batch_size: int) -> dict[str, Any]:
    """The figures of examples that are not trained on."""
    objective.reset()
    for rows in _calls(np.arange(len(examples)), batch_size, math.ceil(len(examples) / batch_size), _Pace()):
        steps.watch(examples, rows)
    figures: dict[str, Any] = objective.figures()
    return figures


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


def _calls(order: Rows, batch_size: int, steps: int, pace: _Pace) -> Iterator[Rows]:
    """The positions of each call's steps."""
    whole = min(steps, len(order) // batch_size)
    start = 0
    while start < whole:
        end = min(start + pace.steps, whole)
        yield order[start * batch_size : end * batch_size].reshape(-1, batch_size)
        start = end
    if whole < steps:
        yield order[whole * batch_size :].reshape(1, -1)
