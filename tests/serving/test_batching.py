"""Adaptive batching."""

from __future__ import annotations

import asyncio
import threading
import time

import numpy as np
import pytest

from nnspec.runtime.ports import Port
from nnspec.serving.batching import ArrivalGaps, Batcher, Cost
from nnspec.serving.errors import RequestError
from nnspec.serving.served import is_batchable


class Model:
    """Doubles, and remembers the rows of its batches; a negative number is refused."""

    def __init__(self, hold=0.0):
        self.batches, self.hold, self.free = [], hold, threading.Event()
        self.free.set()

    def __call__(self, arrays):
        self.free.wait(10)
        time.sleep(self.hold)
        x = arrays["x"]
        self.batches.append(len(x))
        if (x < 0).any():
            raise ValueError(f"negative: {x.min():g}")
        return {"y": 2 * x}


def row(value, length=1):
    return {"x": np.full((1, length), value, np.float32)}


def answers(model, work, **settings):
    async def main():
        batcher = Batcher(model, **{"max_rows": 8, "max_waiting": 100, **settings})
        try:
            return await work(batcher)
        finally:
            await batcher.close()

    return asyncio.run(main())


def test_what_waits_while_a_batch_runs_is_computed_together():
    model = Model()

    async def work(batcher):
        model.free.clear()
        first = batcher.submit(row(0))
        await asyncio.sleep(0.05)
        others = [batcher.submit(row(value)) for value in range(1, 6)]
        model.free.set()
        return [(await future)["y"].item() for future in (first, *others)]

    assert answers(model, work) == [0, 2, 4, 6, 8, 10]
    assert model.batches == [1, 5]


def test_no_batch_has_more_rows_than_are_allowed_but_for_a_request_alone():
    model = Model()

    async def work(batcher):
        model.free.clear()
        futures = [batcher.submit({"x": np.ones((rows, 1), np.float32)}) for rows in (1, 5, 3, 4, 20)]
        await asyncio.sleep(0.02)
        model.free.set()
        return [len((await future)["y"]) for future in futures]

    assert answers(model, work) == [1, 5, 3, 4, 20]
    assert model.batches == [6, 7, 20]


def test_other_shapes_are_other_batches():
    model = Model()

    async def work(batcher):
        model.free.clear()
        first = batcher.submit(row(0))
        await asyncio.sleep(0.02)
        futures = [batcher.submit(row(1, length)) for length in (2, 3, 2, 3)]
        model.free.set()
        return [(await future)["y"].shape for future in (first, *futures)]

    assert answers(model, work) == [(1, 1), (1, 2), (1, 3), (1, 2), (1, 3)]
    assert model.batches == [1, 2, 2]


def test_a_request_that_fails_does_not_fail_those_beside_it():
    model = Model()

    async def work(batcher):
        model.free.clear()
        first = batcher.submit(row(0))
        await asyncio.sleep(0.02)
        futures = [batcher.submit(row(value)) for value in (1, -2, 3)]
        model.free.set()
        return await asyncio.gather(first, *futures, return_exceptions=True)

    _, one, bad, three = answers(model, work)
    assert (one["y"].item(), three["y"].item()) == (2, 6)
    assert str(bad) == "negative: -2"


def test_what_nobody_waits_for_is_not_computed():
    model = Model()

    async def work(batcher):
        model.free.clear()
        first = batcher.submit(row(0))
        await asyncio.sleep(0.02)
        futures = [batcher.submit(row(value)) for value in range(4)]
        for future in futures[:3]:
            future.cancel()
        model.free.set()
        await asyncio.gather(first, futures[3])
        return batcher.waiting

    assert answers(model, work) == 0
    assert model.batches == [1, 1]


def test_a_full_queue_refuses_until_there_is_room():
    model = Model()

    async def work(batcher):
        model.free.clear()
        first = batcher.submit(row(0))
        await asyncio.sleep(0.02)
        waiting = [batcher.submit(row(1)) for _ in range(3)]
        with pytest.raises(RequestError) as refused:
            batcher.submit(row(1))
        waiting[0].cancel()
        batcher.submit(row(1)).cancel()
        model.free.set()
        await asyncio.gather(first, *waiting[1:])
        return refused.value

    refused = answers(model, work, max_waiting=3)
    assert (refused.status, refused.headers["Retry-After"]) == (503, "1")


def test_a_thread_computes_while_the_loop_goes_on():
    model = Model(hold=0.2)

    async def work(batcher):
        waiting = batcher.submit(row(1))
        ticks = 0
        while not waiting.done():
            await asyncio.sleep(0.01)
            ticks += 1
        return ticks

    assert answers(model, work) > 5


def test_shapes_that_nobody_asks_for_any_more_are_forgotten():
    async def work(batcher):
        for length in range(1, 400):
            await batcher.submit(row(1, length))
        return len(batcher._groups)

    assert answers(Model(), work) <= 256


@pytest.mark.parametrize(("a", "b"), [(0.001, 0.02), (0.003, 0.0), (0.0, 0.01)])
def test_the_line_of_a_batchs_cost_is_found_through_noise(a, b):
    rng = np.random.default_rng(3)
    cost = Cost()
    for rows in rng.integers(1, 33, 300):
        cost.update(int(rows), (a * rows + b) * rng.uniform(0.97, 1.03))
    assert cost.a == pytest.approx(a, abs=0.0002)
    assert cost.b == pytest.approx(b, abs=0.002)


def test_nobody_waits_where_batches_of_one_size_are_all_that_is_known():
    cost = Cost()
    for _ in range(10):
        cost.update(1, 0.01)
    assert (cost.a, cost.b) == (pytest.approx(0.01), 0)
    assert not cost.should_wait(1, 0.0001)


def test_waiting_pays_by_the_sum_of_all_waits():
    """Simulated: n rows now and one that comes after a gap, computed apart and together."""
    rng = np.random.default_rng(5)
    for _ in range(500):
        a, b, gap = rng.uniform(0, 0.01), rng.uniform(0, 0.1), rng.uniform(0, 0.03)
        n = int(rng.integers(1, 10))
        if gap > a * n + b:
            continue
        apart = n * (a * n + b) + (a * n + b - gap) + (a + b)
        together = n * (gap + a * (n + 1) + b) + (a * (n + 1) + b)
        cost = Cost()
        cost.a, cost.b = a, b
        if abs(apart - together) > 1e-9:
            assert cost.should_wait(n, gap) == (together < apart)


def test_a_gap_is_known_from_the_second_request_on():
    gaps = ArrivalGaps()
    gaps.arrived(1.0)
    assert gaps.mean == float("inf")
    gaps.arrived(1.5)
    assert gaps.mean == 0.5


def test_a_request_waits_for_one_that_is_expected_soon():
    model = Model()

    async def work(batcher):
        await batcher.submit(row(0))
        kind = next(iter(batcher._groups.values()))
        kind.cost.a, kind.cost.b, kind.gaps.mean = 0.0, 10.0, 0.05
        first = batcher.submit(row(1))
        kind.gaps.mean = 0.05
        await asyncio.sleep(0.02)
        second = batcher.submit(row(2))
        kind.gaps.mean = 0.05
        return (await first)["y"].item(), (await second)["y"].item()

    assert answers(model, work) == (2, 4)
    assert model.batches == [1, 2]


def test_rows_of_a_decoder_with_its_loop_inside_are_not_joined():
    source = {"source": Port("source", ("batch", "S"), "int64"), "most": Port("most", (), "int64")}
    assert not is_batchable(source, {"generated": Port("generated", ("batch", "steps"), "int64")})
