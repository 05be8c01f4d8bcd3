"""Functions along one axis: values worked out by hand, preserved axes, constraints, errors."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from nnspec.functions.base import Case
from nnspec.keras_backend import to_keras
from nnspec.types import TensorType, symbol
from tests.functions.four_ways import graph_of
from tests.functions.hand_checked import check, error_of, term_of

T, S = symbol("T"), symbol("S")
X = [[[1.0, 2.0], [3.0, 5.0], [0.0, -1.0]], [[4.0, 4.0], [9.0, 8.0], [7.0, 6.0]]]
FLOATS = TensorType((T, 4), "float32")


@pytest.mark.parametrize("free", [False, True])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("softmax(x[:, :, 0] * 0)", [[1 / 3] * 3] * 2),
        ("log_softmax(x * 0, axis=1)", [[[-np.log(3)] * 2] * 3] * 2),
        ("normalize(x[:, 1:2], axis=2, order=1)", [[[0.375, 0.625]], [[9 / 17, 8 / 17]]]),
        ("cumsum(x, axis=1)", [[[1.0, 2.0], [4.0, 7.0], [4.0, 6.0]], [[4.0, 4.0], [13.0, 12.0], [20.0, 18.0]]]),
        ("sort(x, axis=1)", [[[0.0, -1.0], [1.0, 2.0], [3.0, 5.0]], [[4.0, 4.0], [7.0, 6.0], [9.0, 8.0]]]),
        ("argsort(x[:, :, 0])", [[2, 0, 1], [0, 2, 1]]),
        ("top_k(x[:, :, 1], 2)[0]", [[5.0, 2.0], [8.0, 6.0]]),
        ("top_k(x[:, :, 1], 2)[1]", [[1, 0], [1, 2]]),
        ("flip(x[:, :, 0], axis=1)", [[0.0, 3.0, 1.0], [7.0, 9.0, 4.0]]),
        ("flip(x, axis=[1, -1])[:, 0]", [[-1.0, 0.0], [6.0, 7.0]]),
        ("roll(x[:, :, 0], 1, axis=1)", [[0.0, 1.0, 3.0], [7.0, 4.0, 9.0]]),
        ("roll(x[:, :, 0], -4, axis=1)", [[3.0, 0.0, 1.0], [9.0, 7.0, 4.0]]),
        ("roll(x[:, :, 0], 3, axis=1)", [[1.0, 3.0, 0.0], [4.0, 9.0, 7.0]]),
        ("repeat(x[:, :, 0], 2, axis=1)", [[1.0, 1.0, 3.0, 3.0, 0.0, 0.0], [4.0, 4.0, 9.0, 9.0, 7.0, 7.0]]),
        ("repeat(x[:, 0:1], 2, axis=2)", [[[1.0, 1.0, 2.0, 2.0]], [[4.0, 4.0, 4.0, 4.0]]]),
        ("concatenate([x[:, 0], x[:, 1]], axis=1)", [[1.0, 2.0, 3.0, 5.0], [4.0, 4.0, 9.0, 8.0]]),
        ("concatenate([[[7, 8]], x], axis=1)[:, 0]", [[7.0, 8.0], [7.0, 8.0]]),
        ("stack([x[:, 0], x[:, 1]], axis=-1)", [[[1.0, 3.0], [2.0, 5.0]], [[4.0, 9.0], [4.0, 8.0]]]),
        ("stack([x[:, 0, 0], 1, x[:, 0, 1]], axis=1)", [[1.0, 1.0, 2.0], [4.0, 1.0, 4.0]]),
    ],
)
def test_a_function_along_an_axis_has_the_value_worked_out_by_hand(text: str, expected: object, free: bool) -> None:
    check(text, expected, free=free, x=X)  # type: ignore[arg-type]


# --- order and positions ------------------------------------------------------------------------------------------------


def test_equal_elements_stay_in_order() -> None:
    x = [[2.0, 1.0, 2.0, 1.0], [0.0, -0.0, 0.0, -0.0]]
    check("argsort(x)", [[1, 3, 0, 2], [0, 1, 2, 3]], x=x)
    check("top_k(x, 3)[1]", [[0, 2, 1], [0, 1, 2]], x=x)


def test_order_functions_take_integers() -> None:
    x = [[3, -2, 3], [0, 0, -7]]
    check("sort(x)", [[-2, 3, 3], [-7, 0, 0]], x=x)
    check("argsort(x)", [[1, 0, 2], [2, 0, 1]], x=x)
    check("top_k(x, 1)[1]", [[0], [0]], x=x)
    check("cumsum(x, axis=1)", [[3, 1, 4], [0, 0, -7]], x=x)


def test_an_axis_of_one_element_is_allowed() -> None:
    check("softmax(x)", [[1.0], [1.0]], x=[[5.0], [-2.0]])
    check("sort(x)", [[5.0]], x=[[5.0]])
    check("roll(x, 7, axis=1)", [[5.0]], x=[[5.0]])
    check("normalize(x)", [[1.0], [0.0]], x=[[5.0], [0.0]])


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="compiles with XLA by TensorFlow")
@pytest.mark.parametrize("text", ["argsort(x)", "top_k(x, 4)[1]"])
def test_compiled_by_xla_negative_zero_equals_zero(text: str) -> None:
    import tensorflow as tf

    x = np.array([[-0.0, 0.0, -0.0, 0.0]], np.float32)
    model = to_keras(graph_of(Case(text, {"x": x}), free=False))
    compiled = tf.function(lambda given: model({"x": given})["y"], jit_compile=True)
    assert compiled(x).numpy().tolist() == [[0, 1, 2, 3]]


# --- selecting ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("free", [False, True])
def test_take_selects_in_each_example_with_its_own_indices(free: bool) -> None:
    expected = [[[0.0, -1.0], [1.0, 2.0]], [[9.0, 8.0], [9.0, 8.0]]]
    check("take(x, i, axis=1)", expected, free=free, x=X, i=[[2, 0], [1, -2]])
    check("take(x, i, axis=2)", [[2.0, 5.0, -1.0], [4.0, 9.0, 7.0]], free=free, x=X, i=[1, 0])


@pytest.mark.parametrize("free", [False, True])
def test_take_accepts_constant_indices_and_constant_tables(free: bool) -> None:
    check("take(x, [2, -3], axis=1)", [[[0.0, -1.0], [1.0, 2.0]], [[7.0, 6.0], [4.0, 4.0]]], free=free, x=X)
    check("take(x, 1, axis=1)", [[3.0, 5.0], [9.0, 8.0]], free=free, x=X)
    check("take([[10, 11], [20, 21], [30, 31]], i, axis=0)", [[30, 31], [10, 11]], free=free, i=[2, 0])
    check("take([[10, 11], [20, 21], [30, 31]], i, axis=1)", [[11, 21, 31], [10, 20, 30]], free=free, i=[-1, 0])


@pytest.mark.parametrize("free", [False, True])
def test_take_along_axis_has_indices_at_each_position(free: bool) -> None:
    check("take_along_axis(x, i, axis=1)", [[[0.0, 2.0]], [[9.0, 6.0]]], free=free, x=X, i=[[[2, 0]], [[1, -1]]])
    check("take_along_axis(x, i, axis=2)", [[[2.0], [3.0], [-1.0]], [[4.0], [9.0], [7.0]]], free=free, x=X, i=[[[1], [0], [1]], [[0], [0], [0]]])  # fmt: skip


def test_take_along_axis_broadcasts_the_other_axes_and_constants() -> None:
    check("take_along_axis(x, i, axis=1)", [[[0.0, -1.0]], [[9.0, 8.0]]], x=X, i=[[[2]], [[1]]])
    check("take_along_axis(x, [[2, 0]], axis=1)", [[[0.0, 2.0]], [[7.0, 4.0]]], x=X)
    check("take_along_axis([[1, 2, 3]], i, axis=1)", [[[3]], [[1]]], i=[[[2]], [[0]]])


@pytest.mark.parametrize("free", [False, True])
def test_a_class_that_is_out_of_range_is_all_zeros(free: bool) -> None:
    check(
        "one_hot(i, 3)",
        [[[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]], [[0.0, 0.0, 0.0], [0.0, 0.0, 1.0]]],
        free=free,
        i=[[1, 3], [-1, 2]],
    )
    check("one_hot(i, i.shape[1], axis=1)", [[[0.0, 1.0], [1.0, 0.0]]], free=free, i=[[1, 0]])


# --- preserved axes and constraints -------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["softmax(x, axis=1)", "cumsum(x, axis=1)", "sort(x, axis=1)", "flip(x, axis=1)", "roll(x, 1, axis=1)",
                                  "repeat(x, 2, axis=1)", "concatenate([x, x], axis=1)", "normalize(x, axis=1)"])  # fmt: skip
def test_the_axis_of_a_function_is_not_preserved_and_drops_a_mask(text: str) -> None:
    term, _ = term_of(text, x=FLOATS)
    assert term.axes == {"x": (0, None, 2)}
    assert term.dropped == {"x"}


@pytest.mark.parametrize("text", ["softmax(x)", "sort(x)", "flip(x, axis=2)", "concatenate([x, x], axis=2)", "top_k(x, 2)[1]"])
def test_a_function_along_the_last_axis_keeps_the_mask_of_the_first(text: str) -> None:
    term, _ = term_of(text, x=FLOATS)
    assert term.axes == {"x": (0, 1, None)}
    assert term.masks == {"x": 1}


def test_joined_tensors_combine_their_masks_and_have_equal_sizes() -> None:
    term, typing = term_of("concatenate([x, y], axis=-1)", x=FLOATS, y=TensorType((S, 2), "float32"))
    assert term.shape[1:] == (T, 6)
    assert term.masks == {"x": 1, "y": 1}
    assert typing.context.equal == [(T, S)]
    term, typing = term_of("concatenate([x, y], axis=1)", x=FLOATS, y=TensorType((S, 4), "float32"))
    assert term.shape[1] == T + S
    assert not typing.context.equal


def test_a_new_axis_moves_those_behind_it() -> None:
    term, _ = term_of("stack([x, x], axis=2)", x=FLOATS)
    assert term.axes == {"x": (0, 1, None, 2)}
    term, _ = term_of("one_hot(i, 3, axis=1)", i=TensorType((T,), "int32"))
    assert term.axes == {"i": (0, None, 1)}


def test_take_preserves_the_other_axes_of_the_tensor_and_all_of_the_indices() -> None:
    term, _ = term_of("take(x, i, axis=1)", x=FLOATS, i=TensorType((S, 3), "int32"))
    assert term.shape[1:] == (S, 3, 4)
    assert term.axes == {"x": (0, None, None, 2), "i": (0, 1, 2, None)}
    assert term.masks == {"i": 1}


def test_a_selection_from_a_free_size_requires_the_positions() -> None:
    _, typing = term_of("top_k(x, 3)[0]", x=TensorType((T,), "float32"))
    assert T - 2 in typing.context.positive
    _, typing = term_of("take(x, [4, -2], axis=1)", x=FLOATS)
    assert T - 4 in typing.context.positive
    assert T - 1 in typing.context.positive


# --- errors -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("softmax(x, axis=0)", ("0 is the batch axis", "from 1 to 2")),
        ("softmax(i)", ("takes a float tensor, not an integer", "cast")),
        ("softmax(sum(x, axis=[1, 2]))", ("one number per example", "expand_dims(sum(x, axis=[1, 2]), 1)")),
        ("normalize(x, order=3)", ("the orders 1, 2 and `inf`, not 3",)),
        ("cumsum(x)", ("requires `axis`",)),
        ("cumsum(m, axis=1)", ("takes numbers, not bools", "cast")),
        ("sort(m)", ("takes numbers, not bools", "cast")),
        ("top_k(x, 5)[0]", ("selects 5 of 4", "up to 4")),
        ("top_k(x, 0)[0]", ("at least 1, not 0",)),
        ("top_k(x, 2)", ("several results", "`top_k(x, 2)[0]` for the values")),
        ("top_k(sum(x, axis=[1, 2]), 1)[0]", ("one number per example",)),
        ("flip(x)", ("requires `axis`",)),
        ("flip(x, axis=[1, 0])", ("0 is the batch axis",)),
        ("roll(x, 1, axis=0)", ("0 is the batch axis",)),
        ("roll(x, x.shape[1], axis=1)", ("`shift` of `roll` must be an integer",)),
        ("repeat(x, 0, axis=1)", ("at least 1, not 0",)),
        ("concatenate([x, x], axis=0)", ("0 is the batch axis",)),
        ("concatenate([x, x])", ("requires `axis`",)),
        ("concatenate(x, axis=1)", ("must be a list of tensors; write `[a, b]`",)),
        ("concatenate([], axis=1)", ("at least one tensor",)),
        ("concatenate([x, i], axis=1)", ("combines", "cast")),
        ("concatenate([x, x[:, 0]], axis=1)", ("the same number of axes, got (T, 4) and (4,)", "expand_dims")),
        ("concatenate([x, 1], axis=1)", ("the same number of axes", "full_like(x, …)")),
        ("concatenate([x, [1, 2]], axis=1)", ("the same number of axes", "expand_dims([1, 2], 1)")),
        ("concatenate([x, x[:, :, :2]], axis=1)", ("equal sizes, got 4 and 2",)),
        ("stack([x, x], axis=0)", ("0 is the batch axis", "from 1 to 3")),
        ("stack([x, x[:, :, :2]], axis=1)", ("equal sizes, got 4 and 2",)),
        ("take(x, i)", ("requires `axis`",)),
        ("take(x, i, axis=0)", ("0 is the batch axis",)),
        ("take(x, x, axis=1)", ("are integers, not a float tensor", "cast(x, 'int32')")),
        ("take(x, m, axis=1)", ("are integers, not a bool tensor", "where")),
        ("take(x, [0, 4], axis=2)", ("the index 4 is out of range", "4 positions")),
        ("take_along_axis(x, i, axis=1)", ("indices with the axes of the tensor, got (T, 4) and (3,)", "take(x, indices, axis)")),
        ("take_along_axis(x, [[5, 0]], axis=2)", ("the index 5 is out of range",)),
        ("one_hot(x, 3)", ("takes classes as integers, not a float tensor", "cast")),
        ("one_hot(i, 0)", ("at least 1, not 0",)),
        ("one_hot(i, 3, axis=0)", ("0 is the batch axis",)),
    ],
)  # fmt: skip
def test_misuse_of_a_function_names_the_fix(text: str, parts: tuple[str, ...]) -> None:
    message = error_of(text)
    for part in parts:
        assert part in message
