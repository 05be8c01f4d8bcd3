"""Functions that change shapes: values by hand, preserved axes, constraints and errors."""

from __future__ import annotations

import numpy as np
import pytest

from tests.functions.hand_checked import check, error_of, floats, term_of

X = np.arange(6.0).reshape(1, 2, 3)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("reshape(x, [3, 2])", [[0, 1], [2, 3], [4, 5]]),
        ("reshape(x, [-1])", [0, 1, 2, 3, 4, 5]),
        ("roll(x, [1, -1], axis=[1, 2])", [[4, 5, 3], [1, 2, 0]]),
        ("roll(x, 1, axis=[1, -1])", [[5, 3, 4], [2, 0, 1]]),
        ("x * zeros([1, 3], dtype='float32')", [[0, 0, 0], [0, 0, 0]]),
        ("where(cast(ones([1, 3], dtype='int32'), 'bool'), x, 7)", [[0, 1, 2], [3, 4, 5]]),
        ("transpose(x, [0, 2, 1])", [[0, 3], [1, 4], [2, 5]]),
        ("swapaxes(x, 1, -1)", [[0, 3], [1, 4], [2, 5]]),
        ("expand_dims(x, 1)", [[[0, 1, 2], [3, 4, 5]]]),
        ("expand_dims(x, [1, -1])", [[[[0], [1], [2]], [[3], [4], [5]]]]),
        ("squeeze(x[:, :1], 1)", [0, 1, 2]),
        ("broadcast_to(x[:, :1], [2, 3])", [[0, 1, 2], [0, 1, 2]]),
        ("tile(x, [1, 2])", [[0, 1, 2, 0, 1, 2], [3, 4, 5, 3, 4, 5]]),
        ("pad(x, [[0, 0], [1, 2]])", [[0, 0, 1, 2, 0, 0], [0, 3, 4, 5, 0, 0]]),
        ("pad(x, [[0, 1], [0, 0]], constant_values=9)", [[0, 1, 2], [3, 4, 5], [9, 9, 9]]),
        ("pad(x[:, 0], [2, 1], mode='reflect')", [2, 1, 0, 1, 2, 1]),
        ("pad(x[:, 0], [2, 1], mode='symmetric')", [1, 0, 0, 1, 2, 2]),
        ("pad(x[:, 0], [2, 1], mode='edge')", [0, 0, 0, 1, 2, 2]),
        ("tril(x)", [[0, 0, 0], [3, 4, 0]]),
        ("triu(x, 1)", [[0, 1, 2], [0, 0, 5]]),
    ],
)
def test_values_by_hand(text: str, expected: list[object]) -> None:
    check(text, np.asarray([expected], np.float32), x=X)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("reshape(x, [-1, 2])", "(2*T, 2)"),
        ("reshape(x, [-1, 8])", "(T//2, 8)"),
        ("reshape(x, [x.shape[1], 2, -1])", "(T, 2, 2)"),
        ("x[:, :-(x.shape[1] // -2)]", "(T - T//2, 4)"),
        ("x[:, -(x.shape[1] // 2):]", "(T//2, 4)"),
        ("x[:, :-(x.shape[1] // 2)]", "(T - T//2, 4)"),
        ("reshape(x, [2, -1])", "(2, 2*T)"),
        ("tile(x, [x.shape[1], 2])", "(T*T, 8)"),
        ("pad(x, [[1, 2], [0, 0]])", "(T + 3, 4)"),
        ("broadcast_to(x[:, :, :1], [x.shape[1], 5])", "(T, 5)"),
    ],
)
def test_free_sizes(text: str, expected: str) -> None:
    assert str(term_of(text, x=floats("T", 4))[0]) == expected


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("reshape(x, [x.shape[1], 2, 2, 3])", (0, 1, None, None, 3)),
        ("reshape(x, [-1, 3])", (0, None, 3)),
        ("reshape(x, [1, x.shape[1], 12])", (0, None, 1, None)),
        ("transpose(x, [0, 3, 1, 2])", (0, 3, 1, 2)),
        ("expand_dims(x, 2)", (0, 1, None, 2, 3)),
        ("squeeze(x[:, :, :1], 2)", (0, 1, 3)),
        ("tile(x, [1, 2, 1])", (0, 1, None, 3)),
        ("pad(x, [[0, 0], [0, 0], [1, 0]])", (0, 1, 2, None)),
        ("tril(x)", (0, 1, 2, 3)),
    ],
)
def test_unchanged_axes_are_preserved(text: str, kept: tuple[int | None, ...]) -> None:
    assert term_of(text, x=floats("T", 4, 3))[0].axes == {"x": kept}


