"""Products: values by hand, the rules of NumPy for one example, costs and errors."""

from __future__ import annotations

import numpy as np
import pytest

from nnspec.functions.products import macs
from nnspec.functions.terms import Application
from tests.functions.hand_checked import check, error_of, floats, term_of

A = np.array([[[1.0, 2], [3, 4]]])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a @ a", [[7, 10], [15, 22]]),
        ("a @ [1, -1]", [-1, -1]),
        ("a @ [[1], [-1]]", [[-1], [-1]]),
        ("[[1, 1]] @ a", [[4, 6]]),
        ("a[:, 0] @ a", [7, 10]),
        ("a @ a[:, 0]", [5, 11]),
        ("a[:, 0] @ a[:, 1]", 11),
        ("a[:, 0] @ [[1, 0], [0, 2]]", [1, 4]),
        ("einsum('bij,bjk->bik', a, a)", [[7, 10], [15, 22]]),
        ("einsum('bij -> bji', a)", [[1, 3], [2, 4]]),
        ("einsum('bij,j->bi', a, [1, -1])", [-1, -1]),
        ("einsum('bii->b', a)", 5),
    ],
)
def test_products_by_hand(text: str, expected: object) -> None:
    check(text, np.asarray([expected], np.float32), a=A)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ((2, 4), (4, 5), "(2, 5)"),
        ((7, 2, 4), (4, 5), "(7, 2, 5)"),
        ((7, 2, 4), (1, 4, 5), "(7, 2, 5)"),
        ((4,), (7, 4, 5), "(7, 5)"),
        ((7, 2, 4), (4,), "(7, 2)"),
        (("T", "D"), ("D", "T"), "(T, T)"),
    ],
)
def test_matmul_has_the_shapes_of_numpy_for_one_example(
    a: tuple[int | str, ...], b: tuple[int | str, ...], expected: str
) -> None:
    assert str(term_of("a @ b", a=floats(*a), b=floats(*b))[0]) == expected


def test_matmul_preserves_the_rows_and_the_columns() -> None:
    assert term_of("a @ b", a=floats("T", 4), b=floats(4, "S"))[0].axes == {"a": (0, 1, None), "b": (0, None, 2)}


def test_einsum_preserves_the_axes_of_its_letters() -> None:
    assert term_of("einsum('bij,bjk->bki', a, b)", a=floats("T", 4), b=floats(4, "S"))[0].axes == {
        "a": (0, None, 1),
        "b": (0, 2, None),
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a @ b", "20*T"),
        ("a @ b[:, :, 0]", "4*T"),
        ("einsum('bij,bjk->bik', a, b)", "20*T"),
        ("einsum('bij,bjk,bk->bi', a, b, b[:, 0])", "25*T"),
        ("einsum('bij->bji', a)", "0"),
        ("swapaxes(a, 1, 2)", "0"),
    ],
)
def test_macs_are_those_of_products(text: str, expected: str) -> None:
    origin = term_of(text, a=floats("T", 4), b=floats(4, 5))[0].origin
    assert isinstance(origin, Application)
    assert str(macs(origin)) == expected


@pytest.mark.parametrize(
    ("text", "message", "help"),
    [
        ("a @ c", "the last axis of the left, 4, must equal the second last axis of the right, 3", "swapaxes(b, -2, -1)"),
        ("a @ 2", "needs an axis behind the batch", "`*`"),
        ("a[:, 0, 0] @ b", "one number for each example", "`a * b`"),
        ("a @ (b > 0)", "takes numbers, not bools", "cast"),
        ("einsum('...j,bjk->bjk', a, b)", "`...` is not allowed", "a letter for each axis"),
        ("einsum('bij,bjk', a, b)", "need a result", "->"),
        ("einsum('bij,bjk->bik', a)", "describe 2 operands, but `einsum` got 1", ""),
        ("einsum('ij,bjk->bik', a, b)", "'ij' names 2 axes, but (2, 4) has 3, the batch included", ""),
        ("einsum('xij,bjk->bik', a, b)", "must begin with `x`", "write 'xjk'"),
        ("einsum('bij,bjk->ik', a, b)", "the result of `einsum` must begin with `b`", "write '->bik'"),
        ("einsum('bij,bik->bjk', a, b)", "the axis `i` of `einsum` has the sizes 2 and 4", ""),
        ("einsum('bij,bjk->bil', a, b)", "no operand has the axis `l`", ""),
        ("einsum('bij,bjk->bii', a, b)", "names the axis `i` twice", ""),
        ("einsum('bij,b->bi', a, [1, 2])", "which a constant does not have", "another letter"),
    ],
)
def test_errors_name_the_fix(text: str, message: str, help: str) -> None:
    found = error_of(text, a=floats(2, 4), b=floats(4, 5), c=floats(3, 4))
    assert message in found.split("; ")[0]
    assert help in found
