"""Losses of boxes against formulas written another way, and their gradients where boxes have no area."""

from __future__ import annotations

import math

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from keras import ops  # noqa: E402

from nnspec.training.catalogue import losses  # noqa: E402
from nnspec.training.loop.keras_objects import keras_loss  # noqa: E402

NAMES = ("IoU", "GIoU", "CIoU")


def rows(name: str, true, predicted):
    """The loss of each row."""
    loss = keras_loss(losses.LOSSES.get(name)())
    return np.asarray(loss.call(ops.convert_to_tensor(np.float32(true)), ops.convert_to_tensor(np.float32(predicted))))


def by_hand(name: str, a, b) -> float:
    """The loss of two boxes whose corners are integers, by counting pixels."""
    cells = [{(x, y) for x in range(int(x1), int(x2)) for y in range(int(y1), int(y2))} for x1, y1, x2, y2 in (a, b)]
    union = cells[0] | cells[1]
    share = len(cells[0] & cells[1]) / len(union)
    width = max(x for x, _ in union) + 1 - min(x for x, _ in union)
    height = max(y for _, y in union) + 1 - min(y for _, y in union)
    if name == "IoU":
        return 1 - share
    if name == "GIoU":
        return 1 - (share - 1 + len(union) / (width * height))
    centers = [np.mean(list(each), axis=0) for each in cells]
    angles = [math.atan((x2 - x1) / (y2 - y1)) for x1, y1, x2, y2 in (a, b)]
    v = 4 / math.pi**2 * (angles[0] - angles[1]) ** 2
    return 1 - share + ((centers[0] - centers[1]) ** 2).sum() / (width**2 + height**2) + (v * v / (1 - share + v) if v else 0)


def drawn(random, count: int):
    low = random.integers(0, 12, (count, 2))
    return np.concatenate([low, low + random.integers(1, 10, (count, 2))], -1)


@pytest.mark.parametrize("name", NAMES)
def test_a_loss_of_boxes_is_that_of_counted_pixels(name):
    random = np.random.default_rng(0)
    true, predicted = drawn(random, 60), drawn(random, 60)
    predicted[:5] = true[:5]
    wanted = [by_hand(name, a, b) for a, b in zip(true, predicted, strict=True)]
    np.testing.assert_allclose(rows(name, true, predicted), wanted, atol=2e-6)


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_target_has_no_loss_whatever_is_predicted(name):
    predicted = [[0, 0, 5, 5], [-1, -1, -1, -1], [5, 5, 0, 0]]
    np.testing.assert_array_equal(rows(name, [[-1.0] * 4] * 3, predicted), 0)


def gradient(name: str, true, predicted):
    loss = keras_loss(losses.LOSSES.get(name)())
    true = ops.convert_to_tensor(np.float32(true))
    if keras.backend.backend() == "jax":
        import jax

        return np.asarray(jax.grad(lambda x: ops.sum(loss.call(true, x)))(np.float32(predicted)))
    import tensorflow as tf

    x = tf.constant(np.float32(predicted))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(loss.call(true, x))
    return tape.gradient(y, x).numpy()


@pytest.mark.parametrize("name", NAMES)
def test_gradients_are_finite_for_boxes_without_an_area_and_missing_targets(name):
    true = [[2, 2, 6, 6]] * 6 + [[-1] * 4] * 2
    odd = [
        [3, 3, 3, 3],
        [6, 6, 2, 2],
        [2, 2, 6, 6],
        [0, 4, 8, 4],
        [4, 0, 4, 9],
        [-50, -50, -50, -50],
        [0, 0, 0, 0],
        [1, 2, 3, 4],
    ]
    found = gradient(name, true, odd)
    assert np.isfinite(found).all()
    assert not found[6:].any()


@pytest.mark.parametrize("name", ["GIoU", "CIoU"])
def test_disjoint_boxes_are_drawn_together(name):
    x1, y1, x2, y2 = gradient(name, [[20, 0, 24, 4]], [[0, 0, 4, 4]])[0]
    assert x1 + x2 < 0  # a step against the gradient moves it to the right
    assert y1 == pytest.approx(-y2, abs=1e-6)


@pytest.mark.parametrize(("units", "codes"), [(4, set()), (3, {"NN504"})])
def test_a_loss_of_boxes_needs_rows_of_four(tmp_path, units, codes):
    from nnspec.api import validate

    file = tmp_path / "a.nnspec.yaml"
    file.write_text(
        f"nnspec: 1\nname: a\ninputs: {{x: [5, {units}]}}\nlayers:\n  - Dense: {{units: {units}}}\n    name: y\n"
        f"train: {{epochs: 1, loss: GIoU}}\n",
        encoding="utf-8",
    )
    assert {problem.code for problem in validate(file)} == codes


def test_focal_cross_entropy_is_weighted_by_anchor():
    """Each anchor has a weight, as ignored ones need."""
    random = np.random.default_rng(0)
    label = np.float32(random.integers(0, 2, (2, 5, 3)))
    logits = np.float32(random.normal(size=(2, 5, 3)))
    weight = np.float32([[1, 0, 1, 1, 0], [0, 0, 1, 0, 1]])
    loss = keras_loss(losses.LOSSES.get("BinaryFocalCrossentropy")(from_logits=True, apply_class_balancing=True))
    p = 1 / (1 + np.exp(-np.float64(logits)))
    right = np.where(label == 1, p, 1 - p)
    each = np.where(label == 1, 0.25, 0.75) * (1 - right) ** 2 * -np.log(right)
    assert float(loss(label, logits, sample_weight=weight)) == pytest.approx((each.mean(-1) * weight).mean(), rel=1e-5)
