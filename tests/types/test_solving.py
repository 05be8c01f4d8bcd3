"""The sizes that satisfy what layers ask: for one symbol exactly, as trying every size finds them; samples for several."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnspec.types import Condition, Conditions, Dim, Relation, ceil_div, simplify, substitute, symbol
from nnspec.types.constraints import Constraint, conflict, solve
from nnspec.types.dims import from_json, to_json
from nnspec.types.ranges import evaluate, nonnegative
from nnspec.types.solving import sample

H, S, T, W = symbol("H"), symbol("S"), symbol("T"), symbol("W")
TRIED = range(1, 200)

operations = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(-4, 5)),
        st.tuples(st.just("times"), st.integers(2, 4)),
        st.tuples(st.just("floor"), st.integers(2, 5)),
        st.tuples(st.just("square"), st.just(0)),
    ),
    max_size=5,
)


def applied(steps):
    size = T
    for kind, number in steps:
        if kind == "add":
            size = size + number
        elif kind == "times":
            size = size * number
        elif kind == "floor":
            size = size // number
        elif len(str(size)) < 20:
            size = size * size
    return size


sizes_of_t = st.one_of(operations.map(applied), st.integers(1, 40))
constraints = st.lists(st.builds(Constraint, sizes_of_t, sizes_of_t, st.booleans()), min_size=1, max_size=3)


def is_satisfied(constraint: Constraint, size: int) -> bool:
    left, right = (substitute(each, {"T": size}) for each in (constraint.left, constraint.right))
    return left == right if constraint.equal else left >= right


def is_allowed(solution, size: int) -> bool:
    if "T" in solution.sizes:
        return solution.sizes["T"] == size
    conditions = Conditions(solution.conditions, solution.relations)
    return conditions.refusal({"T": size}) is None


@settings(max_examples=400)
@given(constraints)
def test_the_solution_for_one_symbol_is_exactly_the_sizes_that_satisfy_the_constraints(asked):
    expected = [size for size in TRIED if all(is_satisfied(constraint, size) for constraint in asked)]
    solution = solve(asked, ["T"])
    found = [] if solution is None else [size for size in TRIED if is_allowed(solution, size)]
    assert found == expected


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=5))
def test_a_polynomial_is_not_negative_exactly_where_its_ranges_are(coefficients):
    ranges = nonnegative(coefficients)
    found = [k for k in range(150) if any(low <= k and (high is None or k <= high) for low, high in ranges)]
    assert found == [k for k in range(150) if evaluate(coefficients, k) >= 0]


@given(st.builds(Constraint, sizes_of_t, sizes_of_t))
def test_the_next_size_that_fits_is_the_smallest_one_that_is_not_smaller(asked):
    solution = solve([asked], ["T"])
    condition = None if solution is None else solution.conditions.get("T")
    if condition is None:
        return
    for size in range(1, 40):
        larger = [each for each in range(size, 2000) if condition.is_met(each)]
        if larger:
            assert condition.next_fit(size) == larger[0]


@given(st.builds(Constraint, sizes_of_t, sizes_of_t))
def test_conditions_are_the_same_after_they_were_written_and_read(asked):
    solution = solve([asked], ["T"])
    if solution is not None:
        conditions = Conditions(solution.conditions, solution.relations)
        again = Conditions.from_json(conditions.as_json())
        assert (dict(again), again.relations) == (dict(conditions), conditions.relations)


@pytest.mark.parametrize(
    "value",
    [
        [],
        {"H": []},
        {"H": {"multiple_of": 0}},
        {"H": {"multiple_of": True}},
        {"H": {"also": 5}},
        {"H": {"multiple_of": 4, "remainder": 4}},
        {"H": {"at_least": 9, "at_most": 3}},
        {"H": {"one_of": ["1"]}},
        {"H": {"unknown": 1}},
        {"relations": {}},
        {"relations": [{"left": [[1, "T"]], "right": [[1, "S"]], "kind": "less"}]},
        {"relations": [{"left": [[1, "T", {"floor": [[1, "S"]], "by": 0}]], "right": [[1]], "kind": "equal"}]},
    ],
)
def test_conditions_of_a_damaged_file_are_refused(value):
    with pytest.raises(ValueError, match=r"."):
        Conditions.from_json(value)


def test_a_product_of_sums_in_a_file_is_refused_before_it_is_multiplied_out():
    long_sum = {"floor": [[2, "T"], [2, "S"], *([2, f"A{i}"] for i in range(40))], "by": 2}
    with pytest.raises(ValueError, match="terms"):
        from_json([[1, *[long_sum] * 12]])


def test_a_quotient_has_one_form_whatever_factors_it_shares_with_its_divisor():
    assert (4 * T + 3) // 8 == T // 2
    assert from_json(to_json((4 * T + 6) // 8 * S)) == (2 * T + 3) // 4 * S


def test_cropped_skips_around_four_poolings_of_valid_convolutions_need_twelve_more_than_a_multiple_of_sixteen():
    down, sizes = [], H
    for _ in range(4):
        down.append(sizes - 4)
        sizes = (sizes - 4) // 2
    up, asked = sizes - 4, []
    for skip, crop in zip(reversed(down), (4, 16, 40, 88), strict=True):
        asked.append(Constraint(skip - 2 * crop, up * 2))
        up = skip - 2 * crop - 4
    condition = solve(asked, ["H"]).conditions["H"]
    assert condition == Condition(multiple_of=16, remainder=12)
    assert [condition.next_fit(size) for size in (1, 12, 13, 572, 573)] == [12, 12, 28, 572, 588]
    assert simplify(up, {"H": condition}) == H - 184


def test_twenty_four_poolings_are_decided_without_trying_every_residue():
    size = T
    for _ in range(24):
        size = size // 2
    assert solve([Constraint(size * 2**24, T)], ["T"]).conditions == {"T": Condition(multiple_of=2**24)}


def test_a_finite_set_of_sizes_is_listed():
    solution = solve([Constraint(ceil_div(T, 2), ceil_div(T, 3))], ["T"])
    assert solution.conditions == {"T": Condition(one_of=(1, 2, 4))}


def test_a_symbol_that_must_equal_a_number_is_bound_and_one_that_must_equal_another_is_replaced():
    solution = solve([Constraint(T, S), Constraint(2 * S, W + 8), Constraint(W, 8)], ["S", "T", "W"])
    assert solution.sizes == {"T": 8, "S": 8, "W": 8}
    assert solve([Constraint(T, S)], ["S", "T"]).sizes == {"T": S}


def test_a_common_symbol_is_divided_out():
    assert solve([Constraint(S * T, 8 * S)], ["S", "T"]).sizes == {"T": 8}


def test_several_symbols_that_are_not_equal_stay_related():
    solution = solve([Constraint(S // 2, T)], ["S", "T"])
    assert solution.sizes == {}
    assert [str(relation) for relation in solution.relations] == ["`S//2` must equal `T`"]


@pytest.mark.parametrize(
    "asked",
    [
        [Constraint(T, T + 1)],
        [Constraint(T, S), Constraint(T, S + 1)],
        [Constraint(S, T + 1), Constraint(S, T + 2)],
        [Constraint(T // 2 * 2, T), Constraint((T + 1) // 2 * 2, T + 1)],
        [Constraint(2 * T, 3 * T)],
        [Constraint(2 * S, 2 * T + 1)],
        [Constraint(T - 300, 1, equal=False), Constraint(T, 8)],
    ],
)
def test_constraints_that_contradict_each_other_have_no_solution(asked):
    assert solve(asked, ["S", "T"]) is None


def test_a_conflict_names_the_first_constraint_that_cannot_hold_and_only_those_it_contradicts():
    even, odd = Constraint(T // 2 * 2, T), Constraint((T + 1) // 2 * 2, T + 1)
    asked = [Constraint(S, 1, equal=False), even, Constraint(S // 3 * 3, S), odd, Constraint(T, 5)]
    assert conflict(asked, ["S", "T"]) == (3, [1])


@given(st.integers(1, 40), st.integers(1, 40))
def test_a_sample_satisfies_every_condition_and_relation(s, t):
    conditions = {"S": Condition(multiple_of=4, at_least=8)}
    relations = [Relation(S // 2, T), Relation(T * W, 3 * S, "at_most")]
    found = sample(["S", "T", "W"], conditions, relations, {"S": s, "T": t, "W": 2})
    assert found is not None
    assert conditions["S"].is_met(found["S"])
    assert all(relation.is_met(found) for relation in relations)


def at_least(left: int | Dim, right: int | Dim) -> Constraint:
    return Constraint(left, right, equal=False)


@pytest.mark.parametrize(
    ("constraints", "relations"),
    [
        ([Constraint(H * W * 3, 72), Constraint(H * W // 2 * 2, H * W), at_least(H * W, 3)], ["`H*W` must equal `24`"]),
        ([Constraint(H * W // m * m, H * W) for m in (2, 3, 8)], ["`(H*W) % 24` must equal `0`"]),
        ([at_least(H * W, 24), at_least(H * W, 12), at_least(H * W + H, 12)], ["`24` must be at most `H*W`"]),
        ([Constraint(H * W + H, 24), at_least(H * W + H, 4)], ["`H*W + H` must equal `24`"]),
        ([Constraint(H * W, 24), Constraint(H + W, 11)], ["`H + W` must equal `11`", "`H*W` must equal `24`"]),
        (
            [at_least(H * W, 7), Constraint(H * W // 5 * 5, H * W)],
            ["`(H*W) % 5` must equal `0`", "`10` must be at most `H*W`"],
        ),
    ],
)
def test_each_independent_relation_is_returned_once(constraints: list[Constraint], relations: list[str]) -> None:
    solution = solve(constraints, ["H", "W"])
    assert solution is not None
    assert [str(relation) for relation in solution.relations] == relations


def test_a_product_without_a_valid_value_has_no_solution() -> None:
    assert solve([Constraint(H * W, 24), Constraint(H * W // 5 * 5, H * W)], ["H", "W"]) is None
    assert conflict([Constraint(H * W // 5 * 5, H * W), Constraint(H, W + 3), Constraint(H * W, 24)], ["H", "W"]) == (2, [0])
