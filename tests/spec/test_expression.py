from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnspec.expressions.params import ExpressionError, UnknownName, parse

PARAMS = {"width": 16, "stage": 1, "names": ["a", "b"], "flag": True, "rate": 0.5}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("width * 2 ** (stage + 1)", 64),
        ("2 ** 3 ** 2", 512),
        ("-2 ** 2", -4),
        ("7 // 2 + 7 % 2", 4),
        ("7 / 2", 3.5),
        ("names[0] + names[-1]", "ab"),
        ("[1, 2, 3][stage]", 2),
        ("1 if stage == 1 else 2", 1),
        ("1 if not flag else 2 if flag and stage > 0 else 3", 2),
        ("min(width, 8) + max(1, 2) + abs(-3) + round(rate) + len(names)", 15),
        ("'it' + \"s\"", "its"),
        ("1e-3 * 2", 0.002),
        ("true", True),
        ("1_000", 1000),
        ("['e' + str(i) for i in range(3)]", ["e0", "e1", "e2"]),
        ("[i * 2 for i in range(1, 8, 2) if i != 3]", [2, 10, 14]),
        ("[name + '/x' for name in names] + ['last']", ["a/x", "b/x", "last"]),
        ("[[j for j in range(i)] for i in range(3)]", [[], [0], [0, 1]]),
        ("[width for width in range(2)]", [0, 1]),
        ("len(range(10_000))", 10_000),
        ("str(rate) + str(flag)", "0.5true"),
        ("[3, 4, 5][:stage] + [3, 4, 5][stage:] + [3, 4, 5][-1:]", [3, 4, 5, 5]),
        ("range(9)[stage:-1:2] + range(3)[:]", [1, 3, 5, 7, 0, 1, 2]),
        ("sum([i for i in range(5)]) + sum([rate]) + sum([])", 10.5),
    ],
)
def test_expressions_mean_what_they_mean_in_python(text, value):
    assert parse(text).evaluate(PARAMS) == value


_numbers = st.integers(-50, 50)
_operators = st.sampled_from(["+", "-", "*", "//", "%", "<", "=="])


@given(st.lists(st.tuples(_operators, _numbers), min_size=1, max_size=6), _numbers)
def test_arithmetic_agrees_with_python(rest, first):
    comparisons = [operator for operator, _ in rest if operator in ("<", "==")]
    if len(comparisons) > 1:  # chained comparisons are Python's own
        return
    text = str(first) + "".join(f" {operator} ({number})" for operator, number in rest)
    try:
        expected = eval(text)
    except ZeroDivisionError:
        with pytest.raises(ExpressionError, match="division by zero"):
            parse(text).evaluate({})
    else:
        assert parse(text).evaluate({}) == expected


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("width +", 7, 8),
        ("width widht", 6, 11),
        ("1 // 0", 2, 4),
        ("f(1)", 0, 1),
        ("a.b", 1, 2),
        ("(1", 2, 3),
        ("__import__('os')", 0, 10),
        ("names[9]", 5, 6),
        ("names[::0]", 5, 6),
        ("names[0:rate]", 5, 6),
        ("names[1:2, 3]", 9, 10),
        ("names[]", 6, 7),
        ("width:", 5, 6),
        ("sum(names)", 0, 3),
        ("sum(3)", 0, 3),
        ("'a' * 'b'", 4, 5),
        ("", 0, 1),
        ("[i for i in 3]", 7, 8),
        ("[for i in range(3)]", 1, 4),
        ("[i for i in range(3)", 20, 21),
        ("[i for i in range(3) for j in range(3)]", 21, 24),
        ("[j for i in range(3)]", 1, 2),
        ("range(10_001)", 0, 5),
        ("range(true)", 0, 5),
        ("str([1])", 0, 3),
    ],
)
def test_an_error_names_the_characters_at_fault(text, start, end):
    with pytest.raises(ExpressionError) as error:
        parse(text).evaluate(PARAMS)
    assert (error.value.start, error.value.end) == (start, end)


def test_an_unknown_name_is_named():
    with pytest.raises(UnknownName) as error:
        parse("widht").evaluate(PARAMS)
    assert error.value.name == "widht"


@pytest.mark.parametrize(
    "text",
    [
        "9 ** 9 ** 9",
        "2 ** 999999999",
        "'a' * 1000000000",
        "[0] * 1000000000",
        "(" * 5000,
        "-" * 1990 + "1",
        "1 if " * 300,
        "2**" * 600 + "2",
        "[len([len([1 for k in range(9999)]) for j in range(9999)]) for i in range(9999)]",
        "[len([" + "+".join(["i"] * 900) + " for j in range(9999)]) for i in range(9999)]",
        "['" + "a" * 1900 + "' + str(i) for i in range(9999)]",
        "[len(range(9999)) for i in range(9999)]",
        "[sum(range(9999)[i:]) for i in range(9999)]",
        "[1][" * 1000,
    ],
)
def test_no_expression_runs_away(text):
    with contextlib.suppress(ExpressionError):
        parse(text).evaluate({})


def test_the_name_of_a_loop_is_no_param_that_is_read():
    assert parse("[i + width for i in range(stage)]").names == {"width", "stage"}
    assert parse("[i for i in i]").names == {"i"}


def test_the_computed_lists_of_a_document_share_one_limit_of_steps():
    steps = [0]
    loop = parse("[len([1 for j in range(3000)]) for i in range(30)]")
    for _ in range(5):
        loop.evaluate({}, steps)
    with pytest.raises(ExpressionError, match="limit of 500,000 steps"):
        loop.evaluate({}, steps)
    assert steps[0] < 510_000


@given(st.text("0123456789abwidth+-*/%()[]<>=!'\" .,", max_size=30))
def test_any_text_has_a_value_or_an_error_with_a_place(text):
    try:
        parse(text).evaluate(PARAMS)
    except ExpressionError as error:
        assert 0 <= error.start < error.end <= len(text) + 1
