"""The epoch loop with steps that only pretend: when it validates, keeps, stops."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import pytest

from nnspec.data.examples import Examples
from nnspec.training.loop.backend import StepResult
from nnspec.training.loop.loop import Loop, NotFiniteLoss
from nnspec.training.loop.order import Order, order_of
from nnspec.training.loop.position import Position
from nnspec.training.loop.progress import Quiet
from nnspec.training.plan import Monitor
from nnspec.training.section import EarlyStopping


class Pretended:
    """Steps that note the rows they are given; the figure of each epoch's validation is given beforehand."""

    metrics = ()
    needs_full_batches = False

    def __init__(self, figures: list[float], losses: dict[int, float] | None = None) -> None:
        self.figures_to_come = list(figures)
        self.losses = losses or {}
        self.trained: list[np.ndarray] = []
        self.watched: list[np.ndarray] = []
        self.watching = False

    def train(self, examples, rows):
        for i, row in enumerate(rows):
            self.trained.append(examples.rows[row])
            loss = self.losses.get(len(self.trained), 1.0)
            if not np.isfinite(loss):
                return StepResult(i + 1, loss, self.losses.get(len(self.trained) - 1, 1.0))
        return StepResult(len(rows), 1.0, 1.0)

    def prepare(self, examples, rows):
        pass

    def validate(self, examples, rows):
        self.watching = True
        self.watched.extend(examples.rows[row] for row in rows)

    def reset(self):
        self.watching = False

    def results(self):
        return {"loss": self.figures_to_come.pop(0) if self.watching else 0.5}


def examples(count: int, first: int = 0) -> Examples:
    return Examples({"x": np.zeros((first + count, 1))}, {}, {}, np.arange(first, first + count))


def loop(steps: Pretended, **changed) -> Loop:
    kept: list[int] = []
    arguments = {
        "steps": steps,
        "learner": steps,
        "order": Order((examples(10),), 4, 1),
        "validation": examples(5, 10),
        "last_step": 3 * len(steps.figures_to_come),
        "monitor": Monitor("val_loss", "min"),
        "stopping": None,
        "evaluating": nullcontext,
        "examine": lambda epoch: {},
        "rates": dict,
        "log": lambda record: None,
        "logged": lambda: None,
        "save": lambda: None,
        "due": lambda: False,
        "progress": Quiet(),
        "interrupted": lambda: False,
        **changed,
    }
    made = Loop(keep=lambda: kept.append(made.position.epoch), **arguments)
    made.kept = kept  # type: ignore[attr-defined]
    return made


def test_every_example_is_trained_on_once_an_epoch_in_an_order_of_its_own():
    steps = Pretended([1, 1])
    loop(steps).run()
    assert [len(rows) for rows in steps.trained] == [4, 4, 2] * 2
    first, second = np.concatenate(steps.trained[:3]), np.concatenate(steps.trained[3:])
    assert sorted(first) == sorted(second) == list(range(10))
    assert first.tolist() != second.tolist()
    np.testing.assert_array_equal(second, order_of(10, 1, 1))


def test_every_example_of_the_validation_part_is_watched_after_each_epoch():
    steps = Pretended([1, 1])
    loop(steps).run()
    assert np.concatenate(steps.watched).tolist() == [10, 11, 12, 13, 14] * 2


def test_the_weights_are_kept_after_each_epoch_that_is_better():
    steps = Pretended([3, 2, 2, float("nan"), 1])
    made = loop(steps)
    assert made.run() == "finished"
    assert made.kept == [1, 2, 5]
    assert (made.position.best, made.position.best_epoch) == (1, 5)


def test_a_training_of_steps_ends_in_the_middle_of_an_epoch():
    steps = Pretended([1, 1])
    made = loop(steps, last_step=4)
    assert made.run() == "finished"
    assert (made.position.step, made.position.epoch) == (4, 2)
    assert len(steps.trained) == 4


@pytest.mark.parametrize(
    ("figures", "rule", "epochs"),
    [
        ([5, 4, 4, 4, 4, 1], {"patience": 2}, 4),
        ([5, 4, 4, 3, 4, 4], {"patience": 2}, 6),
        ([5, 5, 5], {}, 2),
        ([5, 4.9, 4.8, 4.7], {"patience": 1, "min_delta": 0.15}, 2),
        ([5, 5, 5, 5, 5], {"start_from_epoch": 3}, 5),
        ([5, 4, 3, 2], {"baseline": 1.0, "patience": 2}, 4),
        ([float("nan"), float("nan"), 1], {"patience": 1}, 2),
    ],
)
def test_training_stops_early_when_keras_would(figures, rule, epochs):
    steps = Pretended(figures)
    made = loop(steps, stopping=EarlyStopping(**rule))
    made.run()
    assert made.position.epoch == epochs
    assert _epochs_of_keras(figures, rule) == epochs


def _epochs_of_keras(figures, rule) -> int:
    keras = pytest.importorskip("keras")
    callback = keras.callbacks.EarlyStopping(monitor="val_loss", mode="min", **rule)
    callback.set_model(keras.Sequential())
    callback.model.stop_training = False
    callback.on_train_begin()
    for epoch, figure in enumerate(figures):
        callback.on_epoch_end(epoch, {"val_loss": figure})
        if callback.model.stop_training:
            return epoch + 1
    return len(figures)


def test_an_interruption_is_heeded_after_the_steps_that_run():
    steps = Pretended([1] * 9)
    made = loop(steps, interrupted=lambda: len(steps.trained) >= 4)
    assert made.run() == "interrupted"
    assert made.position.epoch == 1
    assert len(steps.trained) < 27


def test_a_loss_that_is_not_finite_stops_the_training_with_the_step_and_the_batch():
    made = loop(Pretended([1, 1, 1], {4: 1e30, 5: float("inf")}))
    with pytest.raises(NotFiniteLoss) as caught:
        made.run()
    assert (made.position.step, made.position.epoch) == (5, 1)
    assert (caught.value.loss, caught.value.before) == (float("inf"), 1e30)
    np.testing.assert_array_equal(caught.value.rows, order_of(10, 1, 1)[4:8])


@pytest.mark.parametrize("stop_after", range(1, 10))
def test_a_training_that_stopped_anywhere_goes_on_to_the_same_batches(stop_after):
    whole = Pretended([3, 2, 1])
    uninterrupted = loop(whole)
    uninterrupted.run()
    first = Pretended([3, 2, 1])
    stopped = loop(first, interrupted=lambda: len(first.trained) >= stop_after)
    stopped.run()
    second = Pretended([3, 2, 1][stopped.position.epoch :])
    position = Position.from_json(stopped.position.as_json())
    gone_on = loop(second, position=position, last_step=9)
    assert gone_on.run() == "finished"
    np.testing.assert_array_equal(np.concatenate(first.trained + second.trained), np.concatenate(whole.trained))
    for name in ("epoch", "step", "best", "best_epoch", "in_epoch", "waited"):
        assert getattr(position, name) == getattr(uninterrupted.position, name), name


def test_what_goes_on_in_the_middle_of_an_epoch_keeps_its_figures():
    resets: list[int] = []
    steps = Pretended([1, 1])
    steps.reset = lambda: resets.append(len(steps.trained))
    made = loop(steps, position=Position(step=1, phase_step=1, in_epoch=1), validation=None, monitor=Monitor("loss", "min"))
    made.run()
    assert resets == [2]
    assert len(steps.trained) == 5
