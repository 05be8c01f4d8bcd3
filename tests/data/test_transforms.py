from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pydantic import ValidationError

from nnspec.data.kinds import Column, DataError
from nnspec.data.transforms import TRANSFORMS
from nnspec.data.transforms.classes import UnknownClassError, class_names, label_encode, one_hot
from nnspec.data.transforms.numbers import impute, rescale, standardize

# Squares of anything smaller leave what a double can hold, and there is no deviation to speak of.
elements = st.floats(-1e6, 1e6).map(lambda value: value if abs(value) > 1e-100 else 0.0)
floats = arrays.arrays(np.float64, st.tuples(st.integers(2, 20), st.integers(1, 3)), elements=elements)


@pytest.mark.parametrize("name", TRANSFORMS.names())
def test_a_transform_is_found_by_its_name_in_a_spec(name):
    assert TRANSFORMS.get(name).__name__ == name


@given(floats, st.integers(1, 7))
def test_standardize_gives_mean_0_and_deviation_1_however_the_rows_are_cut(values, size):
    chunks = [values[i : i + size] for i in range(0, len(values), size)]
    learned = standardize().fit(chunks)
    np.testing.assert_allclose(learned["mean"], values.mean(0), rtol=1e-9, atol=1e-6)
    made = standardize().apply(values, learned).astype(np.float64)
    varies = values.std(0) > 1e-6 * np.abs(values).max()
    np.testing.assert_allclose(made.mean(0)[varies], 0, atol=1e-3)
    np.testing.assert_allclose(made.std(0)[varies], 1, atol=1e-3)


def test_standardize_makes_a_value_that_never_varies_0():
    learned = standardize().fit([np.full((5, 1), 3.0)])
    assert standardize().apply(np.array([[3.0], [4.0]]), learned).tolist() == [[0], [1]]


@pytest.mark.parametrize(("axis", "shape"), [(-1, (3,)), (None, ()), (0, (4,)), (1, (5,))])
def test_standardize_keeps_statistics_of_the_axis_it_is_given(axis, shape):
    values = np.random.default_rng(0).normal(size=(7, 4, 5, 3))
    learned = standardize(axis=axis).fit([values])
    assert np.shape(learned["mean"]) == shape
    others = {-1: (0, 1, 2), None: None, 0: (0, 2, 3), 1: (0, 1, 3)}[axis]
    np.testing.assert_allclose(learned["std"], values.std(others), rtol=1e-9)
    assert standardize(axis=axis).apply(values, learned).shape == values.shape


def test_rescale_of_pixels_is_float32_from_0_to_1():
    made = rescale(scale=1 / 255).apply(np.array([[0, 255]], np.uint8), {})
    assert made.dtype == np.float32
    np.testing.assert_array_equal(made, np.float32([[0, 255]]) * np.float32(1 / 255))
    assert rescale(scale=2, offset=-1).apply(np.array([0.5]), {}).tolist() == [0]


@pytest.mark.parametrize(("strategy", "value"), [("mean", 3.0), ("median", 2.0), ("most_frequent", 2.0), (-1.0, -1.0)])
def test_impute_fills_each_column_with_its_own_statistic(strategy, value):
    rows = np.array([[2, 9], [2, 9], [5, 9], [np.nan, np.nan]])
    transform = impute(strategy=strategy)
    made = transform.apply(rows, transform.fit([rows[:2], rows[2:]]))
    assert made[3].tolist() == [value, -1.0 if strategy == -1.0 else 9.0]
    np.testing.assert_array_equal(made[:3], rows[:3])


def test_impute_keeps_the_type_of_a_column_that_may_be_text():
    """Whether a CSV column is text is unknown until its values are read."""
    assert impute(strategy="most_frequent").infer(Column((), "unknown")) == Column((), "unknown")
    assert impute(strategy="median").infer(Column((), "unknown")).dtype == "float64"


def test_values_that_overflow_float32_are_infinite_without_a_warning():
    assert standardize().apply(np.array([3.5e38]), {"mean": 0.0, "std": 1.0}).tolist() == [np.inf]


def test_impute_has_nothing_to_learn_from_a_column_that_is_all_missing():
    with pytest.raises(DataError, match="are missing"):
        impute(strategy="mean").fit([np.full((3, 1), np.nan)])


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        (np.array(["b", "a", "b", None], object), ["a", "b"]),
        (np.array([3.0, 1.0, 3.0]), [1, 3]),
        (np.array([0.5, 2.0]), [0.5, 2]),
        (np.array([7, 5], np.uint8), [5, 7]),
    ],
)
def test_label_encode_learns_the_classes_in_order_and_as_json_has_them(values, classes):
    learned = label_encode().fit([values[:1], values[1:]])
    assert json.loads(json.dumps(learned)) == {"classes": classes}
    assert label_encode().apply(np.array(classes, values.dtype), learned).tolist() == list(range(len(classes)))


def test_classes_that_are_numbers_in_the_data_can_have_names():
    transform = label_encode(names=["coat", "boot"])
    learned = transform.fit([np.array([9, 4])])
    assert learned == {"classes": [4, 9], "names": ["coat", "boot"]}
    assert class_names([{"learned": learned}]) == ["coat", "boot"]
    assert transform.apply(np.array([9, 4]), learned).tolist() == [1, 0]


def test_as_many_names_as_classes_are_wanted():
    with pytest.raises(DataError, match="`names` has 2 entries, but the data have 3 classes"):
        label_encode(names=["coat", "boot"]).fit([np.arange(3)])
    with pytest.raises(ValidationError, match="there are 10 classes, 2 names"):
        label_encode(classes=10, names=["coat", "boot"])


def test_an_unknown_class_is_an_error_that_names_the_place():
    transform = label_encode(classes=["a", "b"])
    with pytest.raises(UnknownClassError) as caught:
        transform.apply(np.array(["a", "c"], object), transform.fit([]))
    assert caught.value.position == 1
    assert "'a', 'b'" in caught.value.message


def test_an_unknown_class_that_is_allowed_comes_behind_the_others_or_is_all_0():
    values = np.array(["b", "c"], object)
    for transform, wanted in ((label_encode, [1, 2]), (one_hot, [[0, 1], [0, 0]])):
        built = transform(classes=["a", "b"], unknown=True)
        assert built.apply(values, built.fit([])).tolist() == wanted


def test_one_hot_adds_an_axis_of_the_size_it_declares():
    transform = one_hot(classes=3)
    assert transform.infer(Column((2,), "int64")) == Column((2, 3), "float32")
    made = transform.apply(np.array([[0, 2]]), transform.fit([]))
    assert made.tolist() == [[[1, 0, 0], [0, 0, 1]]]
    assert one_hot().infer(Column(())).shape == (None,)


@pytest.mark.parametrize("transform", [rescale(scale=2), standardize(), impute(strategy="mean")])
def test_a_transform_of_numbers_refuses_text(transform):
    with pytest.raises(DataError, match="the column contains text"):
        transform.infer(Column((), "text"))


def test_classes_are_each_given_once():
    with pytest.raises(ValueError, match="without duplicates"):
        one_hot(classes=["a", "a"])


@pytest.mark.parametrize("strategy", ["mean", "median"])
def test_impute_refuses_values_whose_statistic_overflows(strategy):
    with pytest.raises(DataError, match=f"cannot compute the {strategy}: the values are too large"):
        impute(strategy=strategy).fit([np.full((4, 1), 1.7e308)])
