from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nnspec.data.split import split, why_not_stratified


@given(st.integers(10, 200), st.floats(0.05, 0.9), st.integers(0, 2**32 - 1))
def test_a_split_is_a_partition_and_the_same_for_the_same_seed(rows, fraction, seed):
    train, validation = split(rows, fraction, seed)
    assert sorted([*train, *validation]) == list(range(rows))
    assert len(validation) == int(np.ceil(rows * fraction))
    again = split(rows, fraction, seed)
    np.testing.assert_array_equal(again[1], validation)


def test_another_seed_is_another_split():
    assert split(100, 0.2, 1)[1].tolist() != split(100, 0.2, 2)[1].tolist()


def test_a_stratified_split_keeps_the_classes_in_proportion():
    classes = np.repeat([0, 1, 2], [100, 40, 10])
    _, validation = split(150, 0.1, 0, classes)
    assert np.bincount(classes[validation]).tolist() == [10, 4, 1]


def test_too_few_examples_of_a_class_cannot_be_stratified():
    assert why_not_stratified(np.array([0, 0, 0, 1]), 0.5) == "a class has only one example"
    assert "3 classes" in (why_not_stratified(np.array([0, 0, 1, 1, 2, 2]), 0.2) or "")
    assert why_not_stratified(np.array([0, 0, 1, 1]), 0.5) is None
