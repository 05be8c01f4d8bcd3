"""The way back from what a model predicts to the units of the data, and the statistics of each series."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnspec.data.per_series import RowSeries, apply, fit
from nnspec.data.transforms import TRANSFORMS
from nnspec.data.units import Units, units_of

finite = st.floats(-1e4, 1e4).filter(lambda x: abs(x) > 1e-3)
steps = st.lists(
    st.one_of(
        st.builds(lambda scale, offset: ("rescale", {"scale": scale, "offset": offset}), finite, finite),
        st.builds(lambda axis: ("standardize", {"axis": axis}), st.sampled_from([None, -1, 0, -2])),
        st.just(("impute", {"strategy": "median"})),
    ),
    min_size=1,
    max_size=3,
)


def learned(transforms, values):
    """What transforms make of values, and what the run keeps of them."""
    kept = []
    for name, arguments in transforms:
        transform = TRANSFORMS.get(name)(**arguments)
        found = transform.fit([values])
        kept.append({"transform": name, "arguments": transform.model_dump(mode="json"), "learned": found})
        values = transform.apply(values, found)
    return values, kept


@given(steps, st.integers(0, 2**32 - 1))
def test_the_inverse_of_any_transforms_of_numbers_is_exact_but_for_rounding(transforms, seed):
    values = np.random.default_rng(seed).normal(3, 2, (20, 4, 3))
    made, kept = learned(transforms, values)
    units = units_of(kept, (4, 3))
    back = made if units is None else units.to_data(made)
    # Each step rounds its own values to float32; in the units of the data an error is as many times larger as its scale.
    rounded = 10.0
    for i in range(1, len(transforms) + 1):
        step, _ = learned(transforms[:i], values)
        there = units_of(kept[:i], (4, 3))
        rounded += np.abs(np.asarray(step)).max() * (1 if there is None else np.abs(there.scale).max())
    np.testing.assert_allclose(back, values, atol=3e-6 * rounded)


@pytest.mark.parametrize(
    ("rows", "shape"),
    [((), (1,)), ((1,), ()), ((3,), (3,)), ((3,), (3, 1)), ((3, 1), (3,)), ((4, 3), (None, 3)), ((4, 3), (4, 3))],
)
def test_a_last_axis_of_one_may_be_there_or_not(rows, shape):
    values = np.random.default_rng(0).normal(5, 2, (30, *rows))
    made, kept = learned([("standardize", {})], values)
    own = tuple(4 if size is None else size for size in shape)
    np.testing.assert_allclose(units_of(kept, shape).to_data(made.reshape(30, *own)), values.reshape(30, *own), atol=1e-5)


def test_classes_and_texts_have_no_way_back_and_what_is_filled_stays():
    encoded = {"transform": "label_encode", "arguments": {}, "learned": {"classes": ["a", "b"], "names": None}}
    filled = {"transform": "impute", "arguments": {"strategy": 0}, "learned": {"value": 0}}
    assert units_of([encoded], (2,)) is None
    assert units_of([filled], (1,)) is None
    assert units_of([], (1,)) is None


def test_statistics_of_each_series_are_learned_applied_and_undone():
    transform = TRANSFORMS.get("standardize")(per_series=True, axis=None)
    numbers = np.array([0, 1] * 10)
    series = RowSeries(numbers, (("A",), ("B",)))
    values = (
        np.random.default_rng(0).normal(size=(20, 5)) * np.array([[1.0], [100]])[numbers] + np.array([[0.0], [900]])[numbers]
    )
    found = fit(transform, lambda rows: [values[rows]], np.arange(20), series)
    transform.require_learned(found)
    made = apply(transform, values, found, series)
    assert [made[numbers == place].mean() for place in (0, 1)] == pytest.approx([0, 0], abs=1e-6)
    assert [made[numbers == place].std() for place in (0, 1)] == pytest.approx([1, 1], abs=1e-6)
    step = {"transform": "standardize", "arguments": transform.model_dump(mode="json"), "learned": found}
    units = units_of([step], (5,))
    np.testing.assert_allclose(units.to_data(made, series), values, atol=1e-4)
    again = Units.from_json(units.as_json())
    np.testing.assert_array_equal(again.to_data(made, series), units.to_data(made, series))
    other = RowSeries(np.zeros(20, int), (("B",),))
    np.testing.assert_allclose(units.to_data(np.zeros((20, 5)), other), found["each"][1]["mean"])


@pytest.mark.parametrize(
    "damaged",
    [{"scale": 1}, {"scale": [1], "offset": [1, 2], "labels": []}, {"scale": [1], "offset": [1], "labels": [["a"], ["b"]]}],
)
def test_damaged_units_are_refused(damaged):
    with pytest.raises((KeyError, ValueError)):
        Units.from_json(damaged)
