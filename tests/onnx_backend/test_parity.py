"""The one definition of parity, on functions made by hand."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnspec.onnx_backend.parity import OutputParity, Reference, measure
from nnspec.runtime.session import Arrays, Run

X = np.array([[1.0, -2.0, 0.5]], np.float32)


def giving(array: np.ndarray) -> Run:
    """A model that gives the same whatever comes in."""
    return lambda inputs: {"y": array}


def figures(right: np.ndarray, given_: np.ndarray) -> OutputParity:
    return measure(giving(right), giving(given_), [{"x": X}]).outputs["y"]


def test_the_error_is_relative_to_the_largest_value() -> None:
    found = figures(np.array([[0.0, 4.0]]), np.array([[2e-5, 4.0]]))
    assert found.error == pytest.approx(5e-6)
    assert found.agrees


def test_what_is_off_by_more_than_the_tolerance_differs() -> None:
    found = figures(np.array([[1.0]]), np.array([[1.0 + 2e-5]]))
    assert not found.agrees
    assert found.tolerance == 1e-5


def test_an_output_that_is_missing_or_of_another_shape_differs() -> None:
    assert measure(giving(X), lambda inputs: {}, [{"x": X}]).outputs["y"].error == np.inf
    assert figures(X, X[:, :2]).error == np.inf


def test_not_a_number_agrees_with_itself_alone() -> None:
    right = np.array([[np.nan, 1.0, np.inf]])
    assert figures(right, right).error == 0
    assert figures(right, np.array([[0.0, 1.0, np.inf]])).error == np.inf
    assert figures(right, np.array([[np.nan, 1.0, -np.inf]])).error == np.inf


def test_zero_agrees_with_zero_alone() -> None:
    zero = np.zeros((1, 2))
    assert figures(zero, zero).error == 0
    assert figures(zero, np.array([[0.0, 1e-30]])).error == np.inf


def test_masked_positions_do_not_count() -> None:
    right, given_ = np.ones((1, 3, 2)), np.ones((1, 3, 2))
    given_[0, 1] = 7
    mask = np.array([[True, False, True]])
    assert not figures(right, given_).agrees
    assert measure(giving(right), giving(given_), [{"x": X}], masks=lambda inputs: {"y": mask}).agrees


def test_the_worst_batch_counts() -> None:
    wrong_once: Run = lambda inputs: {"y": inputs["x"] + (inputs["x"].max() > 5)}  # noqa: E731
    right: Run = lambda inputs: {"y": inputs["x"]}  # noqa: E731
    parity = measure(right, wrong_once, [{"x": X}, {"x": X + 9}, {"x": X}])
    assert list(parity.differing) == ["y"]
    assert (parity.cases, parity.examples) == (3, 3)


def test_an_amplifying_model_is_called_ill_conditioned_and_not_different() -> None:
    amplify: Run = lambda inputs: {"y": 1e6 * (inputs["x"] - 1.0)}  # noqa: E731
    near = np.full((1, 4), 1.001, np.float32)
    parity = measure(amplify, lambda inputs: {"y": amplify(inputs)["y"] * np.float32(1 + 1e-4)}, [{"x": near}])
    found = parity.outputs["y"]
    assert found.is_ill_conditioned
    assert found.agrees
    assert "ill-conditioned: the last bit of the input changes it by" in str(found)


def test_where_inputs_are_whole_numbers_the_weights_move() -> None:
    tokens = {"t": np.array([[1, 2]])}
    moved: Run = lambda inputs: {"y": X * np.float32(1.001)}  # noqa: E731
    assert measure(giving(X), giving(X), [tokens]).outputs["y"].sensitivity == 0
    reference = Reference(giving(X), perturbed=lambda: moved)
    assert measure(reference, giving(X), [tokens]).outputs["y"].sensitivity == pytest.approx(1e-3, rel=0.01)
    assert measure(reference, giving(X), [{"x": X}]).outputs["y"].sensitivity == 0


def test_it_can_be_written_as_json_and_as_text() -> None:
    parity = measure(giving(X), giving(X), [{"x": X}])
    assert json.loads(json.dumps(parity.as_json())) == {
        "outputs": {"y": {"error": 0.0, "tolerance": 1e-5, "sensitivity": 0.0}},
        "cases": 1,
        "examples": 1,
    }
    assert parity.text() == "`y` agrees: error 0.0e+00, tolerance 1.0e-05\non 1 examples in 1 batches"


@given(st.floats(1e-3, 1e3), st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=8))
def test_parity_does_not_depend_on_the_scale(scale: float, values: list[float]) -> None:
    right: Arrays = {"y": np.array([values])}
    off = {"y": right["y"] + 1e-7}
    plain = measure(lambda i: right, lambda i: off, [{"x": X}]).outputs["y"]
    scaled = measure(lambda i: {"y": right["y"] * scale}, lambda i: {"y": off["y"] * scale}, [{"x": X}]).outputs["y"]
    assert scaled.error == pytest.approx(plain.error, rel=1e-5)


def test_masked_scores_do_not_hide_the_errors_of_others() -> None:
    right = np.array([[2.0, -1e9, -1.0], [1.0, -1e9 + 64, 0.5]], np.float32)
    off = right + np.array([[0, 128, 0], [0, 0, 0.01]], np.float32)
    parity = measure(lambda i: {"y": right}, lambda i: {"y": off}, [{"x": X}]).outputs["y"]
    assert parity.error == pytest.approx(0.005, rel=1e-3)
    assert not parity.agrees
    same = measure(lambda i: {"y": right}, lambda i: {"y": np.where(right < -1e8, off, right)}, [{"x": X}]).outputs["y"]
    assert same.error == 0
    unmasked = measure(lambda i: {"y": right}, lambda i: {"y": np.where(right < -1e8, 0, right)}, [{"x": X}]).outputs["y"]
    assert not unmasked.agrees


def test_a_mask_that_does_not_fit_leaves_nothing_out() -> None:
    x = {"x": np.ones((2, 3), np.float32)}
    parity = measure(dict, lambda inputs: {"x": inputs["x"] + 1}, [x], masks=lambda inputs: {"x": np.zeros((2, 4), bool)})
    assert not parity.agrees


def rounding_differently(own: float, error: float) -> tuple[Reference, Run]:
    """A reference whose float32 is off by so much from its float64, and a candidate that is off by so much."""
    true = np.array([[1.0, -4.0, 0.5]])

    def off(by: float) -> Run:
        return giving(true + np.array([[4 * by, 0, 0]]))

    return Reference(off(own), exact=lambda: giving(true)), off(error)


def test_the_reference_is_as_inexact_as_the_worst_of_its_runs() -> None:
    reference, candidate = rounding_differently(0, 2e-5)
    assert not measure(reference, candidate, [{"x": X}]).agrees
    far, _ = rounding_differently(6e-6, 0)
    assert measure(replace(reference, perturbed=lambda: far.run), candidate, [{"x": X}]).agrees
    assert measure(replace(reference, rounded=lambda: far.run), candidate, [{"x": X}]).agrees


@pytest.mark.parametrize(
    ("own", "error", "agrees"),
    [
        (-6e-6, 8e-6, True),  # as far from float64 as the reference itself, on the other side
        (-1e-5, 3.9e-5, True),
        (-1e-5, 4.1e-5, False),
        (0.0, 2e-5, False),  # the reference is exact: rounding explains nothing
        (2e-5, 9e-7, True),  # the candidate is the better one
    ],
)
def test_where_the_quick_bound_fails_float64_decides(own: float, error: float, agrees: bool) -> None:
    reference, candidate = rounding_differently(own, error)
    found = measure(reference, candidate, [{"x": X}]).outputs["y"]
    assert found.error > found.tolerance
    assert found.agrees is agrees
    assert found.exact is not None
    assert (found.exact.error, found.exact.own) == (pytest.approx(error), pytest.approx(abs(own)))
    assert (found.tolerance_used <= 1) is agrees
    assert "against float64: error" in str(found)


def test_where_the_quick_bound_holds_float64_is_not_asked() -> None:
    def make() -> Run:
        raise AssertionError

    assert measure(Reference(giving(X), exact=make), giving(X), [{"x": X}]).agrees


def test_float64_can_be_asked_everywhere() -> None:
    reference, candidate = rounding_differently(0, 2e-6)
    assert measure(reference, candidate, [{"x": X}]).agrees
    assert not measure(reference, candidate, [{"x": X}], bound="exact").agrees


def test_the_record_holds_what_decided() -> None:
    reference, candidate = rounding_differently(-6e-6, 8e-6)
    record = measure(reference, candidate, [{"x": X}]).outputs["y"].as_json()
    assert record["float64"] == {
        "error": pytest.approx(8e-6),
        "tolerance": pytest.approx(2.4e-5),
        "keras_error": pytest.approx(6e-6),
    }


def test_a_reference_with_something_before_it_keeps_its_other_forms() -> None:
    doubled = Reference(dict, perturbed=lambda: dict, exact=lambda: dict).around(lambda run: lambda x: run({"x": 2 * x["x"]}))
    assert doubled.perturbed is not None
    assert doubled.exact is not None
    assert [float(run({"x": X})["x"][0, 0]) for run in (doubled, doubled.perturbed(), doubled.exact())] == [2, 2, 2]


def test_where_float64_cannot_be_computed_the_quick_bound_decides_and_that_is_reported() -> None:
    def make() -> Run:
        raise NotImplementedError("no such kernel")

    found = measure(Reference(giving(X), exact=make), giving(X * np.float32(1.001)), [{"x": X}])
    assert not found.agrees
    assert "the float64 comparison failed, so the quick bound decided: no such kernel" in found.text()


@pytest.mark.parametrize(
    ("ours", "theirs", "true", "agrees"),
    [
        (np.inf, np.nan, 1e57, True),  # no float32 holds it
        (np.nan, -np.inf, 1e57, True),
        (np.nan, 2.0, 2.0, True),  # the reference has no value there
        (np.nan, -np.inf, np.nan, True),
        (np.nan, 2.0, np.nan, False),
        (2.0, np.nan, 2.0, False),
    ],
)
def test_values_that_float32_cannot_hold_are_not_compared(ours: float, theirs: float, true: float, agrees: bool) -> None:
    def of(value: float) -> Run:
        return giving(np.array([[1.0, value]]))

    reference = Reference(of(ours), exact=lambda: of(true))
    assert measure(reference, of(theirs), [{"x": X}]).agrees is agrees


def test_inputs_under_which_the_reference_overflows_are_scaled_down() -> None:
    """A clipped overflow is no difference; a candidate that differs where nothing overflows is one."""

    def overflowing(run):
        return lambda inputs: {"y": np.where(np.abs(inputs["x"]) > 0.5, np.nan, run(inputs["x"]))}

    x = np.array([[0.1], [4.0]], np.float32)
    right = overflowing(lambda x: 2 * x)
    assert measure(right, lambda inputs: {"y": 2 * inputs["x"]}, [{"x": x}]).agrees
    assert not measure(right, lambda inputs: {"y": 2.1 * inputs["x"]}, [{"x": x}]).agrees


def test_an_example_that_one_reduction_makes_finite_stays_reduced_while_another_needs_two() -> None:
    def run(inputs):
        return {"y": np.where(np.abs(inputs["x"]) > 0.5, np.nan, 2 * inputs["x"])}

    seen = []

    def candidate(inputs):
        seen.append(inputs["x"])
        return run(inputs)

    assert measure(run, candidate, [{"x": np.array([[0.1], [4.0], [40.0]], np.float32)}]).agrees
    np.testing.assert_allclose(seen[0], [[0.1], [0.4], [0.4]], rtol=1e-6)


def test_the_second_opinion_is_relative_to_the_largest_value_of_all_batches() -> None:
    """A batch of one improbable example does not make the absolute error of a fast sigmoid a difference."""
    exact = {"y": np.array([[1.0]])}, {"y": np.array([[1e-3]])}

    def of(run):
        return lambda inputs: {"y": run(inputs["x"].astype(np.float64))}

    reference = Reference(of(lambda x: x.astype(np.float32)), exact=lambda: of(lambda x: x))
    cases = [{"x": exact[0]["y"].astype(np.float32)}, {"x": exact[1]["y"].astype(np.float32)}]
    near = of(lambda x: (x + 1e-7).astype(np.float32))
    assert measure(reference, near, cases).agrees
    assert not measure(reference, near, cases[1:]).agrees
    assert not measure(reference, of(lambda x: (x + 1e-5).astype(np.float32)), cases).agrees
