"""Reductions: values worked out by hand, gradients at 0, preserved axes, errors."""

from __future__ import annotations

from math import e, log

import keras
import numpy as np
import pytest

from nnspec.functions.base import Case
from nnspec.keras_backend import to_keras
from nnspec.types import TensorType, symbol
from tests.functions.four_ways import gradient, graph_of
from tests.functions.hand_checked import check, error_of, term_of

T = symbol("T")
X = [[[1.0, 2.0], [3.0, 5.0]], [[0.0, -1.0], [4.0, 4.0]]]


@pytest.mark.parametrize("free", [False, True])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sum(x, axis=1)", [[4.0, 7.0], [4.0, 3.0]]),
        ("sum(x, axis=[1, 2])", [11.0, 7.0]),
        ("sum(x, axis=-1, keepdims=true)", [[[3.0], [8.0]], [[-1.0], [8.0]]]),
        ("mean(x, axis=[2, 1])", [2.75, 1.75]),
        ("prod(x, axis=2)", [[2.0, 15.0], [0.0, 16.0]]),
        ("max(x, axis=1)", [[3.0, 5.0], [4.0, 4.0]]),
        ("min(x, axis=2)", [[1.0, 3.0], [-1.0, 4.0]]),
        ("var(x, axis=2)", [[0.25, 1.0], [0.25, 0.0]]),
        ("std(x, axis=2)", [[0.5, 1.0], [0.5, 0.0]]),
        ("any(x > 4, axis=2)", [[False, True], [False, False]]),
        ("all(x > 0, axis=1)", [[True, True], [False, False]]),
        ("norm(x, axis=2)", [[5**0.5, 34**0.5], [1.0, 32**0.5]]),
        ("norm(x, axis=[1, 2])", [39**0.5, 33**0.5]),
        ("norm(x, 1, axis=2)", [[3.0, 8.0], [1.0, 8.0]]),
        ("norm(x, inf, axis=2, keepdims=true)", [[[2.0], [5.0]], [[1.0], [4.0]]]),
        ("argmax(x, axis=2)", [[1, 1], [0, 0]]),
        ("argmin(x, axis=1, keepdims=true)", [[[0, 0]], [[0, 0]]]),
    ],
)
def test_a_reduction_has_the_value_worked_out_by_hand(text: str, expected: object, free: bool) -> None:
    check(text, expected, free=free, x=X)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["sum", "prod", "max", "min"])
def test_a_reduction_of_integers_is_an_integer(name: str) -> None:
    x = [[2, 3], [-4, 1]]
    check(f"{name}(x, axis=1)", getattr(np, name)(x, axis=1), x=x)


def test_logsumexp_does_not_overflow_and_ignores_minus_infinity() -> None:
    x = [[200.0, 200.0], [1.0, -np.inf]]
    check("logsumexp(x, axis=1)", [200 + log(2), 1.0], x=x)
    check("exp(logsumexp(x, axis=1))", [2 * e], x=[[1.0, 1.0]])


