"""Which connection is evicted for a new one."""

from __future__ import annotations

import pytest

from nnspec.serving import connection_slots
from nnspec.serving.connection_slots import ConnectionSlots


class Connection:
    """Records whether it was evicted."""

    closed = False

    def evict(self):
        self.closed = True


@pytest.fixture
def clock(monkeypatch):
    """A clock that is set by hand."""
    now = [0.0]
    monkeypatch.setattr(connection_slots.time, "monotonic", lambda: now[0])
    return now


def entered(slots, count):
    found = [Connection() for _ in range(count)]
    return found, [slots.acquire(one) for one in found]


def test_the_one_that_has_waited_longest_for_a_request_is_evicted(clock):
    slots = ConnectionSlots(2)
    (first, second), _ = entered(slots, 2)
    slots.set_waiting(second, "request")
    slots.set_waiting(first, "request")
    assert slots.acquire(Connection()) == "all"
    assert (first.closed, second.closed) == (False, True)


def test_a_body_that_does_not_come_is_evicted_but_not_at_once(clock):
    slots = ConnectionSlots(1)
    (slow,), _ = entered(slots, 1)
    slots.set_waiting(slow, "body")
    assert slots.acquire(Connection()) == "health"
    clock[0] += 2
    assert slots.acquire(Connection()) == "all"
    assert slow.closed


def test_an_answer_that_is_not_read_is_evicted(clock):
    slots = ConnectionSlots(1)
    (deaf,), _ = entered(slots, 1)
    slots.set_waiting(deaf, "response")
    clock[0] += 2
    assert slots.acquire(Connection()) == "all"
    assert deaf.closed


def test_where_all_are_being_answered_a_few_more_may_ask_for_health(clock):
    slots = ConnectionSlots(3)
    busy, _ = entered(slots, 3)
    _, kinds = entered(slots, 100)
    assert kinds == ["health"] * 64 + [None] * 36
    assert not any(one.closed for one in busy)


def test_one_that_asks_for_health_is_evicted_for_another_that_does(clock):
    slots = ConnectionSlots(1)
    entered(slots, 1)
    others, _ = entered(slots, 64)
    slots.set_waiting(others[5], "request")
    assert slots.acquire(Connection()) == "health"
    assert [one.closed for one in others] == [place == 5 for place in range(64)]


def test_one_that_has_left_frees_its_place(clock):
    slots = ConnectionSlots(1)
    (one,), _ = entered(slots, 1)
    slots.release(one)
    assert slots.acquire(Connection()) == "all"
