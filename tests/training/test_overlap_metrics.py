"""The Dice coefficients against scikit-learn's F1, which they are."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score

from nnspec.training.catalogue.metrics.overlap import BinaryDice, MeanDice
from nnspec.training.loop.keras_objects import keras_metric


def masks(classes: int = 4):
    """Masks of 6 pictures, and scores that are often right."""
    random = np.random.default_rng(0)
    true = random.integers(0, classes, (6, 9, 7))
    scores = random.uniform(size=(6, 9, 7, classes)).astype(np.float32)
    return true, (scores + np.eye(classes, dtype=np.float32)[true] * 0.4)


def in_batches(metric, true, reported, weight=None):
    for part in (slice(0, 4), slice(4, 6)):
        metric.update_state(true[part], reported[part], sample_weight=None if weight is None else weight[part])
    return float(metric.result())


def test_the_binary_coefficient_over_batches_is_f1_over_all():
    true, scores = masks(2)
    found = in_batches(keras_metric(BinaryDice(threshold=0.6), "dice"), true[..., None] * 1.0, scores[..., 1:])
    assert found == pytest.approx(f1_score(true.ravel(), scores[..., 1].ravel() > 0.6), abs=1e-6)


def test_a_mask_without_an_axis_of_channels_gives_the_same():
    true, scores = masks(2)
    found = in_batches(keras_metric(BinaryDice(), "dice"), true * 1.0, scores[..., 1])
    assert found == pytest.approx(f1_score(true.ravel(), scores[..., 1].ravel() > 0.5), abs=1e-6)


def test_the_mean_coefficient_is_the_mean_f1_of_the_classes_that_count():
    true, scores = masks()
    reported = scores.argmax(-1)
    for classes in (None, [1, 3]):
        found = in_batches(keras_metric(MeanDice(target_class_ids=classes), "dice"), true, scores)
        assert found == pytest.approx(f1_score(true.ravel(), reported.ravel(), labels=classes, average="macro"), abs=1e-6)


def test_one_hot_masks_and_classes_along_another_axis_give_the_same():
    true, scores = masks()
    expected = in_batches(keras_metric(MeanDice(), "dice"), true, scores)
    one_hot = np.eye(4, dtype=np.float32)[true]
    assert in_batches(keras_metric(MeanDice(sparse_y_true=False), "dice"), one_hot, scores) == expected
    assert in_batches(keras_metric(MeanDice(axis=1), "dice"), true, np.moveaxis(scores, -1, 1)) == expected


def test_a_class_that_is_nowhere_and_never_reported_does_not_count():
    true = np.array([[0, 1, 1, 0]])
    scores = np.eye(3, dtype=np.float32)[[[0, 1, 0, 0]]]
    metric = keras_metric(MeanDice(), "dice")
    metric.update_state(true, scores)
    assert float(metric.result()) == pytest.approx((4 / 5 + 2 / 3) / 2)


@pytest.mark.parametrize("kind", ["binary", "mean"])
def test_a_position_of_weight_0_does_not_count(kind):
    true, scores = masks(2)
    weight = np.random.default_rng(1).integers(0, 2, true.shape).astype(np.float32)
    kept = weight > 0
    if kind == "binary":
        found = in_batches(keras_metric(BinaryDice(), "dice"), true[..., None] * 1.0, scores[..., 1:], weight)
        expected = f1_score(true[kept], scores[..., 1][kept] > 0.5)
    else:
        ignored = np.where(kept, true, 255)
        found = in_batches(keras_metric(MeanDice(), "dice"), ignored, scores, weight)
        expected = f1_score(true[kept], scores.argmax(-1)[kept], average="macro")
    assert found == pytest.approx(expected, abs=1e-6)


def test_a_new_epoch_begins_at_nothing():
    true, scores = masks(2)
    metric = keras_metric(BinaryDice(), "dice")
    in_batches(metric, true[..., None] * 1.0, scores[..., 1:])
    metric.reset_state()
    assert float(metric.result()) == 0
