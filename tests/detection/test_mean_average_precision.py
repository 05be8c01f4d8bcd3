"""The twelve numbers of COCO, and the metric of detectors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.mean_average_precision import Scenes, drawn, ours, random_set, theirs
from nnspec.training.detection.average_precision import AveragePrecisions

pytest.importorskip("pycocotools")

BOX = np.array([[[10.0, 10.0, 50.0, 50.0]]])
ONE = np.array([[0.9]])
FIRST = np.array([[0]])


@st.composite
def scenes(draw: st.DrawFn) -> Scenes:
    """Scenes with few different numbers, so that overlaps and scores are often equal."""
    images, rows, slots = draw(st.integers(1, 3)), draw(st.integers(1, 4)), draw(st.integers(1, 6))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    unit = draw(st.sampled_from([1, 16, 48]))

    def boxes(count: int) -> np.ndarray:
        start = random.integers(0, 4, (images, count, 2))
        return np.concatenate([start, start + random.integers(1, 4, start.shape)], -1).astype(np.float32) * unit

    true_classes, classes = (random.integers(-1, 2, (images, count)).astype(np.int32) for count in (rows, slots))
    scores = (random.integers(0, 3, (images, slots)) / 2).astype(np.float32)
    crowd = (random.random((images, rows)) < draw(st.sampled_from([0.0, 0.3, 1.0]))).astype(np.int32)
    return Scenes(boxes(rows), true_classes, crowd, boxes(slots), scores, classes)


@given(scenes())
@settings(max_examples=60, deadline=None)
def test_the_twelve_numbers_are_those_of_pycocotools(scenes: Scenes) -> None:
    assert list(ours(scenes).values()) == theirs(scenes)


@pytest.mark.parametrize("seed", [3, 8, 21])
def test_larger_sets_have_the_numbers_of_pycocotools(seed: int) -> None:
    scenes = random_set(seed)
    assert list(ours(scenes).values()) == theirs(scenes)


def test_the_order_of_batches_of_equal_scores_is_that_of_the_images() -> None:
    found = drawn(np.random.default_rng(5), images=150, classes=2, steps=2)
    assert list(ours(found).values()) == theirs(found)


def test_without_any_box_all_numbers_are_minus_one() -> None:
    found = AveragePrecisions()
    assert set(found.result().numbers.values()) == {-1.0}
    found.add(BOX, ONE, FIRST, -np.ones((1, 3, 4)), -np.ones((1, 3), int))
    assert set(found.result().numbers.values()) == {-1.0}


def test_an_annotation_of_no_area_is_none() -> None:
    flat = np.array([[[10.0, 10.0, 50.0, 10.0], [10.0, 10.0, 50.0, 50.0]]])
    found = AveragePrecisions()
    found.add(BOX, ONE, FIRST, flat, np.array([[0, 0]]))
    assert found.result().boxes.tolist() == [1]


def test_the_sides_of_small_and_large_boxes_are_arguments() -> None:
    found = AveragePrecisions(small=8.0, large=16.0)
    found.add(BOX, ONE, FIRST, BOX, FIRST)
    numbers = found.result().numbers
    assert (numbers["mean_average_precision_large"], numbers["mean_average_precision_medium"]) == (pytest.approx(1), -1.0)


def test_boxes_that_are_not_numbers_match_nothing() -> None:
    found = AveragePrecisions()
    found.add(BOX * np.nan, ONE, FIRST, BOX, FIRST)
    assert found.result().numbers["mean_average_precision"] == 0.0


def test_each_class_has_its_average_precision() -> None:
    found = AveragePrecisions()
    found.add(BOX, ONE, np.array([[3]]), np.concatenate([BOX, BOX + 100], 1), np.array([[3, 7]]))
    result = found.result()
    assert dict(zip(result.classes.tolist(), result.by_class.round(6).tolist(), strict=True)) == {3: 1.0, 7: 0.0}