def test_a_triangle_depends_on_the_positions_of_its_axes() -> None:
    assert term_of("tril(x)", x=floats("T", "T"))[0].sizes == {("x", 1), ("x", 2)}


def test_a_reshape_of_free_sizes_needs_equal_totals() -> None:
    _, typing = term_of("reshape(x, [3, 8])", x=floats("T", 4))
    assert [tuple(map(str, pair)) for pair in typing.context.equal] == [("4*T", "24")]


def test_a_reflection_of_a_free_size_needs_room() -> None:
    _, typing = term_of("pad(x, [2, 0], mode='reflect')", x=floats("T"))
    assert [str(size) for size in typing.context.positive] == ["T - 2"]


@pytest.mark.parametrize(
    ("text", "message", "help"),
    [
        ("reshape(x, [5, 5])", "(4, 6), which has 24 values, to [5, 5], which has 25", "shapes omit the batch"),
        ("reshape(x, [5, -1])", "24 values, which is no multiple of 5", "batch"),
        ("reshape(x, [-1, -1])", "at most one size may be -1", "write the other sizes"),
        ("reshape(x, [0, 24])", "at least 1, not 0", ""),
        ("transpose(x, [1, 0, 2])", "the batch axis, 0, must stay first", "write `[0, 1, 2]`"),
        ("transpose(x, [2, 1])", "count the batch", "write `[0, 2, 1]`"),
        ("transpose(x, [1, 0])", "in another order, not [1, 0]", "write [0, 2, 1]"),
        ("transpose(x, [0, 1])", "in another order, not [0, 1]", "write [0, 1, 2]"),
        ("transpose(x, [0, 1, 1])", "in another order", "[0, 2, 1]"),
        ("swapaxes(x, 0, 1)", "0 is the batch axis", "from 1 to 2"),
        ("expand_dims(x, 0)", "0 is the batch axis", "from 1 to 3"),
        ("expand_dims(x, 4)", "got the axis 4", ""),
        ("squeeze(x)", "requires `axis`", "axis=-1"),
        ("squeeze(x, 1)", "axis 1 of (4, 6) has size 4", "x[:, 0]"),
        ("broadcast_to(x, [8, 6])", "axis 1 of (4, 6) has size 4", "tile"),
        ("broadcast_to(x, [2, 4, 6])", "needs 2 sizes, got 3", "expand_dims"),
        ("broadcast_to(x, [6])", "needs 2 sizes, got 1", "without the batch"),
        ("tile(x, [1, 2, 3])", "needs 2 repeats, got 3", "omit the batch axis"),
        ("tile(x, [2])", "needs 2 repeats, got 1", "1 for those that stay"),
        ("pad(x, [[0, 0], [1, 1], [0, 0]])", "needs 2 pairs, got 3", "omit the batch axis"),
        ("pad(x, [[1, 1, 1]])", "is a list of pairs", "[[0, 0], [1, 1]]"),
        ("pad(x, -1)", "cannot be negative", "x[:, 1:]"),
        ("pad(x, 1, mode='wrap')", "no mode `wrap`", "'reflect'"),
        ("pad(x, [[4, 0], [0, 0]], mode='reflect')", "repeats 4 positions of axis 1, which has 4", "'edge'"),
        ("pad(x, 1, mode='edge', constant_values=2)", "takes no `constant_values`", ""),
        ("pad(x, 1, constant_values=x)", "must be a number", ""),
        ("tril(x[:, 0])", "takes matrices", ""),
    ],
)
def test_errors_name_the_fix(text: str, message: str, help: str) -> None:
    found = error_of(text, x=floats(4, 6))
    assert message in found.split("; ")[0]
    assert help in found


def test_a_size_that_cannot_be_inferred_is_to_be_written() -> None:
    assert "cannot infer the size -1" in error_of("reshape(x, [y.shape[1], -1])", x=floats("T", 4), y=floats("S"))
