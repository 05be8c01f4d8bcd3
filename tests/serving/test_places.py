"""Which connection makes way for a new one."""

from __future__ import annotations

import pytest

from nnspec.serving import places
from nnspec.serving.places import Places


class Connection:
    """Remembers whether it was told to make way."""

    closed = False

    def make_way(self):
        self.closed = True


@pytest.fixture
def clock(monkeypatch):
    """A clock that is set by hand."""
    now = [0.0]
    monkeypatch.setattr(places.time, "monotonic", lambda: now[0])
    return now


def entered(these, count):
    found = [Connection() for _ in range(count)]
    return found, [these.enter(one) for one in found]


def test_the_one_that_has_waited_longest_for_a_request_makes_way(clock):
    these = Places(2)
    (first, second), _ = entered(these, 2)
    these.waits(second, "to ask")
    these.waits(first, "to ask")
    assert these.enter(Connection()) == "all"
    assert (first.closed, second.closed) == (False, True)


def test_a_body_that_does_not_come_makes_way_but_not_at_once(clock):
    these = Places(1)
    (slow,), _ = entered(these, 1)
    these.waits(slow, "to send")
    assert these.enter(Connection()) == "health"
    clock[0] += 2
    assert these.enter(Connection()) == "all"
    assert slow.closed


def test_an_answer_that_is_not_read_makes_way(clock):
    these = Places(1)
    (deaf,), _ = entered(these, 1)
    these.waits(deaf, "to read")
    clock[0] += 2
    assert these.enter(Connection()) == "all"
    assert deaf.closed


def test_where_all_are_being_answered_a_few_more_may_ask_for_health(clock):
    these = Places(3)
    busy, _ = entered(these, 3)
    _, kinds = entered(these, 100)
    assert kinds == ["health"] * 64 + [None] * 36
    assert not any(one.closed for one in busy)


def test_one_that_asks_for_health_makes_way_for_another_that_does(clock):
    these = Places(1)
    entered(these, 1)
    others, _ = entered(these, 64)
    these.waits(others[5], "to ask")
    assert these.enter(Connection()) == "health"
    assert [one.closed for one in others] == [place == 5 for place in range(64)]


def test_one_that_has_left_frees_its_place(clock):
    these = Places(1)
    (one,), _ = entered(these, 1)
    these.leave(one)
    assert these.enter(Connection()) == "all"
