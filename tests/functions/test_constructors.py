"""Constructors, masks and randomness: values by hand, types and errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nnspec.functions.evaluation import NumpyRun
from nnspec.functions.typing import Typing, input_term
from tests.functions.hand_checked import check, error_of, floats, term_of

A = np.zeros((1, 3, 2))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a + ones([3, 2])", [[1, 1], [1, 1], [1, 1]]),
        ("a[:, 0] + arange(0, 1, 0.5)", [0, 0.5]),
        ("a[:, :, 0] + cast(arange(a.shape[1]), 'float32')", [0, 1, 2]),
        ("a[:, :, 0] + cast(arange(5, -1, -2), 'float32')", [5, 3, 1]),
        ("a[:, :, 0] + linspace(0, 1, a.shape[1])", [0, 0.5, 1]),
        ("a[:, :1, 0] + linspace(3, 4, 1)", [3]),
        ("ones_like(a[:, 0])", [1, 1]),
        ("zeros_like(a[:, 0])", [0, 0]),
        ("full_like(a[:, 0], 7)", [7, 7]),
        ("mask(a)", [True, True, True]),
        ("in_training(a[:, 0] + random_normal([2]), a[:, 0])", [0, 0]),
    ],
)
def test_constructors_by_hand(text: str, expected: list[object]) -> None:
    check(text, np.asarray([expected], None if expected[0] is True else np.float32), a=A)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a @ ones([2, a.shape[1]])", "(T, T)"),
        ("zeros_like(a) + expand_dims(cast(arange(0, a.shape[1]), 'float32'), 1)", "(T, 2)"),
        ("in_training(random_uniform([a.shape[1], 2]), a)", "(T, 2)"),
    ],
)
def test_free_sizes(text: str, expected: str) -> None:
    assert str(term_of(text, a=floats("T", 2))[0]) == expected


def test_a_range_of_integers_is_cast_to_meet_floats() -> None:
    assert "combines a float and an integer" in error_of("a + arange(2)", a=floats(2))


def test_what_depends_on_a_size_says_so() -> None:
    assert term_of("a + expand_dims(linspace(0, 1, a.shape[1]), 1)", a=floats("T", 2))[0].sizes == {("a", 1)}


def masked(text: str, masks: dict[str, Any]) -> np.ndarray[Any, Any]:
    names: dict[str, Any] = {
        name: input_term(name, (2, 3), "float32", mask=np.ndim(masks[name]) - 1 if name in masks else None) for name in "ab"
    }
    arrays = {name: np.ones((1, 2, 3)) for name in "ab"}
    return NumpyRun(arrays, {name: np.asarray(each) for name, each in masks.items()})(Typing(names).result(text))[0]


def test_a_mask_is_that_of_its_tensor() -> None:
    assert masked("mask(a * 2)", {"a": [[True, False]]}).tolist() == [[True, False]]


def test_masks_of_several_tensors_are_combined() -> None:
    masks = {"a": [[True, False]], "b": [[[True, True, False], [True, True, True]]]}
    assert masked("mask(a + b)", masks).tolist() == [[[True, True, False], [False, False, False]]]


@pytest.mark.parametrize(
    ("text", "message", "help"),
    [
        ("a + zeros([0, 2])", "at least 1, not 0", ""),
        ("a + arange(3, 1)", "is empty", "before the last"),
        ("a + arange(0, 1, 0)", "other than 0", ""),
        ("a + arange(0, a.shape[1], 0.5)", "known while compiling", "cast(arange"),
        ("a + arange(a)", "must be a number or a size", ""),
        ("a + linspace(a, 1, 3)", "`start` of `linspace` must be a number", ""),
        ("a + full_like(a, a)", "must be a number", "broadcast_to"),
        ("in_training(a, a[:, 0])", "two tensors of the same shape, got (T, 2) and (2,)", "broadcast_to"),
        ("in_training(a, a > 0)", "combines", "cast"),
        ("in_training(random_bernoulli([2], 1.5), a)", "a probability", ""),
        ("a * random_normal([2])", "allowed only in the first argument of `in_training`", "in_training(a * random_normal("),
        ("mask(a[:, 0, 0])", "a mask covers axes", ""),
    ],
)
def test_errors_name_the_fix(text: str, message: str, help: str) -> None:
    found = error_of(text, a=floats("T", 2))
    assert message in found.split("; ")[0]
    assert help in found
