"""Values made before they are asked for."""

from __future__ import annotations

import numpy as np
import pytest

from nnspec.data.examples import Examples
from nnspec.data.lazy import LazyArray
from nnspec.diagnostics import NnspecError
from nnspec.training.loop.prefetch import Ahead


def examples(seen: list[list[int]]) -> Examples:
    def make(rows):
        seen.append(rows.tolist())
        if 7 in rows:
            raise NnspecError("row 7 cannot be read")
        return rows[:, None].astype("float32")

    array = LazyArray(10, make)
    seen.clear()
    return Examples({"x": array}, {}, {}, np.arange(10))  # type: ignore[dict-item]


def test_what_was_begun_is_made_once_and_is_what_would_be_made():
    seen: list[list[int]] = []
    part, ahead = examples(seen), Ahead()
    first, second = np.array([[0, 3], [1, 2]]), np.array([[5, 4]])
    ahead.begin(part, first)
    ahead.begin(part, second)
    assert ahead.take(part, first).inputs["x"].ravel().tolist() == [0, 3, 1, 2]
    assert ahead.take(part, second).inputs["x"].ravel().tolist() == [5, 4]
    assert seen == [[0, 3, 1, 2], [5, 4]]


def test_what_was_not_begun_is_made_when_it_is_asked_for_and_what_was_not_taken_is_given_up():
    seen: list[list[int]] = []
    part, ahead = examples(seen), Ahead()
    ahead.begin(part, np.array([[8]]))
    assert ahead.take(part, np.array([[6]])).inputs["x"].ravel().tolist() == [6]
    assert seen[-1] == [6]


def test_an_error_comes_where_the_values_are_asked_for():
    part, ahead = examples([]), Ahead()
    rows, good = np.array([[7]]), np.array([[1]])
    ahead.begin(part, good)
    ahead.begin(part, rows)
    ahead.take(part, good)
    with pytest.raises(NnspecError, match="row 7"):
        ahead.take(part, rows)
