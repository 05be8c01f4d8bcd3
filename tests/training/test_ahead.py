"""Values made before they are asked for."""

from __future__ import annotations

import numpy as np
import pytest

from nnspec.data.examples import Examples
from nnspec.data.lazy import LazyArray
from nnspec.diagnostics import NnspecError
from nnspec.training.loop import loop
from nnspec.training.loop.prefetch import AHEAD, Prefetcher


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
    part, prefetcher = examples(seen), Prefetcher()
    first, second = np.array([[0, 3], [1, 2]]), np.array([[5, 4]])
    prefetcher.submit(part, first)
    prefetcher.submit(part, second)
    assert prefetcher.take(part, first).inputs["x"].ravel().tolist() == [0, 3, 1, 2]
    assert prefetcher.take(part, second).inputs["x"].ravel().tolist() == [5, 4]
    assert sorted(seen) == [[0, 3, 1, 2], [5, 4]]


def test_a_process_reads_its_own_rows_once():
    seen: list[list[int]] = []
    part, prefetcher = examples(seen), Prefetcher(lambda rows: rows[:, :1])
    rows = np.array([[0, 3], [1, 2]])
    prefetcher.submit(part, rows)
    assert prefetcher.take(part, rows).inputs["x"].ravel().tolist() == [0, 1]
    assert seen == [[0, 1]]


def test_what_was_not_begun_is_made_when_it_is_asked_for_and_what_was_not_taken_is_given_up():
    seen: list[list[int]] = []
    part, prefetcher = examples(seen), Prefetcher()
    prefetcher.submit(part, np.array([[8]]))
    assert prefetcher.take(part, np.array([[6]])).inputs["x"].ravel().tolist() == [6]
    assert [6] in seen
    later = np.array([[5]])
    prefetcher.submit(part, later)
    prefetcher.take(part, later)
    assert not prefetcher._pending


@pytest.mark.parametrize("calls", [1, 2, 3, 7])
def test_the_loop_reads_the_rows_of_each_call_once(calls):
    seen: list[list[int]] = []
    part = Examples({"x": LazyArray(20, lambda rows: seen.append(rows.tolist()) or rows[:, None])}, {}, {}, np.arange(20))
    seen.clear()
    prefetcher = Prefetcher()

    class Reading:
        def prepare(self, examples, rows) -> None:
            prefetcher.submit(examples, rows)

    wanted = [np.array([[2 * number, 2 * number + 1]]) for number in range(calls)]
    for examples_, rows in loop._prepared(Reading(), iter([(part, rows) for rows in wanted])):
        assert prefetcher.take(examples_, rows).inputs["x"].ravel().tolist() == rows.ravel().tolist()
    assert sorted(seen) == [rows.ravel().tolist() for rows in wanted]


def test_an_error_comes_where_the_values_are_asked_for():
    part, prefetcher = examples([]), Prefetcher()
    rows, good = np.array([[7]]), np.array([[1]])
    prefetcher.submit(part, good)
    prefetcher.submit(part, rows)
    prefetcher.take(part, good)
    with pytest.raises(NnspecError, match="row 7"):
        prefetcher.take(part, rows)


class Steps:
    """Notes what is prepared."""

    def __init__(self) -> None:
        self.prepared: list[int] = []

    def prepare(self, part, rows) -> None:
        self.prepared.append(rows)


@pytest.mark.parametrize("ahead", [0, 1, AHEAD])
def test_the_next_calls_are_prepared_before_a_call_runs_and_each_runs_once(monkeypatch, ahead):
    monkeypatch.setattr(loop, "AHEAD", ahead)
    steps, ran = Steps(), []
    for _, rows in loop._prepared(steps, iter([(None, number) for number in range(6)])):
        assert steps.prepared == list(range(1, min(6, rows + 1 + ahead))) if ahead else not steps.prepared
        ran.append(rows)
    assert ran == list(range(6))


def test_a_call_of_large_examples_that_are_read_on_access_has_few_steps():
    array = LazyArray(10, lambda rows: np.zeros((len(rows), 1024, 1024), np.float32))
    large = Examples({"x": array}, {}, {}, np.arange(10))  # type: ignore[dict-item]
    assert [loop._most_steps(large, size) for size in (1, 2, 100)] == [4, 2, 1]
    held = Examples({"x": np.zeros((10, 1024, 1024), np.float32)}, {}, {}, np.arange(10))
    assert loop._most_steps(held, 100) == loop._MOST_STEPS_PER_CALL