def test_equal_elements_have_the_lowest_position() -> None:
    check("argmax(x, axis=1)", [1, 0], x=[[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])
    check("argmin(x, axis=1)", [0, 1], x=[[1, 3, 1], [2, 0, 0]])


def test_negative_zero_equals_zero() -> None:
    check("argmax(x, axis=1)", [0, 0], x=[[-0.0, 0.0], [0.0, -0.0]])
    check("argmin(x, axis=1)", [0, 0], x=[[-0.0, 0.0], [0.0, -0.0]])


def test_an_axis_of_one_element_is_reduced() -> None:
    check("std(x, axis=1)", [0.0, 0.0], x=[[3.0], [4.0]])
    check("argmax(x, axis=1)", [0, 0], x=[[3.0], [4.0]])


def test_a_constant_is_reduced_along_its_first_axis() -> None:
    check("x * sum([1.0, 2.0, 3.0], axis=0)", [6.0], x=[1.0])
    check("x + mean([[1, 2], [3, 4]], axis=0)", [[2.0, 3.0]], x=[[0.0, 0.0]])


@pytest.mark.parametrize("text", ["norm(x, axis=1)", "norm(x, 1, axis=1)", "std(x, axis=1)", "normalize(x)"])
def test_the_gradient_at_zero_is_zero(text: str) -> None:
    x = np.array([[0.0, 0.0, 0.0], [1.0, 2.0, 2.5]], np.float32)
    model = to_keras(graph_of(Case(text, {"x": x}), free=False))
    found = gradient(lambda x: keras.ops.sum(model({"x": x})["y"]), x)
    assert np.array_equal(found[0], [0, 0, 0])
    assert np.isfinite(found).all()


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="uses a tape")
@pytest.mark.parametrize(
    "text", ["norm(x, axis=1)", "norm(x, 1, axis=1)", "norm(x, inf, axis=1)", "std(x, axis=1)", "normalize(x)"]
)
def test_the_gradient_at_zero_is_zero_and_the_second_derivative_is_finite(text: str) -> None:
    import tensorflow as tf

    x = tf.Variable([[0.0, 0.0, 0.0], [1.0, 2.0, 2.5]])
    model = to_keras(graph_of(Case(text, {"x": x.numpy()}), free=False))
    with tf.GradientTape() as outer:
        with tf.GradientTape() as tape:
            y = tf.reduce_sum(model({"x": x})["y"] * [[0.5], [1.5]])
        first = tape.gradient(y, x)
        total = tf.reduce_sum(first * [[1.0, 2.0, 3.0]])
    assert np.array_equal(first[0], [0, 0, 0])
    assert np.any(first[1].numpy() != 0)
    second = outer.gradient(total, x)
    assert second is None or np.isfinite(second).all()


def test_the_reduced_axis_is_not_preserved_and_drops_a_mask() -> None:
    x = TensorType((T, 4), "float32")
    kept, _ = term_of("sum(x, axis=2)", x=x)
    assert kept.axes == {"x": (0, 1)}
    assert kept.masks == {"x": 1}
    reduced, _ = term_of("max(x, axis=1, keepdims=true)", x=x)
    assert reduced.axes == {"x": (0, None, 2)}
    assert not reduced.masks
    assert reduced.dropped == {"x"}


def test_a_reduction_without_a_value_for_no_elements_requires_one() -> None:
    _, typing = term_of("max(x[:, 3:], axis=1)", x=TensorType((T, 4), "float32"))
    assert T - 3 in typing.context.positive


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("sum(x, axis=0)", ("0 is the batch axis", "from 1 to 2")),
        ("sum(x, axis=-3)", ("is the batch axis",)),
        ("sum(x, axis=3)", ("got the axis 3", "1 to 2")),
        ("sum(x, axis=[1, -2])", ("names an axis twice",)),
        ("sum(x, axis=[])", ("names no axis",)),
        ("sum(x)", ("requires `axis`", "axis=-1")),
        ("sum(m, axis=1)", ("takes numbers, not bools", "cast")),
        ("mean(i, axis=1)", ("takes a float tensor, not an integer", "cast(i, 'float32')")),
        ("std(m, axis=1)", ("takes a float tensor, not a bool", "cast")),
        ("any(x, axis=1)", ("takes bools, not a float", "x != 0")),
        ("argmax(m, axis=1)", ("takes numbers, not bools", "cast")),
        ("argmax(x, axis=[1, 2])", ("must be an integer",)),
        ("norm(x, 3, axis=1)", ("the orders 1, 2 and `inf`, not 3",)),
        ("norm(x, 2, axis=[1, 2])", ("over several axes takes no `ord`", "remove `ord`")),
        ("norm(i, axis=1)", ("takes a float tensor", "cast")),
        ("sum(sum(x, axis=[1, 2]), axis=-1)", ("one number per example", "expand_dims(sum(x, axis=[1, 2]), 1)")),
    ],
)
def test_misuse_of_a_reduction_names_the_fix(text: str, parts: tuple[str, ...]) -> None:
    message = error_of(text)
    for part in parts:
        assert part in message
