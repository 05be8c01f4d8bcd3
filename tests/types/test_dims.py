from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnspec.types import (
    Condition,
    Dim,
    SizeTooComplex,
    ceil_div,
    product,
    same_size,
    simplify,
    substitute,
    symbol,
    symbols_of,
    unknown,
)

T, H = symbol("T"), symbol("H")

_operations = st.lists(
    st.one_of(
        st.tuples(st.just("+"), st.integers(-5, 5)),
        st.tuples(st.just("*"), st.integers(1, 4)),
        st.tuples(st.just("//"), st.sampled_from([-3, -2, -1, 1, 2, 3, 4])),
        st.tuples(st.just("ceil"), st.integers(1, 4)),
        st.tuples(st.just("+T"), st.integers(1, 2)),
        st.tuples(st.just("*H"), st.just(1)),
    ),
    max_size=7,
)


def _apply(size, operations, t, h):
    for operation, number in operations:
        match operation:
            case "+":
                size = size + number
            case "*":
                size = size * number
            case "//":
                size = size // number
            case "ceil":
                size = ceil_div(size, number)
            case "+T":
                size = size + t * number
            case "*H":
                size = size * h
    return size


@given(_operations, st.integers(0, 60), st.integers(1, 9))
def test_a_symbolic_size_stands_for_the_number_that_plain_arithmetic_gives(operations, t, h):
    symbolic = _apply(T, operations, T, H)
    assert substitute(symbolic, {"T": t, "H": h}) == _apply(t, operations, t, h)


@given(_operations, st.integers(0, 60), st.integers(1, 9))
def test_a_size_prints_as_an_expression_with_its_value(operations, t, h):
    symbolic = _apply(T, operations, T, H)
    assert eval(str(symbolic), {"T": t, "H": h}) == _apply(t, operations, t, h)


@given(_operations, _operations)
def test_sizes_that_are_equal_in_form_are_equal_in_value(one, other):
    a, b = _apply(T, one, T, H), _apply(T, other, T, H)
    if a == b:
        assert same_size(a, b) is True


def test_equal_sizes_reached_by_different_ways_compare_equal():
    assert (T + 3) // 2 == (T + 1) // 2 + 1
    assert ((T // 2) // 2) // 2 == T // 8
    assert ceil_div(ceil_div(T, 2), 2) == ceil_div(T, 4)
    assert (H * 4 + T) - H * 4 == T


def test_symbols_that_cancel_leave_a_number():
    assert (T + 4) - T == 4
    assert product([2, 3]) == 6


def test_an_unknown_size_equals_no_other_for_certain():
    assert same_size(unknown(), unknown()) is None
    assert not unknown().is_known


def test_the_symbols_inside_quotients_are_found():
    assert symbols_of((T + H * 3) // 2) == {"T", "H"}


@given(_operations, st.sampled_from([1, 2, 3, 4, 6, 8]), st.integers(0, 7), st.integers(1, 9), st.integers(1, 9))
def test_a_simplified_size_has_the_same_value_wherever_the_condition_holds(operations, multiple, remainder, t, h):
    size = _apply(T, operations, T, H)
    condition = Condition(multiple_of=multiple, remainder=remainder % multiple)
    simpler = simplify(size, {"T": condition})
    values = {"T": multiple * t + remainder % multiple, "H": h}
    assert condition.is_met(values["T"])
    assert substitute(simpler, values) == substitute(size, values)


def test_a_product_of_sums_is_bounded_by_its_terms() -> None:
    with pytest.raises(SizeTooComplex, match="terms; 200 is the limit"):
        product(symbol(f"T{number}") + 1 for number in range(40))


def test_a_product_of_symbols_is_one_term() -> None:
    total = product(symbol(f"T{number}") for number in range(40))
    assert len(symbols_of(total)) == 40


def test_a_sum_of_quotients_in_one_another_is_bounded_by_its_text() -> None:
    def grown(size: int | Dim, times: int) -> int | Dim:
        return grown(size * 3 + size // 2, times - 1) if times else size

    with pytest.raises(SizeTooComplex, match="characters long"):
        grown(symbol("T"), 60)


def test_a_factor_that_no_array_reaches_is_refused() -> None:
    with pytest.raises(SizeTooComplex, match=r"2\*\*63"):
        product([symbol("T"), 2**40, 2**40])
